-- The life of a change is written once, like every history; see guards.sql for the errors.

-- What a change was at one of its steps: how it was proposed, how it ended, or all of it. The list
-- of columns is that of payouts/audit/changes.py, and a test compares.
CREATE FUNCTION payouts_change_digest(c payouts_changerequest, p_kind text)
RETURNS bytea LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_kind <> 'collected' THEN
        c.collected_by_id := NULL;
        c.collected_at := NULL;
    END IF;
    IF p_kind = 'proposed' THEN
        c.state := 'proposed';
        c.is_alone := FALSE;
        c.decided_by_id := NULL;
        c.decided_at := NULL;
        c.decision_reason := '';
        c.signature_id := NULL;
        c.result := '';
    END IF;
    RETURN sha256(record_send(ROW(
        c.id, c.kind, c.partner_id, c.subject, c.label, c.concerns_user_id, c.before, c.after,
        c.digest, c.reason, c.proposed_by_id, c.proposed_at, c.expires_at, c.state, c.is_alone,
        c.decided_by_id, c.decided_at, c.decision_reason, c.signature_id, c.result,
        c.collected_by_id, c.collected_at)));
END $$;

CREATE FUNCTION payouts_write_change_event(c payouts_changerequest, p_kind text, p_user integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payouts_changeevent
        (change_id, number, kind, user_id, format, row_digest, created_at)
    VALUES (c.id, (SELECT count(*) + 1 FROM payouts_changeevent WHERE change_id = c.id), p_kind,
        p_user, 1, payouts_change_digest(c, p_kind), clock_timestamp());
END $$;

CREATE FUNCTION payouts_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM payouts_write_change_event(NEW, 'proposed', NEW.proposed_by_id);
        RETURN NULL;
    END IF;
    IF NEW.state <> OLD.state THEN
        PERFORM payouts_write_change_event(NEW, NEW.state, NEW.decided_by_id);
    END IF;
    IF NEW.collected_at IS NOT NULL AND OLD.collected_at IS NULL THEN
        PERFORM payouts_write_change_event(NEW, 'collected', NEW.collected_by_id);
    END IF;
    RETURN NULL;
END $$;

-- What is there already gets the events that it had.
SELECT payouts_write_change_event(c, 'proposed', c.proposed_by_id)
FROM payouts_changerequest c ORDER BY c.id;
SELECT payouts_write_change_event(c, c.state, c.decided_by_id)
FROM payouts_changerequest c WHERE c.state <> 'proposed' ORDER BY c.id;
SELECT payouts_write_change_event(c, 'collected', c.collected_by_id)
FROM payouts_changerequest c WHERE c.collected_at IS NOT NULL ORDER BY c.id;

CREATE TRIGGER change_event AFTER INSERT OR UPDATE ON payouts_changerequest
    FOR EACH ROW EXECUTE FUNCTION payouts_note_change();
CREATE TRIGGER change_event_append_only BEFORE UPDATE OR DELETE ON payouts_changeevent
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER change_event_no_truncate BEFORE TRUNCATE ON payouts_changeevent
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();


-- A change, anew: nothing of how it ends stands there before it ends, and all of it then.
CREATE OR REPLACE FUNCTION payouts_guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'proposed' AND
       (NEW.is_alone, NEW.decided_by_id, NEW.decided_at, NEW.decision_reason, NEW.signature_id,
        NEW.result)
       IS DISTINCT FROM (FALSE, NULL::integer, NULL::timestamptz, '', NULL::bigint, '') THEN
        RAISE EXCEPTION 'change % is not decided', NEW.id USING ERRCODE = 'PY022';
    END IF;
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
       (NEW.state, NEW.decided_by_id, NEW.decided_at, NEW.decision_reason, NEW.is_alone,
        NEW.signature_id, NEW.result)
       IS DISTINCT FROM
       (OLD.state, OLD.decided_by_id, OLD.decided_at, OLD.decision_reason, OLD.is_alone,
        OLD.signature_id, OLD.result)
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

-- Whoever has a passkey signs what they decide, and what was signed is this decision.
CREATE FUNCTION payouts_guard_change_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.signature_id IS NULL THEN
        IF NEW.state IN ('applied', 'rejected') AND EXISTS (
            SELECT FROM mfa_authenticator
            WHERE user_id = NEW.decided_by_id AND type = 'webauthn'
        ) THEN
            RAISE EXCEPTION 'whoever has a passkey signs decisions' USING ERRCODE = 'PY120';
        END IF;
    ELSIF NOT EXISTS (
        SELECT FROM payouts_decisionsignature s
        WHERE s.id = NEW.signature_id AND s.user_id = NEW.decided_by_id
            AND s.verdict = CASE NEW.state WHEN 'applied' THEN 'approve'
                                           WHEN 'rejected' THEN 'reject' END
            AND s.reason = NEW.decision_reason
            AND s.marks = uuid_send(NEW.id) || NEW.digest
    ) THEN
        RAISE EXCEPTION 'this decision was not signed' USING ERRCODE = 'PY121';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER change_signature_guard BEFORE UPDATE ON payouts_changerequest
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION payouts_guard_change_signature();
