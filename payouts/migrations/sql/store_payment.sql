-- Writes an accepted payment, or nothing. Everything that the rules decided comes in; what may have
-- changed since they looked (limits, funds, a duplicate, the key) is judged again here under locks.
-- Locks are taken in one order everywhere: key, payment, tally, card, usage (card, consumer,
-- partner), balances by account and part. So a transaction changes the status of payments once.
--
-- Migrations run this file again when it changes: it replaces what is there.
--
-- result: stored | replay | changed (ask again and decide anew) | busy (the key is being used now)

-- Makes one part of the account able to take a debit of p_total and returns it, or null when the
-- whole account is not. Locks all parts of the account; their sum does not change.
CREATE OR REPLACE FUNCTION payouts_gather(p_account bigint, p_total numeric) RETURNS smallint
LANGUAGE plpgsql AS $$
DECLARE
    v_room numeric;
    v_share numeric;
BEGIN
    WITH locked AS (
        SELECT max_debit - balance AS room FROM payouts_accountpart
        WHERE account_id = p_account ORDER BY part FOR NO KEY UPDATE
    )
    SELECT sum(room) INTO v_room FROM locked;
    IF v_room IS NULL OR v_room < p_total THEN
        RETURN NULL;
    END IF;
    -- Part 0 gets what is asked for and the odd cents, the rest is spread evenly.
    v_share := trunc((v_room - p_total) / 16, 2);
    UPDATE payouts_accountpart
    SET balance = max_debit - CASE part WHEN 0 THEN v_room - 15 * v_share ELSE v_share END
    WHERE account_id = p_account;
    RETURN 0;
END $$;

-- Adds one push to a day's usage of a card or consumer, unless that breaks a bound.
CREATE OR REPLACE FUNCTION payouts_use(p_subject uuid, p_day date, p_amount numeric, p_max_amount numeric,
                            p_max_count numeric) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payouts_dailyusage AS u (subject_id, day, part, amount, count)
    VALUES (p_subject, p_day, 0, p_amount, 1)
    ON CONFLICT (subject_id, day, part) DO UPDATE
    SET amount = u.amount + excluded.amount, count = u.count + 1
    WHERE (p_max_amount IS NULL OR u.amount + excluded.amount <= p_max_amount)
      AND (p_max_count IS NULL OR u.count + 1 <= p_max_count);
    RETURN FOUND;
END $$;

-- The same for a partner, whose day lies in sixteen parts. A part within a sixteenth of the bound
-- needs no look at the others; beyond that all parts are locked, judged together and evened out.
CREATE OR REPLACE FUNCTION payouts_use_partner(p_partner uuid, p_day date, p_amount numeric,
                                    p_max_amount numeric, p_max_count numeric, p_exact boolean)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_part integer := floor(random() * 16);
    v_amount numeric;
    v_count numeric;
BEGIN
    IF NOT p_exact AND (p_max_amount IS NULL OR p_amount <= p_max_amount / 16)
                   AND (p_max_count IS NULL OR p_max_count >= 16)
                   -- A part that looks full is not locked for nothing.
                   AND ((p_max_amount IS NULL AND p_max_count IS NULL) OR NOT EXISTS (
                       SELECT FROM payouts_dailyusage
                       WHERE subject_id = p_partner AND day = p_day AND part = v_part
                         AND (amount + p_amount > p_max_amount / 16
                              OR count + 1 > p_max_count / 16))) THEN
        INSERT INTO payouts_dailyusage AS u (subject_id, day, part, amount, count)
        VALUES (p_partner, p_day, v_part, p_amount, 1)
        ON CONFLICT (subject_id, day, part) DO UPDATE
        SET amount = u.amount + excluded.amount, count = u.count + 1
        WHERE (p_max_amount IS NULL OR u.amount + excluded.amount <= p_max_amount / 16)
          AND (p_max_count IS NULL OR u.count + 1 <= p_max_count / 16);
        IF FOUND THEN
            RETURN TRUE;
        END IF;
        -- It filled up between the look and the lock. The lock on it is held now, and taking all
        -- sixteen in order after it would deadlock with another that did the same: begin anew.
        RAISE EXCEPTION 'changed' USING ERRCODE = 'PY100';
    END IF;
    INSERT INTO payouts_dailyusage (subject_id, day, part, amount, count)
    SELECT p_partner, p_day, part, 0, 0 FROM generate_series(0, 15) AS part
    ON CONFLICT DO NOTHING;
    WITH locked AS (
        SELECT amount, count FROM payouts_dailyusage
        WHERE subject_id = p_partner AND day = p_day ORDER BY part FOR NO KEY UPDATE
    )
    SELECT sum(amount), sum(count) INTO v_amount, v_count FROM locked;
    IF v_amount + p_amount > p_max_amount OR v_count + 1 > p_max_count THEN
        RETURN FALSE;
    END IF;
    UPDATE payouts_dailyusage SET amount = (v_amount + p_amount) / 16, count = (v_count + 1) / 16
    WHERE subject_id = p_partner AND day = p_day;
    RETURN TRUE;
END $$;

