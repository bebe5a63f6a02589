-- What the database itself keeps about batches. Errors carry SQLSTATE PY1xx.

CREATE FUNCTION payouts_guard_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.partner_id, NEW.uploaded_by_id, NEW.name, NEW.file_name, NEW.file_bytes,
        NEW.file_digest, NEW.request_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.partner_id, OLD.uploaded_by_id, OLD.name, OLD.file_name, OLD.file_bytes,
        OLD.file_digest, OLD.request_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what batch % is cannot change', OLD.id USING ERRCODE = 'PY101';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'reading' THEN NEW.state IN ('checking', 'refused', 'withdrawn')
        WHEN 'checking' THEN NEW.state IN ('ready', 'withdrawn')
        WHEN 'ready' THEN NEW.state IN ('checking', 'issuing', 'withdrawn')
        WHEN 'issuing' THEN NEW.state IN ('issued', 'withdrawn')
        ELSE FALSE END) THEN
        RAISE EXCEPTION 'no batch goes from % to %', OLD.state, NEW.state USING ERRCODE = 'PY102';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER batch_guard BEFORE UPDATE ON payouts_batch
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_batch();

-- A line keeps what the file said; its payment is set once and never changed.
CREATE FUNCTION payouts_guard_batch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.batch_id, NEW.line, NEW.cells) IS DISTINCT FROM
       (OLD.id, OLD.batch_id, OLD.line, OLD.cells) THEN
        RAISE EXCEPTION 'line % says what it says', OLD.line USING ERRCODE = 'PY103';
    END IF;
    IF OLD.state IN ('issued', 'refused') THEN
        RAISE EXCEPTION 'line % has ended as %', OLD.line, OLD.state USING ERRCODE = 'PY104';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER batch_row_guard BEFORE UPDATE ON payouts_batchrow
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_batch_row();

CREATE FUNCTION payouts_guard_batch_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.batch_id, NEW.kind, NEW.user_id, NEW.reason, NEW.pushes, NEW.digest,
        NEW.ip_address, NEW.agent, NEW.request_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.batch_id, OLD.kind, OLD.user_id, OLD.reason, OLD.pushes, OLD.digest,
        OLD.ip_address, OLD.agent, OLD.request_id, OLD.created_at)
       OR sha256(NEW.marks) <> OLD.digest THEN
        RAISE EXCEPTION 'an order is written once' USING ERRCODE = 'PY105';
    END IF;
    IF NEW.seen_to < OLD.seen_to OR OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'an order only goes on' USING ERRCODE = 'PY105';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER batch_order_guard BEFORE UPDATE ON payouts_batchorder
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_batch_order();

ALTER TABLE payouts_batchorder
    ADD CONSTRAINT batch_order_digest_of_marks CHECK (sha256(marks) = digest);

CREATE TRIGGER batch_no_delete BEFORE DELETE ON payouts_batch
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER batch_no_truncate BEFORE TRUNCATE ON payouts_batch
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER batch_row_no_delete BEFORE DELETE ON payouts_batchrow
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER batch_row_no_truncate BEFORE TRUNCATE ON payouts_batchrow
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER batch_order_no_delete BEFORE DELETE ON payouts_batchorder
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER batch_order_no_truncate BEFORE TRUNCATE ON payouts_batchorder
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

-- Counts and sums per batch and state, kept with the lines that they count.
CREATE FUNCTION payouts_batch_tally(p_batch uuid, p_state text, p_rows integer, p_warned integer,
                                    p_amount numeric, p_fee numeric) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO payouts_batchtally AS t (batch_id, state, rows, warned, amount, fee_amount)
    VALUES (p_batch, p_state, p_rows, p_warned, p_amount, p_fee)
    ON CONFLICT (batch_id, state) DO UPDATE
    SET rows = t.rows + excluded.rows, warned = t.warned + excluded.warned,
        amount = t.amount + excluded.amount, fee_amount = t.fee_amount + excluded.fee_amount;
$$;

CREATE FUNCTION payouts_batch_tally_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM payouts_batch_tally(batch_id, state, rows, warned, amount, fee) FROM (
        SELECT batch_id, state, count(*)::integer AS rows,
               (count(*) FILTER (WHERE has_warning))::integer AS warned,
               COALESCE(sum(amount), 0) AS amount, COALESCE(sum(fee_amount), 0) AS fee
        FROM inserted GROUP BY batch_id, state ORDER BY batch_id, state
    ) AS counted;
    RETURN NULL;
END $$;

CREATE FUNCTION payouts_batch_tally_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM payouts_batch_tally(batch_id, state, rows, warned, amount, fee) FROM (
        SELECT batch_id, state, sum(n)::integer AS rows,
               COALESCE(sum(n) FILTER (WHERE has_warning), 0)::integer AS warned,
               COALESCE(sum(n * amount), 0) AS amount, COALESCE(sum(n * fee_amount), 0) AS fee
        FROM (
            SELECT -1 AS n, batch_id, state, has_warning, amount, fee_amount FROM removed
            UNION ALL
            SELECT 1, batch_id, state, has_warning, amount, fee_amount FROM inserted
        ) AS moves GROUP BY batch_id, state ORDER BY batch_id, state
    ) AS counted WHERE (rows, warned, amount, fee) <> (0, 0, 0, 0);
    RETURN NULL;
END $$;

CREATE TRIGGER batch_row_tally_insert AFTER INSERT ON payouts_batchrow
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_batch_tally_insert();
CREATE TRIGGER batch_row_tally_update AFTER UPDATE ON payouts_batchrow
    REFERENCING OLD TABLE AS removed NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_batch_tally_update();
