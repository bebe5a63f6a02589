"""What a thief with the owner's rights could do to the books, and which invariants it breaks.

To be planted with the triggers asleep, after payments in every status were made.
"""

from dataclasses import dataclass

from payouts import invariants
from payouts.invariants import Invariant


@dataclass(frozen=True)
class Corruption:
    """SQL that breaks `breaks`, and nothing else."""

    what: str
    sql: str
    breaks: tuple[Invariant, ...]


def corruption(what: str, *breaks: Invariant, sql: str) -> Corruption:
    return Corruption(what, sql, breaks)


# Moves an account's stored balance together with a posting that was planted in it.
def _planted(journal: str, kind: str, lines: str) -> str:
    return f"""
    WITH made AS (
        INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
        VALUES ('{kind}', {journal}, '', 'thief', now()) RETURNING id
    ), line AS (
        SELECT id AS account_id, amount FROM payouts_account JOIN (VALUES {lines})
            AS wanted (wanted_kind, amount) ON wanted_kind = kind
        WHERE network IN ('', 'sandbox')
    ), posted AS (
        INSERT INTO payouts_posting (journal_id, account_id, part, amount)
        SELECT made.id, account_id, 0, amount FROM made, line RETURNING account_id, amount
    )
    UPDATE payouts_accountpart SET balance = balance + posted.amount
    FROM posted WHERE posted.account_id = payouts_accountpart.account_id AND part = 0
    """


def payment_in(status: str) -> str:
    """The oldest payment in a status, in SQL."""
    return f"(SELECT id FROM payouts_payment WHERE status = '{status}' ORDER BY id LIMIT 1)"


