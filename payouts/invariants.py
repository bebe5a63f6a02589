"""What must be true of the whole database, each as one statement. SQL only; `checks` runs it.

A statement selects one row per thing that it examines: `broken` says whether the rule is broken
there (NULL counts as broken) and `told` names the thing and what is wrong with it. `told` is asked
for only where something is broken, so it may cost. The statements are read once from front to back
by PostgreSQL and stay practical at ten million payments: no subquery per row outside `told`.

What journals there are, and what each books, is in docs/architecture.md ("How money moves").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from payouts.limits import USAGE_KEPT_DAYS
from payouts.states import ALLOWED, OPEN, UNPAID, Status

# Stands as the card acceptor's id on attempts that only filled the tables (`payouts/seeding`) and
# that no network has ever seen.
SEEDED_CARD_ACCEPTOR: Final = "SEEDED"


@dataclass(frozen=True, slots=True, eq=False)
class Invariant:
    """A rule in words, and the statement that examines it with its parameters."""

    name: str
    statement: str = field(repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)


def _values(statuses: frozenset[Status]) -> list[str]:
    return sorted(status.value for status in statuses)


_OPEN: Final = {"open": _values(OPEN)}
_UNPAID: Final = {"unpaid": _values(UNPAID)}
_STEPS: Final = {
    "first": [Status.PENDING_APPROVAL.value, Status.PENDING.value],
    "steps": [f"{before}>{after}" for before in ALLOWED for after in sorted(ALLOWED[before])],
}

JOURNALS_BALANCE: Final = Invariant(
    "every journal balances",
    """
SELECT journal.id IS NULL OR lines.total IS DISTINCT FROM 0 AS broken,
    format('journal %%s: %%s lines, sum %%s', COALESCE(journal.id, lines.journal_id),
           COALESCE(lines.number, 0), lines.total) AS told
FROM payouts_journal journal
FULL JOIN (
    SELECT journal_id, sum(amount) AS total, count(*) AS number
    FROM payouts_posting GROUP BY journal_id
) lines ON lines.journal_id = journal.id
""",
)

ACCOUNTS_SUM_TO_ZERO: Final = Invariant(
    "the sum over all accounts is zero",
    """
SELECT total <> 0 AS broken, format('all accounts sum to %%s', total) AS told
FROM (SELECT COALESCE(sum(balance), 0) AS total FROM payouts_accountpart) ledger
""",
)

BALANCES_ARE_POSTINGS: Final = Invariant(
    "each stored balance is the sum of its postings",
    """
SELECT account.id IS NULL OR COALESCE(stored.balance, 0) <> COALESCE(posted.amount, 0) AS broken,
    format('account %%s (%%s): stored %%s, posted %%s', COALESCE(account.id, posted.account_id),
           account.kind, stored.balance, posted.amount) AS told
FROM payouts_account account
LEFT JOIN (
    SELECT account_id, sum(balance) AS balance FROM payouts_accountpart GROUP BY account_id
) stored ON stored.account_id = account.id
FULL JOIN (
    SELECT account_id, sum(amount) AS amount FROM payouts_posting GROUP BY account_id
) posted ON posted.account_id = account.id
""",
)

NO_ACCOUNT_BELOW_FLOOR: Final = Invariant(
    "no account is below its floor",
    """
SELECT parts.number IS DISTINCT FROM 16 OR parts.is_below
       OR (account.kind = 'available' AND parts.unbounded > 0) AS broken,
    format('account %%s (%%s): %%s parts, %%s without a bound, balance %%s', account.id,
           account.kind, COALESCE(parts.number, 0), parts.unbounded, parts.balance) AS told
FROM payouts_account account
LEFT JOIN (
    SELECT account_id, count(*) AS number, sum(balance) AS balance,
        COALESCE(bool_or(balance > max_debit), FALSE) AS is_below,
        count(*) FILTER (WHERE max_debit IS NULL) AS unbounded
    FROM payouts_accountpart GROUP BY account_id
) parts ON parts.account_id = account.id
""",
)

HELD_IS_OPEN: Final = Invariant(
    "held money is the sum of each partner's open payments",
    """
