-- What the database itself keeps, whatever the way in. Errors of these guards carry SQLSTATE PY0xx.

-- A payment names its card, consumer and partner together: one key proves that they belong together.
ALTER TABLE payouts_payment
    ADD CONSTRAINT payment_card_fk FOREIGN KEY (card_id, consumer_id, partner_id)
    REFERENCES consumers_paymentcard (id, consumer_id, partner_id);

-- The newest event of a payment is the one that its version counts: a change of status cannot be
-- committed without its event.
ALTER TABLE payouts_payment
    ADD CONSTRAINT payment_newest_event_fk FOREIGN KEY (id, version)
    REFERENCES payouts_event (payment_id, number) DEFERRABLE INITIALLY DEFERRED;

-- Network identities are numbered from here; see payouts.networks.base.identity_from_sequence.
CREATE SEQUENCE payouts_network_identity MINVALUE 0 START 1 MAXVALUE 999999999999 NO CYCLE;


CREATE FUNCTION payouts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are written once', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'PY001';
END $$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON payouts_event
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON payouts_event
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON payouts_journal
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON payouts_journal
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON payouts_posting
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON payouts_posting
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON payouts_decision
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER decision_no_truncate BEFORE TRUNCATE ON payouts_decision
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER requirement_append_only BEFORE UPDATE OR DELETE ON payouts_approvalrequirement
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER requirement_no_truncate BEFORE TRUNCATE ON payouts_approvalrequirement
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER payment_no_delete BEFORE DELETE ON payouts_payment
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER payment_no_truncate BEFORE TRUNCATE ON payouts_payment
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER attempt_no_delete BEFORE DELETE ON payouts_attempt
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER attempt_no_truncate BEFORE TRUNCATE ON payouts_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER key_no_delete BEFORE DELETE ON payouts_idempotencykey
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER key_no_truncate BEFORE TRUNCATE ON payouts_idempotencykey
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();


-- The table of payouts/states.py. A test compares the two for every pair.
CREATE FUNCTION payouts_guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('pending', 'pending_approval') THEN
            RAISE EXCEPTION 'a payment cannot begin as %', NEW.status USING ERRCODE = 'PY002';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.partner_id, NEW.consumer_id, NEW.card_id, NEW.amount, NEW.fee_amount,
        NEW.description, NEW.reference, NEW.metadata, NEW.source, NEW.maker_client_id,
        NEW.maker_user_id, NEW.request_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.partner_id, OLD.consumer_id, OLD.card_id, OLD.amount, OLD.fee_amount,
        OLD.description, OLD.reference, OLD.metadata, OLD.source, OLD.maker_client_id,
        OLD.maker_user_id, OLD.request_id, OLD.created_at) THEN
        RAISE EXCEPTION 'what payment % asks for cannot change', OLD.id USING ERRCODE = 'PY003';
    END IF;
    IF NEW.version NOT IN (OLD.version, OLD.version + 1) THEN
        RAISE EXCEPTION 'payment % skips an event', OLD.id USING ERRCODE = 'PY004';
    END IF;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    IF NEW.version = OLD.version THEN
        RAISE EXCEPTION 'payment % changes its status without an event', OLD.id
            USING ERRCODE = 'PY004';
    END IF;
    IF NOT (CASE OLD.status
        WHEN 'pending_approval' THEN NEW.status IN ('pending', 'rejected', 'canceled', 'expired')
        WHEN 'pending' THEN NEW.status IN ('submitted', 'canceled', 'failed')
        WHEN 'submitted' THEN NEW.status IN ('completed', 'failed', 'unknown', 'pending')
        WHEN 'unknown' THEN NEW.status IN ('completed', 'failed', 'submitted')
        WHEN 'completed' THEN NEW.status = 'returned'
        ELSE FALSE
    END) THEN
        RAISE EXCEPTION 'payment % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'PY002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payment_guard BEFORE INSERT OR UPDATE ON payouts_payment
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_payment();


CREATE FUNCTION payouts_guard_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.payment_id, NEW.network, NEW.acquiring_bin, NEW.retrieval_reference_number,
        NEW.trace_number, NEW.card_acceptor_id, NEW.terminal_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.payment_id, OLD.network, OLD.acquiring_bin, OLD.retrieval_reference_number,
        OLD.trace_number, OLD.card_acceptor_id, OLD.terminal_id, OLD.created_at) THEN
        RAISE EXCEPTION 'the network identity of payment % cannot change', OLD.payment_id
            USING ERRCODE = 'PY005';
    END IF;
    IF NEW.times_sent < OLD.times_sent THEN
        RAISE EXCEPTION 'attempt of payment % forgets that it was sent', OLD.payment_id
            USING ERRCODE = 'PY005';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER attempt_guard BEFORE UPDATE ON payouts_attempt
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_attempt();


