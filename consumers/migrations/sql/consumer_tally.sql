-- How many consumers each partner has, kept with the rows themselves. In parts, so that those who
-- register people at the same time do not queue up for one row.
CREATE FUNCTION consumers_tally() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_part integer := floor(random() * 16);
BEGIN
    INSERT INTO consumers_consumertally AS kept (partner_id, part, consumers)
    SELECT partner_id, v_part, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
    FROM changed GROUP BY partner_id ORDER BY partner_id
    ON CONFLICT (partner_id, part) DO UPDATE SET consumers = kept.consumers + excluded.consumers;
    RETURN NULL;
END $$;

CREATE TRIGGER consumer_tally_insert AFTER INSERT ON consumers_consumer
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION consumers_tally();
CREATE TRIGGER consumer_tally_delete AFTER DELETE ON consumers_consumer
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION consumers_tally();
-- Also where a bulk load has put the other triggers to sleep: nothing else would count its rows.
ALTER TABLE consumers_consumer ENABLE ALWAYS TRIGGER consumer_tally_insert;
ALTER TABLE consumers_consumer ENABLE ALWAYS TRIGGER consumer_tally_delete;

INSERT INTO consumers_consumertally (partner_id, part, consumers)
SELECT partner_id, 0, count(*) FROM consumers_consumer GROUP BY partner_id;