SELECT COALESCE(held.amount, 0) <> COALESCE(waiting.total, 0) AS broken,
    format('partner %%s: held %%s, open payments %%s', COALESCE(held.partner_id,
    waiting.partner_id),
           held.amount, waiting.total) AS told
FROM (
    SELECT account.partner_id, -sum(part.balance) AS amount
    FROM payouts_account account JOIN payouts_accountpart part ON part.account_id = account.id
    WHERE account.kind = 'held' GROUP BY account.partner_id
) held
FULL JOIN (
    SELECT partner_id, sum(amount + fee_amount) AS total
    FROM payouts_payment WHERE status = ANY(%(open)s) GROUP BY partner_id
) waiting ON waiting.partner_id = held.partner_id
""",
    _OPEN,
)

KEYS_HAVE_THEIR_PAYMENT: Final = Invariant(
    "every accepted request has exactly one payment",
    """
SELECT CASE WHEN used.status_code = 201
            THEN payment.id IS NULL OR payment.partner_id <> used.partner_id
            ELSE used.payment_id IS NOT NULL END AS broken,
    format('idempotency key %%s (answered %%s) of partner %%s: payment %%s of partner %%s', used.id,
           used.status_code, used.partner_id, payment.id, payment.partner_id) AS told
FROM payouts_idempotencykey used LEFT JOIN payouts_payment payment ON payment.id = used.payment_id
""",
)

EVENTS_ARE_COMPLETE: Final = Invariant(
    "every payment's version is the number of its events",
    """
SELECT payment.id IS NULL OR events.number IS DISTINCT FROM payment.version
       OR events.first <> 1 OR events.newest <> payment.version AS broken,
    format('payment %%s: version %%s, %%s events numbered %%s to %%s',
           COALESCE(payment.id, events.payment_id), payment.version,
           COALESCE(events.number, 0), events.first, events.newest) AS told
FROM payouts_payment payment
FULL JOIN (
    SELECT payment_id, count(*) AS number, min(number) AS first, max(number) AS newest
    FROM payouts_event GROUP BY payment_id
) events ON events.payment_id = payment.id
""",
)

STATUS_FOLLOWS_EVENTS: Final = Invariant(
    "every status was reached by allowed steps, each with its event",
    """
SELECT CASE WHEN event.was IS NULL
            THEN event.from_status <> '' OR event.to_status <> ALL(%(first)s)
            ELSE event.from_status <> event.was
                 OR (event.from_status <> event.to_status
                     AND event.from_status || '>' || event.to_status <> ALL(%(steps)s)) END
       OR (event.is_newest AND event.to_status IS DISTINCT FROM payment.status) AS broken,
    format('payment %%s (%%s): event %%s goes from "%%s" to %%s after %%s', event.payment_id,
           payment.status, event.number, event.from_status, event.to_status,
           COALESCE(event.was, 'nothing')) AS told
FROM (
    SELECT payment_id, number, from_status, to_status, lag(to_status) OVER history AS was,
        lead(number) OVER history IS NULL AS is_newest
    FROM payouts_event WINDOW history AS (PARTITION BY payment_id ORDER BY number)
) event
LEFT JOIN payouts_payment payment ON payment.id = event.payment_id
""",
    _STEPS,
)

# A digit for each kind, so that one sum says how often each was posted.
STATUS_HAS_JOURNALS: Final = Invariant(
    "every payment has exactly the journals of its status",
    """
SELECT journals.code IS DISTINCT FROM CASE
        WHEN payment.status = ANY(%(open)s) THEN 1
        WHEN payment.status = ANY(%(unpaid)s) THEN 101
        WHEN payment.status = 'completed' THEN 11
        WHEN payment.status = 'returned' THEN 1011 END AS broken,
    format('payment %%s (%%s) has: %%s', COALESCE(payment.id, journals.payment_id), payment.status,
           (SELECT string_agg(kind, ', ' ORDER BY id) FROM payouts_journal
            WHERE payment_id = COALESCE(payment.id, journals.payment_id))) AS told
