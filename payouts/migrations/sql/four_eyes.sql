-- Four eyes, anew: whoever changed the consumer last does not decide either.
CREATE OR REPLACE FUNCTION payouts_guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
    v_expires_at timestamptz;
    v_maker integer;
    v_editor integer;
    v_consumer_editor integer;
BEGIN
    SELECT p.status, p.approval_expires_at, p.maker_user_id, c.edited_by_user_id, o.edited_by_user_id
    INTO v_status, v_expires_at, v_maker, v_editor, v_consumer_editor
    FROM payouts_payment p
    JOIN consumers_paymentcard c ON c.id = p.card_id
    JOIN consumers_consumer o ON o.id = p.consumer_id
    WHERE p.id = NEW.payment_id FOR NO KEY UPDATE OF p;
    IF v_status IS DISTINCT FROM 'pending_approval' OR v_expires_at <= now() THEN
        RAISE EXCEPTION 'payment % does not wait for decisions', NEW.payment_id
            USING ERRCODE = 'PY006';
    END IF;
    IF NEW.user_id = v_maker THEN
        RAISE EXCEPTION 'the maker of payment % cannot decide about it', NEW.payment_id
            USING ERRCODE = 'PY007';
    END IF;
    IF NEW.user_id = v_editor THEN
        RAISE EXCEPTION 'the last editor of the card of payment % cannot decide about it',
            NEW.payment_id USING ERRCODE = 'PY008';
    END IF;
    IF NEW.user_id = v_consumer_editor THEN
        RAISE EXCEPTION 'the last editor of the consumer of payment % cannot decide about it',
            NEW.payment_id USING ERRCODE = 'PY011';
    END IF;
    RETURN NEW;
END $$;