CREATE OR REPLACE FUNCTION payouts_store_payment(
    p_id uuid, p_partner uuid, p_consumer uuid, p_card uuid,
    p_amount numeric, p_fee numeric, p_status text,
    p_description text, p_reference text, p_metadata jsonb,
    p_source text, p_client uuid, p_user integer, p_actor text, p_request_id text,
    p_at timestamptz, p_approval_expires_at timestamptz, p_requirements jsonb,
    p_key text, p_digest bytea, p_answer bytea,
    p_no_twin_since uuid,
    p_card_max_amount numeric, p_card_max_count numeric,
    p_consumer_max_amount numeric, p_consumer_max_count numeric,
    p_partner_max_amount numeric, p_partner_max_count numeric,
    p_available bigint, p_held bigint, p_exact boolean,
    OUT result text, OUT first_status smallint, OUT first_answer bytea, OUT first_digest bytea
) LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    v_day date := (p_at AT TIME ZONE 'UTC')::date;
    v_total numeric := p_amount + p_fee;
    v_part smallint := floor(random() * 16);
    v_from smallint;
    v_journal bigint;
    v_network text;
    v_last4 text;
    v_constraint text;
BEGIN
    IF p_key IS NOT NULL THEN
        INSERT INTO payouts_idempotencykey
            (partner_id, key, request_digest, status_code, answer, payment_id, created_at)
        VALUES (p_partner, p_key, p_digest, 201, p_answer, p_id, p_at)
        ON CONFLICT (partner_id, key) DO NOTHING;
        IF NOT FOUND THEN
            SELECT 'replay', k.status_code, k.answer, k.request_digest
            INTO result, first_status, first_answer, first_digest
            FROM payouts_idempotencykey k WHERE k.partner_id = p_partner AND k.key = p_key;
            RETURN;
        END IF;
    END IF;

    SELECT network, last4 INTO v_network, v_last4 FROM consumers_paymentcard WHERE id = p_card;
    INSERT INTO payouts_payment
        (id, partner_id, consumer_id, card_id, card_network, card_last4, amount, fee_amount, status,
         version, description, reference, metadata, source, maker_client_id, maker_user_id,
         request_id, due_at, approval_expires_at, failure_code, network_code, created_at,
         updated_at)
    VALUES
        (p_id, p_partner, p_consumer, p_card, v_network, v_last4, p_amount, p_fee, p_status,
         CASE p_status WHEN 'pending' THEN 1 ELSE 2 END, p_description,
         p_reference, p_metadata, p_source, p_client, p_user, p_request_id,
         CASE p_status WHEN 'pending' THEN p_at ELSE p_approval_expires_at END,
         p_approval_expires_at, '', '', p_at, p_at);
    INSERT INTO payouts_event
        (payment_id, number, kind, from_status, to_status, actor, details, request_id, created_at)
    VALUES (p_id, 1, 'created', '', p_status, p_actor, '{}', p_request_id, p_at);
    IF p_status = 'pending_approval' THEN
        INSERT INTO payouts_event
            (payment_id, number, kind, from_status, to_status, actor, details, request_id, created_at)
        VALUES (p_id, 2, 'approval_required', p_status, p_status, p_actor,
                jsonb_build_object('requirements', p_requirements), p_request_id, p_at);
        INSERT INTO payouts_approvalrequirement (payment_id, name, decisions, group_id)
        SELECT p_id, r ->> 'name', (r ->> 'decisions')::smallint, (r ->> 'group_id')::integer
        FROM jsonb_array_elements(p_requirements) AS r;
    END IF;

    -- From here on pushes to the same card queue up behind each other. The usage alone would not do:
    -- each day has its own row, and twins may lie on both sides of midnight.
    PERFORM pg_advisory_xact_lock(hashtextextended(p_card::text, 0));
    IF NOT payouts_use(p_card, v_day, p_amount, p_card_max_amount, p_card_max_count)
       OR NOT payouts_use(p_consumer, v_day, p_amount, p_consumer_max_amount, p_consumer_max_count)
       OR NOT payouts_use_partner(p_partner, v_day, p_amount, p_partner_max_amount,
                                  p_partner_max_count, p_exact) THEN
        RAISE EXCEPTION 'changed' USING ERRCODE = 'PY100';
    END IF;
    IF p_no_twin_since IS NOT NULL AND EXISTS (
        SELECT FROM payouts_payment twin
        WHERE twin.card_id = p_card AND twin.id >= p_no_twin_since AND twin.id <> p_id
          AND twin.amount = p_amount
          -- The same twins as payouts.operations.facts: a case may have been opened since.
          AND (twin.status NOT IN ('failed', 'rejected', 'canceled', 'expired')
               OR twin.moved_otherwise IN ('unknown', 'yes'))
    ) THEN
        RAISE EXCEPTION 'changed' USING ERRCODE = 'PY100';
    END IF;

    IF NOT p_exact THEN
        SELECT part INTO v_from FROM payouts_accountpart
        WHERE account_id = p_available AND part = v_part AND max_debit - balance >= v_total;
    END IF;
    IF v_from IS NULL THEN
        v_from := payouts_gather(p_available, v_total);
    END IF;
    IF v_from IS NULL THEN
        RAISE EXCEPTION 'changed' USING ERRCODE = 'PY100';
    END IF;
    INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
    VALUES ('accepted', p_id, '', p_actor, p_at) RETURNING id INTO v_journal;
    INSERT INTO payouts_posting (journal_id, account_id, part, amount)
    VALUES (v_journal, p_available, v_from, v_total), (v_journal, p_held, v_part, -v_total);
    result := 'stored';
EXCEPTION
    -- The block is a subtransaction: whatever was written above is gone.
    WHEN SQLSTATE 'PY100' OR deadlock_detected THEN
        result := 'changed';
    WHEN lock_not_available THEN
        result := 'busy';
    WHEN check_violation THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF v_constraint <> 'account_part_floor' THEN
            RAISE;
        END IF;
        result := 'changed';
END $$;
