-- What the API says of a payment that waits for decisions. Lists read it for the few that do.

-- [[name, decisions, group], …] of what must be decided, as it was when the payment was made.
CREATE FUNCTION payouts_requirements(p_payment uuid) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_agg(json_build_array(name, decisions, group_id) ORDER BY id)
    FROM payouts_approvalrequirement WHERE payment_id = p_payment
$$;

-- How many approvals count now; `payouts.deciding.approvers` has the rule.
CREATE FUNCTION payouts_approvals_given(p_payment uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*)
    FROM payouts_payment p
    JOIN consumers_consumer payee ON payee.id = p.consumer_id
    JOIN consumers_paymentcard target ON target.id = p.card_id
    JOIN payouts_decision yes ON yes.payment_id = p.id
    WHERE p.id = p_payment AND yes.verdict = 'approve'
      AND yes.digest = payouts_subject_digest(p.id, payee.id, payee.first_name, payee.last_name,
          target.id, target.fingerprint, target.cardholder_name, p.amount, p.fee_amount)
      AND yes.user_id IS DISTINCT FROM payee.edited_by_user_id
      AND yes.user_id IS DISTINCT FROM target.edited_by_user_id
      AND NOT EXISTS (
          SELECT FROM consumers_edit edit
          WHERE edit.subject_id IN (payee.id, target.id) AND edit.user_id = yes.user_id
            AND edit.edited_at >= p.created_at)
$$;
