-- A batch may be refused while it is checked too: when its workers have died of it.
CREATE OR REPLACE FUNCTION payouts_guard_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.partner_id, NEW.uploaded_by_id, NEW.name, NEW.file_name, NEW.file_bytes,
        NEW.file_digest, NEW.request_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.partner_id, OLD.uploaded_by_id, OLD.name, OLD.file_name, OLD.file_bytes,
        OLD.file_digest, OLD.request_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what batch % is cannot change', OLD.id USING ERRCODE = 'PY101';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'reading' THEN NEW.state IN ('checking', 'refused', 'withdrawn')
        WHEN 'checking' THEN NEW.state IN ('ready', 'refused', 'withdrawn')
        WHEN 'ready' THEN NEW.state IN ('checking', 'issuing', 'withdrawn')
        WHEN 'issuing' THEN NEW.state IN ('issued', 'withdrawn')
        ELSE FALSE END) THEN
        RAISE EXCEPTION 'no batch goes from % to %', OLD.state, NEW.state USING ERRCODE = 'PY102';
    END IF;
    RETURN NEW;
END $$;