CORRUPTIONS = [
    corruption(
        "a dispute that no case has opened",
        invariants.DISPUTES_FIT_CASES,
        sql=f"""UPDATE payouts_payment SET moved_otherwise = 'yes'
                WHERE id = {payment_in("failed")}""",
    ),
    corruption(
        "two journals that only balance together",
        invariants.JOURNALS_BALANCE,
        sql=_planted("NULL", "reconciled", "('bank', 5.00)")
        + ";"
        + _planted("NULL", "reconciled", "('bank', -5.00)"),
    ),
    corruption(
        "a journal without lines",
        invariants.JOURNALS_BALANCE,
        sql="""INSERT INTO payouts_journal (kind, description, actor, created_at)
               VALUES ('reconciled', '', 'thief', now())""",
    ),
    corruption(
        "money out of nothing",
        invariants.ACCOUNTS_SUM_TO_ZERO,
        invariants.JOURNALS_BALANCE,
        sql=_planted("NULL", "reconciled", "('suspense', 5.00)"),
    ),
    corruption(
        "a stored balance that was changed by hand",
        invariants.BALANCES_ARE_POSTINGS,
        sql="""UPDATE payouts_accountpart part SET balance = balance +
                   CASE kind WHEN 'bank' THEN 5 ELSE -5 END
               FROM payouts_account account WHERE account.id = account_id AND part = 3
               AND kind IN ('bank', 'suspense')""",
    ),
    corruption(
        "an account without a floor",
        invariants.NO_ACCOUNT_BELOW_FLOOR,
        sql="""UPDATE payouts_accountpart SET max_debit = NULL WHERE part = 3 AND account_id =
               (SELECT id FROM payouts_account WHERE kind = 'available')""",
    ),
    corruption(
        "a part of an account that is gone",
        invariants.NO_ACCOUNT_BELOW_FLOOR,
        sql="""DELETE FROM payouts_accountpart WHERE part = 3 AND account_id =
               (SELECT id FROM payouts_account WHERE kind = 'suspense')""",
    ),
    corruption(
        "held money that belongs to no payment",
        invariants.HELD_IS_OPEN,
        invariants.JOURNALS_MOVE_WHAT_WAS_AGREED,
        invariants.SETTLED_IS_AT_BANK,
        sql=_planted("NULL", "settled", "('held', -5.00), ('bank', 5.00)"),
    ),
    corruption(
        "an accepted request without a payment",
        invariants.KEYS_HAVE_THEIR_PAYMENT,
        sql=f"""UPDATE payouts_idempotencykey SET payment_id = NULL
                WHERE payment_id = {payment_in("completed")}""",
    ),
    corruption(
        "a refused request with a payment",
        invariants.KEYS_HAVE_THEIR_PAYMENT,
        sql=f"""UPDATE payouts_idempotencykey SET status_code = 422
                WHERE payment_id = {payment_in("completed")}""",
    ),
    corruption(
        "an event with a number too high",
        invariants.EVENTS_ARE_COMPLETE,
        sql=f"""INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor,
                                           details, request_id, created_at)
                VALUES ({payment_in("unknown")}, 9, 'inquired', 'unknown', 'unknown', 'thief',
                        '{{}}', '', now())""",
    ),
    corruption(
        "an event that does not begin where the last one ended",
        invariants.STATUS_FOLLOWS_EVENTS,
        sql=f"""UPDATE payouts_event SET from_status = 'unknown'
                WHERE payment_id = {payment_in("failed")} AND to_status = 'failed'""",
    ),
    corruption(
        "a final state that was left",
        invariants.STATUS_FOLLOWS_EVENTS,
        sql=f"""INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor,
                                           details, request_id, created_at)
                SELECT id, version + new.place, 'sent', new.was, new.became, 'thief', '{{}}', '',
                    now()
                FROM payouts_payment, (VALUES (1, 'completed', 'unknown'),
                    (2, 'unknown', 'completed')) AS new (place, was, became)
                WHERE id = {payment_in("completed")};
                UPDATE payouts_payment SET version = version + 2
                WHERE id = {payment_in("completed")}""",
    ),
    corruption(
        "a completed payment without its journal",
        invariants.STATUS_HAS_JOURNALS,
        sql=f"""UPDATE payouts_journal SET kind = 'corrected'
                WHERE payment_id = {payment_in("completed")} AND kind = 'completed'""",
    ),
    corruption(
        "an open payment whose money was given back",
        invariants.STATUS_HAS_JOURNALS,
        invariants.JOURNALS_BALANCE,
        invariants.JOURNALS_MOVE_WHAT_WAS_AGREED,
        sql=f"""INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
                VALUES ('released', {payment_in("submitted")}, '', 'thief', now())""",
    ),
    corruption(
        "a fee that is more than was agreed",
        invariants.JOURNALS_MOVE_WHAT_WAS_AGREED,
        sql=f"""WITH wrong AS (
                    INSERT INTO payouts_posting (journal_id, account_id, part, amount)
                    SELECT journal.id, account.id, 0,
                        CASE account.kind WHEN 'fee_revenue' THEN -1 ELSE 1 END
                    FROM payouts_journal journal, payouts_account account
                    WHERE journal.kind = 'completed' AND payment_id = {payment_in("completed")}
                    AND account.kind IN ('fee_revenue', 'network_payable')
                    RETURNING account_id, amount
                )
                UPDATE payouts_accountpart SET balance = balance + wrong.amount
                FROM wrong WHERE wrong.account_id = payouts_accountpart.account_id AND part = 0""",
    ),
    corruption(
        "a completed payment that the network declined",
        invariants.ATTEMPTS_FIT_STATUS,
        sql=f"""UPDATE payouts_attempt SET state = 'declined'
                WHERE payment_id = {payment_in("completed")}""",
    ),
    corruption(
        "a failed payment that the network approved",
        invariants.ATTEMPTS_FIT_STATUS,
        sql=f"""UPDATE payouts_attempt SET state = 'approved'
                WHERE payment_id = {payment_in("failed")}""",
    ),
    corruption(
        "an unknown payment without an attempt",
        invariants.ATTEMPTS_FIT_STATUS,
        sql=f"DELETE FROM payouts_attempt WHERE payment_id = {payment_in('unknown')}",
    ),
    corruption(
        "a tally that counts one too many",
        invariants.TALLIES_COUNT_PAYMENTS,
        sql="""UPDATE payouts_paymenttally SET payments = payments + 1 WHERE ctid =
               (SELECT min(ctid) FROM payouts_paymenttally)""",
    ),
    corruption(
        "a tally of money that is not there",
        invariants.TALLIES_COUNT_PAYMENTS,
        sql="""INSERT INTO payouts_paymenttally (partner_id, status, part, payments, amount)
               SELECT id, 'expired', 0, 0, 5 FROM consumers_partner""",
    ),
    corruption(
        "a day's usage that was forgotten",
        invariants.USAGE_IS_WHAT_WAS_PUSHED,
        sql="""DELETE FROM payouts_dailyusage
               WHERE subject_id IN (SELECT id FROM consumers_paymentcard)""",
    ),
    corruption(
        "usage of a day on which nobody pushed",
        invariants.USAGE_IS_WHAT_WAS_PUSHED,
        sql="""INSERT INTO payouts_dailyusage (subject_id, day, part, amount, count)
               SELECT id, current_date - 2, 0, 5, 1 FROM consumers_consumer""",
    ),
]
