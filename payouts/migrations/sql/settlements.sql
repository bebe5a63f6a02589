-- What networks say that they have settled; see guards.sql for the errors.

-- What a file says cannot change, and it goes forward only. Of a refused one nothing counts.
CREATE FUNCTION payouts_guard_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.name, NEW.network, NEW.reference, NEW.acquiring_bin, NEW.card_acceptor_id,
        NEW.begins_at, NEW.ends_at, NEW.made_at, NEW.currency, NEW.lines, NEW.credits, NEW.credited,
        NEW.returns, NEW.returned, NEW.sha256, NEW.size_bytes, NEW.pieces, NEW.uploaded_by_id,
        NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.name, OLD.network, OLD.reference, OLD.acquiring_bin, OLD.card_acceptor_id,
        OLD.begins_at, OLD.ends_at, OLD.made_at, OLD.currency, OLD.lines, OLD.credits, OLD.credited,
        OLD.returns, OLD.returned, OLD.sha256, OLD.size_bytes, OLD.pieces, OLD.uploaded_by_id,
        OLD.created_at) THEN
        RAISE EXCEPTION 'what settlement file % says cannot change', OLD.id USING ERRCODE = 'PY150';
    END IF;
    IF NEW.state <> OLD.state AND NOT (CASE OLD.state
        WHEN 'reading' THEN NEW.state IN ('matching', 'refused')
        WHEN 'matching' THEN NEW.state = 'comparing'
        WHEN 'comparing' THEN NEW.state IN ('waiting', 'acting')
        WHEN 'waiting' THEN NEW.state IN ('acting', 'refused') AND NEW.decided_by_id IS NOT NULL
        WHEN 'acting' THEN NEW.state = 'done'
        ELSE FALSE
    END) THEN
        RAISE EXCEPTION 'settlement file % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'PY151';
    END IF;
    IF NEW.state = 'acting' AND OLD.state = 'comparing' AND NEW.uploaded_by_id IS NOT NULL
       AND EXISTS (SELECT FROM payouts_settlementfinding
                   WHERE file_id = NEW.id AND outcome IN ('resolves', 'returned')) THEN
        RAISE EXCEPTION 'settlement file % wants a second person', OLD.id USING ERRCODE = 'PY152';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER settlement_guard BEFORE UPDATE ON payouts_settlementfile
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_settlement();
CREATE TRIGGER settlement_no_delete BEFORE DELETE ON payouts_settlementfile
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER settlement_no_truncate BEFORE TRUNCATE ON payouts_settlementfile
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_guard_settlement_piece() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a piece of settlement file % cannot change', OLD.file_id
        USING ERRCODE = 'PY153';
END $$;

CREATE TRIGGER settlement_piece_guard BEFORE UPDATE ON payouts_settlementpiece
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_settlement_piece();


-- A line is judged once; what it says is what the file says.
CREATE FUNCTION payouts_guard_settlement_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.outcome <> '' AND NOT (OLD.outcome = 'missing_here' AND NEW.outcome = 'identity_differs'))
       OR (NEW.file_id, NEW.number, NEW.kind, NEW.acquiring_bin, NEW.trace_number,
        NEW.retrieval_reference_number, NEW.card_acceptor_id, NEW.terminal_id, NEW.transaction_id,
        NEW.status_identifier, NEW.amount, NEW.currency, NEW.settled_on, NEW.card_last4)
       IS DISTINCT FROM
       (OLD.file_id, OLD.number, OLD.kind, OLD.acquiring_bin, OLD.trace_number,
        OLD.retrieval_reference_number, OLD.card_acceptor_id, OLD.terminal_id, OLD.transaction_id,
        OLD.status_identifier, OLD.amount, OLD.currency, OLD.settled_on, OLD.card_last4) THEN
        RAISE EXCEPTION 'line % of settlement file % cannot change', OLD.number, OLD.file_id
            USING ERRCODE = 'PY153';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER settlement_line_guard BEFORE UPDATE ON payouts_settlementline
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_settlement_line();


-- What counts stays: only of a refused file pieces, lines and findings are deleted.
CREATE FUNCTION payouts_guard_settlement_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_file uuid;
BEGIN
    SELECT f.id INTO v_file FROM removed JOIN payouts_settlementfile f ON f.id = removed.file_id
    WHERE f.state <> 'refused' AND NOT (TG_TABLE_NAME = 'payouts_settlementfinding'
                                        AND f.state = 'comparing')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'settlement file % counts', v_file USING ERRCODE = 'PY154';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER settlement_piece_delete AFTER DELETE ON payouts_settlementpiece
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_guard_settlement_delete();
CREATE TRIGGER settlement_line_delete AFTER DELETE ON payouts_settlementline
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_guard_settlement_delete();
CREATE TRIGGER settlement_finding_delete AFTER DELETE ON payouts_settlementfinding
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_guard_settlement_delete();
CREATE TRIGGER settlement_piece_no_truncate BEFORE TRUNCATE ON payouts_settlementpiece
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER settlement_line_no_truncate BEFORE TRUNCATE ON payouts_settlementline
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER settlement_finding_no_truncate BEFORE TRUNCATE ON payouts_settlementfinding
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
