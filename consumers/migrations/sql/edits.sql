-- Every edit by staff, kept with the row that it changes. The column is named in an UPDATE whenever a
-- person is behind it, also when it is the same person as before; the clock is read, because the
-- transaction may be older than the push that it meets.
CREATE FUNCTION consumers_note_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consumers_edit (subject_id, user_id, edited_at)
    VALUES (NEW.id, NEW.edited_by_user_id, clock_timestamp());
    RETURN NULL;
END $$;

CREATE TRIGGER consumer_edit AFTER INSERT OR UPDATE OF edited_by_user_id ON consumers_consumer
    FOR EACH ROW WHEN (NEW.edited_by_user_id IS NOT NULL) EXECUTE FUNCTION consumers_note_edit();
CREATE TRIGGER card_edit AFTER INSERT OR UPDATE OF edited_by_user_id ON consumers_paymentcard
    FOR EACH ROW WHEN (NEW.edited_by_user_id IS NOT NULL) EXECUTE FUNCTION consumers_note_edit();

INSERT INTO consumers_edit (subject_id, user_id, edited_at)
SELECT id, edited_by_user_id, updated_at FROM consumers_consumer
WHERE edited_by_user_id IS NOT NULL
UNION ALL
SELECT id, edited_by_user_id, updated_at FROM consumers_paymentcard
WHERE edited_by_user_id IS NOT NULL;
