-- Edits are written once, like every history; see guards.sql.
CREATE TRIGGER edit_append_only BEFORE UPDATE OR DELETE ON consumers_edit
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER edit_no_truncate BEFORE TRUNCATE ON consumers_edit
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();


-- The SHA-256 of what a decision is about: payouts.approvals.subject_digest, and a test compares.
CREATE FUNCTION payouts_subject_digest(
    payment_id uuid, consumer_id uuid, first_name text, last_name text, card_id uuid,
    fingerprint bytea, cardholder_name text, amount numeric, fee_amount numeric
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(concat_ws(E'\n',
        'payouts push 1',
        'payment ' || payment_id::text,
        'consumer ' || consumer_id::text,
        'first name ' || encode(convert_to(first_name, 'UTF8'), 'hex'),
        'last name ' || encode(convert_to(last_name, 'UTF8'), 'hex'),
        'card ' || card_id::text,
        'fingerprint ' || encode(fingerprint, 'hex'),
        'cardholder ' || encode(convert_to(cardholder_name, 'UTF8'), 'hex'),
        'amount ' || round(amount, 2)::text,
        'fee ' || round(fee_amount, 2)::text
    ), 'UTF8'))
$$;


-- Four eyes, anew: a decision is about what is there, and whoever edited card or consumer since the
-- push was made does not decide either, also when somebody else edited them later.
CREATE OR REPLACE FUNCTION payouts_guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_payment payouts_payment;
    v_card consumers_paymentcard;
    v_consumer consumers_consumer;
BEGIN
    SELECT * INTO v_payment FROM payouts_payment WHERE id = NEW.payment_id FOR NO KEY UPDATE;
    IF v_payment.status IS DISTINCT FROM 'pending_approval'
       OR v_payment.approval_expires_at <= now() THEN
        RAISE EXCEPTION 'payment % does not wait for decisions', NEW.payment_id
            USING ERRCODE = 'PY006';
    END IF;
    IF NEW.user_id = v_payment.maker_user_id THEN
        RAISE EXCEPTION 'the maker of payment % cannot decide about it', NEW.payment_id
            USING ERRCODE = 'PY007';
    END IF;
    SELECT * INTO v_card FROM consumers_paymentcard WHERE id = v_payment.card_id;
    IF NEW.user_id = v_card.edited_by_user_id OR EXISTS (
        SELECT FROM consumers_edit WHERE subject_id = v_card.id AND user_id = NEW.user_id
            AND edited_at >= v_payment.created_at
    ) THEN
        RAISE EXCEPTION 'an editor of the card of payment % cannot decide about it',
            NEW.payment_id USING ERRCODE = 'PY008';
    END IF;
    SELECT * INTO v_consumer FROM consumers_consumer WHERE id = v_payment.consumer_id;
    IF NEW.user_id = v_consumer.edited_by_user_id OR EXISTS (
        SELECT FROM consumers_edit WHERE subject_id = v_consumer.id AND user_id = NEW.user_id
            AND edited_at >= v_payment.created_at
    ) THEN
        RAISE EXCEPTION 'an editor of the consumer of payment % cannot decide about it',
            NEW.payment_id USING ERRCODE = 'PY011';
    END IF;
    IF NEW.digest IS DISTINCT FROM payouts_subject_digest(
        v_payment.id, v_consumer.id, v_consumer.first_name, v_consumer.last_name, v_card.id,
        v_card.fingerprint, v_card.cardholder_name, v_payment.amount, v_payment.fee_amount
    ) THEN
        RAISE EXCEPTION 'the decision about payment % is about something else', NEW.payment_id
            USING ERRCODE = 'PY012';
    END IF;
    RETURN NEW;
END $$;
