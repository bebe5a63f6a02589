-- A change request says for ever what was proposed; its state goes one way, once.
CREATE FUNCTION payouts_guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' THEN
            RAISE EXCEPTION 'a change begins as a proposal' USING ERRCODE = 'PY020';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.kind, NEW.partner_id, NEW.subject, NEW.label, NEW.concerns_user_id, NEW.before,
        NEW.after, NEW.digest, NEW.reason, NEW.proposed_by_id, NEW.proposed_at, NEW.expires_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.partner_id, OLD.subject, OLD.label, OLD.concerns_user_id, OLD.before,
        OLD.after, OLD.digest, OLD.reason, OLD.proposed_by_id, OLD.proposed_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'what change % proposes cannot change', OLD.id USING ERRCODE = 'PY021';
    END IF;
    IF OLD.state <> 'proposed' AND
       (NEW.state, NEW.decided_by_id, NEW.decided_at, NEW.decision_reason, NEW.is_alone, NEW.result)
       IS DISTINCT FROM
       (OLD.state, OLD.decided_by_id, OLD.decided_at, OLD.decision_reason, OLD.is_alone, OLD.result)
    THEN
        RAISE EXCEPTION 'change % is decided', OLD.id USING ERRCODE = 'PY022';
    END IF;
    IF OLD.collected_at IS NOT NULL AND
       (NEW.collected_at, NEW.collected_by_id) IS DISTINCT FROM (OLD.collected_at, OLD.collected_by_id)
    THEN
        RAISE EXCEPTION 'the secret of change % is collected', OLD.id USING ERRCODE = 'PY023';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER change_guard BEFORE INSERT OR UPDATE ON payouts_changerequest
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_change();
CREATE TRIGGER change_no_delete BEFORE DELETE ON payouts_changerequest
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER change_no_truncate BEFORE TRUNCATE ON payouts_changerequest
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
