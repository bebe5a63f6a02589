-- What may have left stands in the attempt as it left: sent again, it has to be the same.
CREATE OR REPLACE FUNCTION payouts_guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.payment_id, NEW.network, NEW.acquiring_bin, NEW.retrieval_reference_number,
        NEW.trace_number, NEW.card_acceptor_id, NEW.terminal_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.payment_id, OLD.network, OLD.acquiring_bin, OLD.retrieval_reference_number,
        OLD.trace_number, OLD.card_acceptor_id, OLD.terminal_id, OLD.created_at) THEN
        RAISE EXCEPTION 'the network identity of payment % cannot change', OLD.payment_id
            USING ERRCODE = 'PY005';
    END IF;
    IF OLD.expiration_year > 0 AND OLD.unknown_reason <> ''
       AND (NEW.recipient_name, NEW.expiration_month, NEW.expiration_year)
       IS DISTINCT FROM (OLD.recipient_name, OLD.expiration_month, OLD.expiration_year) THEN
        RAISE EXCEPTION 'what was sent of payment % cannot change', OLD.payment_id
            USING ERRCODE = 'PY005';
    END IF;
    IF NEW.times_sent < OLD.times_sent THEN
        RAISE EXCEPTION 'attempt of payment % forgets that it was sent', OLD.payment_id
            USING ERRCODE = 'PY005';
    END IF;
    RETURN NEW;
END $$;