FROM payouts_payment payment
FULL JOIN (
    SELECT payment_id, sum(CASE kind WHEN 'accepted' THEN 1 WHEN 'completed' THEN 10
                                     WHEN 'released' THEN 100 WHEN 'returned' THEN 1000
                                     ELSE 0 END) AS code
    FROM payouts_journal WHERE payment_id IS NOT NULL GROUP BY payment_id
) journals ON journals.payment_id = payment.id
""",
    {**_OPEN, **_UNPAID},
)

# Journals of kinds that are not about one payment have no amount to be compared with; a funding
# still goes from the bank to one partner and nowhere else.
JOURNALS_MOVE_WHAT_WAS_AGREED: Final = Invariant(
    "every journal moves its payment's amounts between the right accounts",
    """
SELECT CASE journal.kind
    WHEN 'accepted' THEN (lines.available, lines.held, lines.payable, lines.revenue, lines.ours)
        IS DISTINCT FROM (amount + fee_amount, -amount - fee_amount, 0, 0, 0)
    WHEN 'completed' THEN (lines.available, lines.held, lines.payable, lines.revenue, lines.ours)
        IS DISTINCT FROM (0, amount + fee_amount, -amount, -fee_amount, 0)
    WHEN 'released' THEN (lines.available, lines.held, lines.payable, lines.revenue, lines.ours)
        IS DISTINCT FROM (-amount - fee_amount, amount + fee_amount, 0, 0, 0)
    WHEN 'returned' THEN (lines.available, lines.held, lines.payable, lines.revenue, lines.ours)
        IS DISTINCT FROM (-amount, 0, COALESCE(came.back, amount), 0,
                          CASE WHEN came.back <> amount THEN 1 ELSE 0 END)
    WHEN 'funded' THEN lines.held <> 0 OR lines.payable <> 0 OR lines.revenue <> 0
        OR lines.available >= 0 OR lines.first_available <> lines.last_available
    WHEN 'settled' THEN (lines.available <> 0 OR lines.held <> 0 OR lines.revenue <> 0) IS TRUE
    WHEN 'reconciled' THEN (lines.available <> 0 OR lines.held <> 0 OR lines.revenue <> 0) IS TRUE
    ELSE FALSE
    END
    OR lines.first_available IS DISTINCT FROM lines.last_available
    OR lines.first_held IS DISTINCT FROM lines.last_held
    OR (payment.id IS NOT NULL
        AND (COALESCE(lines.first_available, own.available_id) IS DISTINCT FROM own.available_id
             OR COALESCE(lines.first_held, own.held_id) IS DISTINCT FROM own.held_id)) AS broken,
    format('journal %%s (%%s) of payment %%s (%%s + %%s): available %%s, held %%s, payable %%s, fees
    %%s',
           journal.id, journal.kind, payment.id, amount, fee_amount, lines.available, lines.held,
           lines.payable, lines.revenue) AS told
