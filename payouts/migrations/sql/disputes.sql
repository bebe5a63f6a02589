-- What a payment says about its money beyond its status, and its cases: they always agree.

-- Whether the money of the payment moved, by its cases: nobody knows while one is open that disputes
-- it; then what was booked when one was closed; else as the status says.
CREATE FUNCTION payouts_moved_by_cases(p_payment uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT COALESCE(
        max('unknown') FILTER (WHERE state = 'open' AND disputes),
        max('yes') FILTER (WHERE way IN ('charge_partner', 'house_bears')),
        max('no') FILTER (WHERE way = 'give_back'),
        '')
    FROM payouts_case WHERE payment_id = p_payment
$$;

-- When the transaction commits: the one may be written before the other.
CREATE FUNCTION payouts_compare_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_payment uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    v_says text;
BEGIN
    SELECT moved_otherwise INTO v_says FROM payouts_payment WHERE id = v_payment;
    IF v_says IS DISTINCT FROM payouts_moved_by_cases(v_payment) THEN
        RAISE EXCEPTION 'payment % says "%" of its money, and its cases "%"', v_payment, v_says,
            payouts_moved_by_cases(v_payment) USING ERRCODE = 'PY147';
    END IF;
    RETURN NULL;
END $$;

-- What stands in cases that were opened before payments knew of them.
UPDATE payouts_case SET disputes = TRUE
WHERE state = 'open' AND kind IN ('late_answer', 'unexpected_return') AND payment_id IS NOT NULL
    AND amount > 0;
UPDATE payouts_payment SET moved_otherwise = payouts_moved_by_cases(id)
WHERE id IN (SELECT payment_id FROM payouts_case) AND payouts_moved_by_cases(id) <> '';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;

CREATE CONSTRAINT TRIGGER case_disputes_with_payment AFTER INSERT OR UPDATE ON payouts_case
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.payment_id IS NOT NULL)
    EXECUTE FUNCTION payouts_compare_dispute('payment_id');
CREATE CONSTRAINT TRIGGER payment_moved_by_cases AFTER UPDATE ON payouts_payment
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.moved_otherwise IS DISTINCT FROM OLD.moved_otherwise)
    EXECUTE FUNCTION payouts_compare_dispute('id');
CREATE CONSTRAINT TRIGGER payment_begins_undisputed AFTER INSERT ON payouts_payment
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.moved_otherwise <> '')
    EXECUTE FUNCTION payouts_compare_dispute('id');


-- As before, and whether it disputes a payment is part of what a case is about.
CREATE OR REPLACE FUNCTION payouts_guard_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'case % is closed', OLD.id USING ERRCODE = 'PY144';
    END IF;
    IF (NEW.id, NEW.kind, NEW.subject, NEW.payment_id, NEW.partner_id, NEW.title, NEW.ours,
        NEW.theirs, NEW.amount, NEW.opened_at, NEW.disputes)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.subject, OLD.payment_id, OLD.partner_id, OLD.title, OLD.ours,
        OLD.theirs, OLD.amount, OLD.opened_at, OLD.disputes) THEN
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
