-- Signatures are written once, like the decisions under which they stand; see guards.sql.
CREATE TRIGGER decision_signature_append_only BEFORE UPDATE OR DELETE ON payouts_decisionsignature
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER decision_signature_no_truncate BEFORE TRUNCATE ON payouts_decisionsignature
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

-- What was signed is what stands there.
ALTER TABLE payouts_decisionsignature
    ADD CONSTRAINT signature_of_its_statement
        CHECK (sha256(convert_to(statement, 'UTF8')) = challenge),
    ADD CONSTRAINT signature_of_its_marks
        CHECK (octet_length(marks) % 48 = 0 AND octet_length(marks) > 0
            AND right(statement, 64) = encode(sha256(marks), 'hex'));

-- A signed decision is one of those that this person has signed; whoever has a passkey signs.
CREATE FUNCTION payouts_guard_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.signature_id IS NULL THEN
        IF EXISTS (SELECT 1 FROM mfa_authenticator
                   WHERE user_id = NEW.user_id AND type = 'webauthn') THEN
            RAISE EXCEPTION 'whoever has a passkey signs decisions' USING ERRCODE = 'PY120';
        END IF;
    ELSIF NOT EXISTS (
        SELECT 1 FROM payouts_decisionsignature s
        WHERE s.id = NEW.signature_id AND s.user_id = NEW.user_id AND s.verdict = NEW.verdict
            AND s.reason = NEW.reason
            AND substring(s.marks FROM NEW.place * 48 + 1 FOR 48)
                = uuid_send(NEW.payment_id) || NEW.digest
    ) THEN
        RAISE EXCEPTION 'this decision was not signed' USING ERRCODE = 'PY121';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER decision_signature_guard BEFORE INSERT ON payouts_decision
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_signature();

-- How the person showed who it is belongs to an order like what was ordered.
CREATE FUNCTION payouts_guard_order_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.signature_id, NEW.factor_shown_at) IS DISTINCT FROM
       (OLD.signature_id, OLD.factor_shown_at) THEN
        RAISE EXCEPTION 'an order is written once' USING ERRCODE = 'PY105';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER batch_order_proof_guard BEFORE UPDATE ON payouts_batchorder
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_order_proof();