FROM payouts_journal journal
LEFT JOIN (
    SELECT posting.journal_id,
        COALESCE(sum(posting.amount) FILTER (WHERE account.kind = 'available'), 0) AS available,
        COALESCE(sum(posting.amount) FILTER (WHERE account.kind = 'held'), 0) AS held,
        COALESCE(sum(posting.amount) FILTER (WHERE account.kind = 'network_payable'), 0) AS payable,
        COALESCE(sum(posting.amount) FILTER (WHERE account.kind = 'fee_revenue'), 0) AS revenue,
        count(*) FILTER (WHERE account.kind IN ('bank', 'suspense')) AS ours,
        min(account.id) FILTER (WHERE account.kind = 'available') AS first_available,
        max(account.id) FILTER (WHERE account.kind = 'available') AS last_available,
        min(account.id) FILTER (WHERE account.kind = 'held') AS first_held,
        max(account.id) FILTER (WHERE account.kind = 'held') AS last_held
    FROM payouts_posting posting JOIN payouts_account account ON account.id = posting.account_id
    GROUP BY posting.journal_id
) lines ON lines.journal_id = journal.id
LEFT JOIN payouts_payment payment ON payment.id = journal.payment_id
-- Two people have booked the return of another amount.
LEFT JOIN (
    SELECT journal_id, (theirs ->> 'amount')::numeric AS back FROM payouts_case
    WHERE way = 'came_back'
) came ON came.journal_id = journal.id
LEFT JOIN (
    SELECT partner_id, min(id) FILTER (WHERE kind = 'available') AS available_id,
        min(id) FILTER (WHERE kind = 'held') AS held_id
    FROM payouts_account WHERE partner_id IS NOT NULL GROUP BY partner_id
) own ON own.partner_id = payment.partner_id
""",
)

# What two people have resolved stays unclear at the network until it answers.
ATTEMPTS_FIT_STATUS: Final = Invariant(
    "every status agrees with the attempt at the network",
    """
SELECT CASE
    WHEN payment.status IN ('completed', 'returned') THEN attempt.state IS DISTINCT FROM 'approved'
        AND NOT (attempt.state = 'unknown' AND by_people.payment_id IS NOT NULL)
    WHEN payment.status = 'submitted' THEN attempt.state IS DISTINCT FROM 'sending'
    WHEN payment.status = 'unknown' THEN attempt.state IS DISTINCT FROM 'unknown'
    WHEN payment.status = 'failed' THEN attempt.state NOT IN ('declined', 'not_sent')
        AND NOT (attempt.state = 'unknown' AND by_people.payment_id IS NOT NULL)
    WHEN payment.status IN ('pending', 'canceled') THEN attempt.state <> 'not_sent'
    ELSE attempt.payment_id IS NOT NULL
    END IS TRUE OR payment.id IS NULL AS broken,
    format('payment %%s (%%s): attempt %%s', COALESCE(payment.id, attempt.payment_id),
           payment.status, COALESCE(attempt.state, 'none')) AS told
FROM payouts_payment payment FULL JOIN payouts_attempt attempt ON attempt.payment_id = payment.id
LEFT JOIN (
    SELECT subject::uuid AS payment_id FROM payouts_changerequest
    WHERE kind = 'resolve_unknown' AND state = 'applied'
) by_people ON by_people.payment_id = payment.id
""",
)

DISPUTES_FIT_CASES: Final = Invariant(
    "every payment says of its money what its cases say",
    """
SELECT payment.moved_otherwise IS DISTINCT FROM COALESCE(cases.say, '') AS broken,
    format('payment %%s (%%s) says "%%s", its cases "%%s"', COALESCE(payment.id, cases.payment_id),
           payment.status, payment.moved_otherwise, cases.say) AS told
FROM payouts_payment payment
FULL JOIN (
    SELECT payment_id, COALESCE(
        max('unknown') FILTER (WHERE state = 'open' AND disputes),
        max('yes') FILTER (WHERE way IN ('charge_partner', 'house_bears')),
        max('no') FILTER (WHERE way = 'give_back')) AS say
    FROM payouts_case WHERE payment_id IS NOT NULL GROUP BY payment_id
) cases ON cases.payment_id = payment.id
""",
)

SETTLED_IS_AT_BANK: Final = Invariant(
    "every settled journal is what one entry at the bank says",
    """
SELECT entry.id IS NULL OR lines.amount IS DISTINCT FROM entry.amount AS broken,
    format('journal %%s: %%s at the bank by the ledger, %%s by its statement', lines.journal_id,
           lines.amount, entry.amount) AS told
