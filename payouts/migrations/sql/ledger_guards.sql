-- Closes the ways around the ledger that were left: see guards.sql for the rest.

-- As before, and every INSERT carries *whole* journals: a journal that has lines gets no more. Lines of
-- another transaction cannot be there yet, because nobody sees its journal.
CREATE OR REPLACE FUNCTION payouts_apply_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_journal bigint;
    v_amount numeric;
    r record;
BEGIN
    SELECT journal_id, sum(amount) INTO v_journal, v_amount FROM inserted
    GROUP BY journal_id
    HAVING sum(amount) <> 0 OR count(*) <> (
        SELECT count(*) FROM payouts_posting p WHERE p.journal_id = inserted.journal_id)
    LIMIT 1;
    IF v_amount <> 0 THEN
        RAISE EXCEPTION 'journal % does not balance', v_journal USING ERRCODE = 'PY009';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'journal % is written already', v_journal USING ERRCODE = 'PY030';
    END IF;
    FOR r IN
        SELECT account_id, part, sum(amount) AS amount FROM inserted
        GROUP BY account_id, part ORDER BY account_id, part
    LOOP
        UPDATE payouts_accountpart SET balance = balance + r.amount
        WHERE account_id = r.account_id AND part = r.part;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'account % has no part %', r.account_id, r.part
                USING ERRCODE = 'PY010';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;


-- A journal is committed with its lines, or not at all; and as a line is never zero, with two or more.
CREATE FUNCTION payouts_require_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM payouts_posting WHERE journal_id = NEW.id) THEN
        RAISE EXCEPTION 'journal % has no postings', NEW.id USING ERRCODE = 'PY031';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER journal_has_postings AFTER INSERT ON payouts_journal
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payouts_require_postings();


-- Balances move by postings, inside their trigger. Whatever else touches them may only move an
-- account's money and bound between its parts, as payouts_gather does.
CREATE FUNCTION payouts_guard_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT account_id, balance, max_debit, 1 AS one FROM inserted
            UNION ALL
            SELECT account_id, -balance, -max_debit, -1 FROM removed
        ) AS moved
        GROUP BY account_id
        HAVING sum(balance) <> 0 OR sum(one) <> 0 OR COALESCE(sum(max_debit), 0) <> 0
            OR sum(one) FILTER (WHERE max_debit IS NULL) <> 0
    ) THEN
        RAISE EXCEPTION 'a balance moves by postings only' USING ERRCODE = 'PY032';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER account_part_guard AFTER UPDATE ON payouts_accountpart
    REFERENCING OLD TABLE AS removed NEW TABLE AS inserted
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION payouts_guard_balances();

-- Parts come with their account and stay with it.
CREATE TRIGGER account_part_by_account BEFORE INSERT ON payouts_accountpart
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER account_part_no_delete BEFORE DELETE ON payouts_accountpart
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER account_part_no_truncate BEFORE TRUNCATE ON payouts_accountpart
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