CREATE FUNCTION payouts_guard_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.partner_id, NEW.key, NEW.request_digest, NEW.payment_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.partner_id, OLD.key, OLD.request_digest, OLD.payment_id, OLD.created_at) THEN
        RAISE EXCEPTION 'an idempotency key cannot change' USING ERRCODE = 'PY001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER key_guard BEFORE UPDATE ON payouts_idempotencykey
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_key();


-- A payment's hold ends once: what was paid out is not released, what was released is not paid out.
CREATE UNIQUE INDEX journal_hold_ends_once ON payouts_journal (payment_id)
    WHERE kind IN ('completed', 'released');


-- Four eyes: whoever made the payment or touched its card last does not decide about it.
CREATE FUNCTION payouts_guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
    v_expires_at timestamptz;
    v_maker integer;
    v_editor integer;
BEGIN
    SELECT p.status, p.approval_expires_at, p.maker_user_id, c.edited_by_user_id
    INTO v_status, v_expires_at, v_maker, v_editor
    FROM payouts_payment p JOIN consumers_paymentcard c ON c.id = p.card_id
    WHERE p.id = NEW.payment_id FOR NO KEY UPDATE OF p;
    IF v_status IS DISTINCT FROM 'pending_approval' OR v_expires_at <= now() THEN
        RAISE EXCEPTION 'payment % does not wait for decisions', NEW.payment_id
            USING ERRCODE = 'PY006';
    END IF;
    IF NEW.user_id = v_maker THEN
        RAISE EXCEPTION 'the maker of payment % cannot decide about it', NEW.payment_id
            USING ERRCODE = 'PY007';
    END IF;
    IF NEW.user_id = v_editor THEN
        RAISE EXCEPTION 'the last editor of the card of payment % cannot decide about it',
            NEW.payment_id USING ERRCODE = 'PY008';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER decision_guard BEFORE INSERT ON payouts_decision
    FOR EACH ROW EXECUTE FUNCTION payouts_guard_decision();


-- Every INSERT into the postings carries whole, balanced journals, and moves the stored balances in
-- the same statement: they cannot drift apart. Balances are taken in one order, so that concurrent
-- journals do not deadlock.
CREATE FUNCTION payouts_apply_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_journal bigint;
    r record;
BEGIN
    SELECT journal_id INTO v_journal FROM inserted
    GROUP BY journal_id HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % does not balance', v_journal USING ERRCODE = 'PY009';
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

CREATE TRIGGER posting_apply AFTER INSERT ON payouts_posting
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_apply_postings();

-- A new account begins with its sixteen parts; partners' available accounts cannot be overdrawn.
CREATE FUNCTION payouts_open_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payouts_accountpart (account_id, part, balance, max_debit)
    SELECT NEW.id, part, 0, CASE WHEN NEW.kind = 'available' THEN 0 END
    FROM generate_series(0, 15) AS part;
    RETURN NULL;
END $$;

CREATE TRIGGER account_open_parts AFTER INSERT ON payouts_account
    FOR EACH ROW EXECUTE FUNCTION payouts_open_parts();


-- Counts per partner and status, kept with the rows that they count.
CREATE FUNCTION payouts_tally_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    r record;
    v_part integer := floor(random() * 16);
BEGIN
    FOR r IN
        SELECT partner_id, status, count(*) AS payments, sum(amount) AS amount FROM inserted
        GROUP BY partner_id, status ORDER BY partner_id, status
    LOOP
        INSERT INTO payouts_paymenttally AS t (partner_id, status, part, payments, amount)
        VALUES (r.partner_id, r.status, v_part, r.payments, r.amount)
        ON CONFLICT (partner_id, status, part) DO UPDATE
        SET payments = t.payments + excluded.payments, amount = t.amount + excluded.amount;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION payouts_tally_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    r record;
    v_part integer := floor(random() * 16);
BEGIN
    FOR r IN
        SELECT partner_id, status, sum(payments) AS payments, sum(amount) AS amount FROM (
            SELECT o.partner_id, o.status, -1 AS payments, -o.amount AS amount
            FROM removed o JOIN inserted n USING (id) WHERE o.status <> n.status
            UNION ALL
            SELECT n.partner_id, n.status, 1, n.amount
            FROM removed o JOIN inserted n USING (id) WHERE o.status <> n.status
        ) AS moves GROUP BY partner_id, status ORDER BY partner_id, status
    LOOP
        INSERT INTO payouts_paymenttally AS t (partner_id, status, part, payments, amount)
        VALUES (r.partner_id, r.status, v_part, r.payments, r.amount)
        ON CONFLICT (partner_id, status, part) DO UPDATE
        SET payments = t.payments + excluded.payments, amount = t.amount + excluded.amount;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER payment_tally_insert AFTER INSERT ON payouts_payment
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_tally_insert();
CREATE TRIGGER payment_tally_update AFTER UPDATE ON payouts_payment
    REFERENCING OLD TABLE AS removed NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_tally_update();