FROM (
    SELECT journal.id AS journal_id,
        sum(posting.amount) FILTER (WHERE account.kind = 'bank') AS amount
    FROM payouts_journal journal
    LEFT JOIN payouts_posting posting ON posting.journal_id = journal.id
    LEFT JOIN payouts_account account ON account.id = posting.account_id
    WHERE journal.kind = 'settled' GROUP BY journal.id
) lines
LEFT JOIN payouts_bankentry entry ON entry.journal_id = lines.journal_id
""",
)

TALLIES_COUNT_PAYMENTS: Final = Invariant(
    "the tallies count every partner's payments",
    """
SELECT (COALESCE(kept.payments, 0), COALESCE(kept.amount, 0))
       <> (COALESCE(counted.payments, 0), COALESCE(counted.amount, 0)) AS broken,
    format('partner %%s, %%s: kept %%s payments of %%s, counted %%s of %%s',
           COALESCE(kept.partner_id, counted.partner_id), COALESCE(kept.status, counted.status),
           kept.payments, kept.amount, counted.payments, counted.amount) AS told
FROM (
    SELECT partner_id, status, sum(payments) AS payments, sum(amount) AS amount
    FROM payouts_paymenttally GROUP BY partner_id, status
) kept
FULL JOIN (
    SELECT partner_id, status, count(*) AS payments, sum(amount) AS amount
    FROM payouts_payment GROUP BY partner_id, status
) counted ON counted.partner_id = kept.partner_id AND counted.status = kept.status
""",
)

USAGE_IS_WHAT_WAS_PUSHED: Final = Invariant(
    "each recent day's usage of the limits is that day's payments",
    """
SELECT (COALESCE(kept.amount, 0), COALESCE(kept.number, 0))
       <> (COALESCE(pushed.amount, 0), COALESCE(pushed.number, 0)) AS broken,
    format('%%s on %%s: kept %%s pushes of %%s, made %%s of %%s',
           COALESCE(kept.subject_id, pushed.subject_id), COALESCE(kept.day, pushed.day),
           kept.number, kept.amount, pushed.number, pushed.amount) AS told
FROM (
    SELECT subject_id, day, sum(amount) AS amount, sum(count) AS number
    FROM payouts_dailyusage WHERE day >= (now() AT TIME ZONE 'UTC')::date - %(kept_days)s
    GROUP BY subject_id, day
) kept
FULL JOIN (
    SELECT COALESCE(card_id, consumer_id, partner_id) AS subject_id, day, sum(amount) AS amount,
        count(*) AS number
    FROM (
        SELECT card_id, consumer_id, partner_id, amount,
            (created_at AT TIME ZONE 'UTC')::date AS day
        FROM payouts_payment WHERE status <> ALL(%(unpaid)s)
            AND created_at >= ((now() AT TIME ZONE 'UTC')::date - %(kept_days)s) AT TIME ZONE 'UTC'
    ) counting
    GROUP BY GROUPING SETS ((card_id, day), (consumer_id, day), (partner_id, day))
) pushed ON pushed.subject_id = kept.subject_id AND pushed.day = kept.day
""",
    # One day less than is kept, so that none is compared while it is being purged.
    {**_UNPAID, "kept_days": USAGE_KEPT_DAYS - 1},
)

INVARIANTS: Final = (
    JOURNALS_BALANCE,
    ACCOUNTS_SUM_TO_ZERO,
    BALANCES_ARE_POSTINGS,
    NO_ACCOUNT_BELOW_FLOOR,
    HELD_IS_OPEN,
    KEYS_HAVE_THEIR_PAYMENT,
    EVENTS_ARE_COMPLETE,
    STATUS_FOLLOWS_EVENTS,
    STATUS_HAS_JOURNALS,
    JOURNALS_MOVE_WHAT_WAS_AGREED,
    ATTEMPTS_FIT_STATUS,
    DISPUTES_FIT_CASES,
    SETTLED_IS_AT_BANK,
    TALLIES_COUNT_PAYMENTS,
    USAGE_IS_WHAT_WAS_PUSHED,
)
