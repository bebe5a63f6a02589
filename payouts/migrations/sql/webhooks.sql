-- Events are written once, in their sources and in their order; see guards.sql.
CREATE TRIGGER partner_event_append_only BEFORE UPDATE OR DELETE ON consumers_partnerevent
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER partner_event_no_truncate BEFORE TRUNCATE ON consumers_partnerevent
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER outbox_append_only BEFORE UPDATE OR DELETE ON payouts_outboxevent
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER outbox_no_truncate BEFORE TRUNCATE ON payouts_outboxevent
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER webhook_no_delete BEFORE DELETE ON payouts_webhookendpoint
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();


-- What is told stays told: a position is given once and the cursor only goes up.
CREATE FUNCTION payouts_guard_outbox_cursor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_position < OLD.last_position
       OR NEW.last_payment_event_id < OLD.last_payment_event_id
       OR NEW.last_partner_event_id < OLD.last_partner_event_id THEN
        RAISE EXCEPTION 'the cursor of the outbox goes up only' USING ERRCODE = 'PY001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER outbox_cursor_guard BEFORE UPDATE ON payouts_outboxcursor
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_outbox_cursor();


-- What was delivered or parked is history: only a replay, which begins anew, makes it due again.
-- Rows of deliveries are rewritten a few times each.
ALTER TABLE payouts_delivery SET (fillfactor = 80);
