-- What people settle doubts by; see guards.sql for the errors.

-- Evidence stays. It may be sealed anew when the vault's keys rotate, and nothing else.
CREATE FUNCTION payouts_guard_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.payment_id, NEW.name, NEW.media_type, NEW.size_bytes, NEW.sha256,
        NEW.uploaded_by_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.payment_id, OLD.name, OLD.media_type, OLD.size_bytes, OLD.sha256,
        OLD.uploaded_by_id, OLD.created_at) THEN
        RAISE EXCEPTION 'evidence % cannot change', OLD.id USING ERRCODE = 'PY140';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER evidence_guard BEFORE UPDATE ON payouts_evidencefile
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_evidence();
CREATE TRIGGER evidence_no_delete BEFORE DELETE ON payouts_evidencefile
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER evidence_no_truncate BEFORE TRUNCATE ON payouts_evidencefile
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();


-- Whoever made a payment neither proposes nor decides what became of it, and a proposal stands on
-- evidence about this payment. That it takes two is change_four_eyes, that its maker is not one of
-- them when it is decided is change_not_by_whom_it_concerns.
CREATE FUNCTION payouts_guard_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_maker integer;
BEGIN
    SELECT maker_user_id INTO v_maker FROM payouts_payment WHERE id = NEW.subject::uuid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no payment %', NEW.subject USING ERRCODE = 'PY141';
    END IF;
    IF NEW.proposed_by_id = v_maker OR NEW.concerns_user_id IS DISTINCT FROM v_maker THEN
        RAISE EXCEPTION 'the maker of payment % cannot resolve it', NEW.subject
            USING ERRCODE = 'PY142';
    END IF;
    IF NOT EXISTS (
        SELECT FROM payouts_evidencefile
        WHERE id = (NEW.after ->> 'evidence')::uuid AND payment_id = NEW.subject::uuid
            AND encode(sha256, 'hex') = NEW.after ->> 'sha256'
    ) THEN
        RAISE EXCEPTION 'the resolution of payment % has no evidence', NEW.subject
            USING ERRCODE = 'PY143';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER change_resolution_guard BEFORE INSERT ON payouts_changerequest
    FOR EACH ROW WHEN (NEW.kind IN ('resolve_unknown', 'return_payment'))
    EXECUTE FUNCTION payouts_guard_resolution();


-- A case says for ever what it was opened about; closed it stays closed.
CREATE FUNCTION payouts_guard_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'case % is closed', OLD.id USING ERRCODE = 'PY144';
    END IF;
    IF (NEW.id, NEW.kind, NEW.subject, NEW.payment_id, NEW.partner_id, NEW.title, NEW.ours,
        NEW.theirs, NEW.amount, NEW.opened_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.subject, OLD.payment_id, OLD.partner_id, OLD.title, OLD.ours,
        OLD.theirs, OLD.amount, OLD.opened_at) THEN
        RAISE EXCEPTION 'what case % is about cannot change', OLD.id USING ERRCODE = 'PY145';
    END IF;
    IF NEW.change_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM payouts_changerequest
        WHERE id = NEW.change_id AND kind = 'close_case' AND subject = NEW.id::text
            AND after ->> 'way' = NEW.way
    ) THEN
        RAISE EXCEPTION 'case % is closed by a change of something else', OLD.id
            USING ERRCODE = 'PY146';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER case_guard BEFORE UPDATE ON payouts_case
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_case();
CREATE TRIGGER case_no_delete BEFORE DELETE ON payouts_case
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER case_no_truncate BEFORE TRUNCATE ON payouts_case
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
