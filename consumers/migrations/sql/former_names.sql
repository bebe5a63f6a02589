-- What consumers and cards were named until somebody renamed them, whoever did it and by whatever way.
-- The clock is read, because the transaction may be older than the push that it meets; whoever renames
-- holds the row, so the rows of one subject are numbered in the order of what happened.
CREATE FUNCTION consumers_keep_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consumers_formername (subject_id, was, until)
    VALUES (
        NEW.id,
        CASE TG_TABLE_NAME
            WHEN 'consumers_consumer' THEN jsonb_build_object(
                'first_name', to_jsonb(OLD) -> 'first_name',
                'last_name', to_jsonb(OLD) -> 'last_name',
                'pcid', to_jsonb(OLD) -> 'pcid'
            )
            ELSE jsonb_build_object('cardholder_name', to_jsonb(OLD) -> 'cardholder_name')
        END,
        clock_timestamp()
    );
    RETURN NULL;
END $$;

CREATE TRIGGER consumer_former_name AFTER UPDATE OF first_name, last_name, pcid ON consumers_consumer
    FOR EACH ROW WHEN (
        (OLD.first_name, OLD.last_name, OLD.pcid)
        IS DISTINCT FROM (NEW.first_name, NEW.last_name, NEW.pcid)
    ) EXECUTE FUNCTION consumers_keep_name();
CREATE TRIGGER card_former_name AFTER UPDATE OF cardholder_name ON consumers_paymentcard
    FOR EACH ROW WHEN (OLD.cardholder_name IS DISTINCT FROM NEW.cardholder_name)
    EXECUTE FUNCTION consumers_keep_name();

-- What was renamed before is told by the audit trail, which has of each change what it changed.
INSERT INTO consumers_formername (subject_id, was, until)
SELECT told.subject_id, told.was, told.created_at
FROM (
    SELECT entry.id, entry.subject_id::uuid, entry.created_at, (
        SELECT jsonb_object_agg(key, value) FROM jsonb_each(entry.before)
        WHERE key IN ('first_name', 'last_name', 'pcid', 'cardholder_name')
    ) AS was
    FROM consumers_auditentry entry
    WHERE entry.verb = 'change' AND entry.result = 'done'
      AND entry.subject_type IN ('consumers.consumer', 'consumers.paymentcard')
) told
WHERE told.was IS NOT NULL
ORDER BY told.id;
