-- A text without accents: consumers.plain_words, and a test compares. Most texts are ASCII and stay as
-- they are.
CREATE FUNCTION consumers_plain_words(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(said) = length(said) THEN said ELSE normalize(
        replace(replace(replace(replace(replace(replace(replace(replace(
            translate(
                regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]', '', 'g'),
                'ØøŁłĐđĦħŦŧÐðı', 'OoLlDdHhTtDdi'
            ),
            'ß', 'ss'), 'ẞ', 'SS'), 'Æ', 'AE'), 'æ', 'ae'),
            'Œ', 'OE'), 'œ', 'oe'), 'Þ', 'TH'), 'þ', 'th'),
        NFKC
    ) END
$$;

-- Keeps every stored word as it is, and takes a moment; the words of those whose names have accents are
-- written anew by the next migration.
ALTER TABLE consumers_consumer ALTER COLUMN search_vector DROP EXPRESSION;

CREATE FUNCTION consumers_write_search_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_vector := to_tsvector('simple', consumers_plain_words(
        concat_ws(' ', NEW.first_name, NEW.last_name, NEW.email, NEW.pcid)
    ));
    RETURN NEW;
END $$;

CREATE TRIGGER consumer_search_words
    BEFORE INSERT OR UPDATE OF first_name, last_name, email, pcid, search_vector
    ON consumers_consumer FOR EACH ROW EXECUTE FUNCTION consumers_write_search_words();
-- Also while other triggers sleep: a row without its words is found by nobody.
ALTER TABLE consumers_consumer ENABLE ALWAYS TRIGGER consumer_search_words;
