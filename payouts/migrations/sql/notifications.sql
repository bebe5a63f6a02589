-- What networks post is kept as it came; see guards.sql for the errors.

-- Only its sealing moves, with the vault's keys, and what came of it, once.
CREATE FUNCTION payouts_guard_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.network, NEW.is_genuine, NEW.size_bytes, NEW.sha256, NEW.received_at)
       IS DISTINCT FROM
       (OLD.id, OLD.network, OLD.is_genuine, OLD.size_bytes, OLD.sha256, OLD.received_at)
       OR NEW.times_received < OLD.times_received THEN
        RAISE EXCEPTION 'notification % cannot change', OLD.id USING ERRCODE = 'PY150';
    END IF;
    IF OLD.used_at IS NOT NULL
       AND (NEW.used_at, NEW.meaning, NEW.came_to, NEW.payment_id)
           IS DISTINCT FROM (OLD.used_at, OLD.meaning, OLD.came_to, OLD.payment_id) THEN
        RAISE EXCEPTION 'notification % is used already', OLD.id USING ERRCODE = 'PY151';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER notification_guard BEFORE UPDATE ON payouts_networknotification
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_notification();

-- What nobody has signed is no evidence, and would be a way to fill the disk.
CREATE FUNCTION payouts_keep_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'notification % stays', OLD.id USING ERRCODE = 'PY152';
END $$;

CREATE TRIGGER notification_stays BEFORE DELETE ON payouts_networknotification
    FOR EACH ROW WHEN (OLD.is_genuine OR OLD.received_at > now() - interval '7 days')
    EXECUTE FUNCTION payouts_keep_notification();
CREATE TRIGGER notification_no_truncate BEFORE TRUNCATE ON payouts_networknotification
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
