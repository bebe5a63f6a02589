-- What our bank says; see guards.sql for the errors and settlements.sql for the pattern.

CREATE FUNCTION payouts_guard_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.name, NEW.format, NEW.sha256, NEW.size_bytes, NEW.uploaded_by_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.name, OLD.format, OLD.sha256, OLD.size_bytes, OLD.uploaded_by_id, OLD.created_at)
    THEN
        RAISE EXCEPTION 'what statement file % is cannot change', OLD.id USING ERRCODE = 'PY160';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'reading' THEN NEW.state IN ('matching', 'refused')
        WHEN 'matching' THEN NEW.state = 'comparing'
        WHEN 'comparing' THEN NEW.state IN ('waiting', 'acting')
        WHEN 'waiting' THEN NEW.state IN ('acting', 'refused') AND NEW.decided_by_id IS NOT NULL
        WHEN 'acting' THEN NEW.state = 'done'
        ELSE FALSE
    END) THEN
        RAISE EXCEPTION 'statement file % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'PY161';
    END IF;
    IF NEW.state = 'acting' AND OLD.state = 'comparing' AND NEW.uploaded_by_id IS NOT NULL
       AND EXISTS (SELECT FROM payouts_bankentry WHERE file_id = NEW.id
                   AND outcome IN ('settled', 'amount_differs', 'reference_differs')) THEN
        RAISE EXCEPTION 'statement file % wants a second person', OLD.id USING ERRCODE = 'PY162';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER statement_guard BEFORE UPDATE ON payouts_statementfile
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement();
CREATE TRIGGER statement_no_delete BEFORE DELETE ON payouts_statementfile
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER statement_no_truncate BEFORE TRUNCATE ON payouts_statementfile
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();


-- What it says is what the bank says: judged once, booked once. An entry that names nothing may be
-- recognised afterwards, while its file is compared.
CREATE FUNCTION payouts_guard_bank_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.statement_id, NEW.file_id, NEW.number, NEW.amount, NEW.booked_on,
        NEW.bank_reference, NEW.text)
       IS DISTINCT FROM
       (OLD.id, OLD.statement_id, OLD.file_id, OLD.number, OLD.amount, OLD.booked_on,
        OLD.bank_reference, OLD.text)
       OR (OLD.outcome <> '' AND OLD.outcome <> NEW.outcome
           AND NOT (OLD.outcome = 'unknown' AND NEW.outcome = 'reference_differs'))
       OR (OLD.acted_at IS NOT NULL
           AND (NEW.acted_at, NEW.outcome, NEW.journal_id, NEW.case_id, NEW.funding_id)
           IS DISTINCT FROM (OLD.acted_at, OLD.outcome, OLD.journal_id, OLD.case_id, OLD.funding_id))
    THEN
        RAISE EXCEPTION 'entry % of statement file % cannot change', OLD.number, OLD.file_id
            USING ERRCODE = 'PY163';
    END IF;
    IF NEW.journal_id IS NOT NULL AND OLD.journal_id IS NULL AND NOT EXISTS (
        SELECT FROM payouts_journal WHERE id = NEW.journal_id AND kind = 'settled') THEN
        RAISE EXCEPTION 'journal % settles nothing', NEW.journal_id USING ERRCODE = 'PY163';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER bank_entry_guard BEFORE UPDATE ON payouts_bankentry
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_bank_entry();


CREATE FUNCTION payouts_guard_statement_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a bank has said cannot change' USING ERRCODE = 'PY163';
END $$;

CREATE TRIGGER bank_statement_guard BEFORE UPDATE ON payouts_bankstatement
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_row();
CREATE TRIGGER statement_content_guard BEFORE UPDATE ON payouts_statementcontent
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_row();
CREATE TRIGGER settled_at_bank_guard BEFORE UPDATE ON payouts_settledatbank
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_row();


-- What counts stays: only of a refused file content, statements, entries and matches are deleted.
CREATE FUNCTION payouts_guard_statement_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_file uuid;
BEGIN
    IF TG_TABLE_NAME = 'payouts_settledatbank' THEN
        SELECT file_id INTO v_file FROM payouts_bankentry WHERE id = OLD.entry_id;
    ELSE
        v_file := OLD.file_id;
    END IF;
    IF NOT EXISTS (SELECT FROM payouts_statementfile WHERE id = v_file AND state = 'refused') THEN
        RAISE EXCEPTION 'statement file % counts', v_file USING ERRCODE = 'PY164';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER statement_content_delete BEFORE DELETE ON payouts_statementcontent
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_delete();
CREATE TRIGGER bank_statement_delete BEFORE DELETE ON payouts_bankstatement
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_delete();
CREATE TRIGGER bank_entry_delete BEFORE DELETE ON payouts_bankentry
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_delete();
CREATE TRIGGER settled_at_bank_delete BEFORE DELETE ON payouts_settledatbank
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_statement_delete();
CREATE TRIGGER statement_content_no_truncate BEFORE TRUNCATE ON payouts_statementcontent
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER bank_statement_no_truncate BEFORE TRUNCATE ON payouts_bankstatement
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER bank_entry_no_truncate BEFORE TRUNCATE ON payouts_bankentry
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER settled_at_bank_no_truncate BEFORE TRUNCATE ON payouts_settledatbank
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
