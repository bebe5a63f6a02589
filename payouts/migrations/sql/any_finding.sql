-- A person's file in which anything is not simply right wants a second person: a case that is
-- opened by a forged file keeps the genuine one out.
CREATE OR REPLACE FUNCTION payouts_guard_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.name, NEW.network, NEW.reference, NEW.acquiring_bin, NEW.card_acceptor_id,
        NEW.begins_at, NEW.ends_at, NEW.made_at, NEW.currency, NEW.lines, NEW.credits, NEW.credited,
        NEW.returns, NEW.returned, NEW.sha256, NEW.size_bytes, NEW.pieces, NEW.uploaded_by_id,
        NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.name, OLD.network, OLD.reference, OLD.acquiring_bin, OLD.card_acceptor_id,
        OLD.begins_at, OLD.ends_at, OLD.made_at, OLD.currency, OLD.lines, OLD.credits, OLD.credited,
        OLD.returns, OLD.returned, OLD.sha256, OLD.size_bytes, OLD.pieces, OLD.uploaded_by_id,
        OLD.created_at) THEN
        RAISE EXCEPTION 'what settlement file % says cannot change', OLD.id USING ERRCODE = 'PY150';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'reading' THEN NEW.state IN ('matching', 'refused')
        WHEN 'matching' THEN NEW.state = 'comparing'
        WHEN 'comparing' THEN NEW.state IN ('waiting', 'acting')
        WHEN 'waiting' THEN NEW.state IN ('acting', 'refused') AND NEW.decided_by_id IS NOT NULL
        WHEN 'acting' THEN NEW.state = 'done'
        ELSE FALSE
    END) THEN
        RAISE EXCEPTION 'settlement file % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'PY151';
    END IF;
    IF NEW.state = 'acting' AND OLD.state = 'comparing' AND NEW.uploaded_by_id IS NOT NULL
       AND EXISTS (SELECT FROM payouts_settlementfinding WHERE file_id = NEW.id) THEN
        RAISE EXCEPTION 'settlement file % wants a second person', OLD.id USING ERRCODE = 'PY152';
    END IF;
    RETURN NEW;
END $$;
