-- As before, and the card's network and last four belong to what a payment asks for.
CREATE OR REPLACE FUNCTION payouts_guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('pending', 'pending_approval') THEN
            RAISE EXCEPTION 'a payment cannot begin as %', NEW.status USING ERRCODE = 'PY002';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.partner_id, NEW.consumer_id, NEW.card_id, NEW.card_network, NEW.card_last4,
        NEW.amount, NEW.fee_amount, NEW.description, NEW.reference, NEW.metadata, NEW.source,
        NEW.maker_client_id, NEW.maker_user_id, NEW.request_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.partner_id, OLD.consumer_id, OLD.card_id, OLD.card_network, OLD.card_last4,
        OLD.amount, OLD.fee_amount, OLD.description, OLD.reference, OLD.metadata, OLD.source,
        OLD.maker_client_id, OLD.maker_user_id, OLD.request_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what payment % asks for cannot change', OLD.id USING ERRCODE = 'PY003';
    END IF;
    IF NEW.version NOT IN (OLD.version, OLD.version + 1) THEN
        RAISE EXCEPTION 'payment % skips an event', OLD.id USING ERRCODE = 'PY004';
    END IF;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    IF NEW.version = OLD.version THEN
        RAISE EXCEPTION 'payment % changes its status without an event', OLD.id
            USING ERRCODE = 'PY004';
    END IF;
    IF NOT (CASE OLD.status
        WHEN 'pending_approval' THEN NEW.status IN ('pending', 'rejected', 'canceled', 'expired')
        WHEN 'pending' THEN NEW.status IN ('submitted', 'canceled', 'failed')
        WHEN 'submitted' THEN NEW.status IN ('completed', 'failed', 'unknown', 'pending')
        WHEN 'unknown' THEN NEW.status IN ('completed', 'failed', 'submitted')
        WHEN 'completed' THEN NEW.status = 'returned'
        ELSE FALSE
    END) THEN
        RAISE EXCEPTION 'payment % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'PY002';
    END IF;
    RETURN NEW;
END $$;
