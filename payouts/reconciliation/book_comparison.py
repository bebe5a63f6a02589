"""Compares what we believe about payments with what the sandbox network's own book says.

The book is copied into a temporary table and compared in SQL. Who reads it, and from where, is the
caller's: see `networks.sandbox.book_reading`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from django.db import connection

from payouts.checks import NAMED_AT_MOST, Finding, examine
from payouts.invariants import SEEDED_CARD_ACCEPTOR, Invariant
from payouts.networks.sandbox.entries import Entry
from payouts.states import UNPAID, Status

_TABLE: Final = """
CREATE TEMPORARY TABLE network_book (
    retrieval_reference_number text, trace_number text, terminal_id text, acquiring_bin text,
    card_acceptor_id text, cents bigint, card_last4 text, state text, credited boolean,
    received_at timestamptz
)
"""
_IDENTITY: Final = (
    "retrieval_reference_number, trace_number, terminal_id, acquiring_bin, card_acceptor_id"
)
# Seeded payments were never sent to a network.
_ATTEMPTS: Final = f"""
(SELECT payment_id, {_IDENTITY} FROM payouts_attempt
 WHERE network = 'sandbox' AND card_acceptor_id <> %(seeded)s) attempt
"""  # noqa: S608  # nosec B608: constants only
_PARAMETERS: Final[Mapping[str, Any]] = {
    "seeded": SEEDED_CARD_ACCEPTOR,
    "paid": [Status.COMPLETED.value, Status.RETURNED.value],
    "unpaid": sorted(status.value for status in UNPAID),
    "unsent": [Status.PENDING_APPROVAL.value, Status.PENDING.value],
    "unclear": [Status.SUBMITTED.value, Status.UNKNOWN.value],
}


def _same_identity(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in _IDENTITY.split(", "))


COMPLETED_IS_CREDITED: Final = Invariant(
    "the network credited every completed payment once, with its amount, to its card",
    f"""
SELECT credits.number IS DISTINCT FROM 1 OR credits.cents <> payment.amount * 100
       OR credits.card_last4 <> card.last4 AS broken,
    format('payment %%s (%%s): %%s to a card ...%%s; the book: %%s credits, %%s cents, card ...%%s',
           payment.id, payment.status, payment.amount, card.last4, COALESCE(credits.number, 0),
           credits.cents, credits.card_last4) AS told
FROM payouts_payment payment
JOIN {_ATTEMPTS} ON attempt.payment_id = payment.id
JOIN consumers_paymentcard card ON card.id = payment.card_id
LEFT JOIN (
    SELECT {_IDENTITY}, count(*) AS number, sum(cents) AS cents,
        max(card_last4) AS card_last4
    FROM network_book WHERE credited GROUP BY {_IDENTITY}
) credits ON {_same_identity("credits", "attempt")}
WHERE payment.status = ANY(%(paid)s)
    -- What is disputed is known, and a case; what was found not to be paid is not expected.
    AND payment.moved_otherwise NOT IN ('unknown', 'no')
""",  # noqa: S608  # nosec B608: constants only
    _PARAMETERS,
)

# What the network received after our snapshot began may belong to payments that it does not show
# yet.
NOTHING_ELSE_IS_CREDITED: Final = Invariant(
    "the network credited nothing that we call unpaid, unsent or do not know",
    f"""
SELECT CASE
    WHEN payment.status = ANY(%(unpaid)s) THEN payment.moved_otherwise NOT IN ('unknown', 'yes')
    WHEN payment.id IS NULL OR payment.status = ANY(%(unsent)s) THEN line.received_at <= now()
    ELSE FALSE END AS broken,
    format('reference %%s, %%s cents to the card ending in %%s: payment %%s (%%s)',
           line.retrieval_reference_number, line.cents, line.card_last4, payment.id,
           COALESCE(payment.status, 'not ours')) AS told
FROM network_book line
LEFT JOIN {_ATTEMPTS} ON {_same_identity("attempt", "line")}
LEFT JOIN payouts_payment payment ON payment.id = attempt.payment_id
WHERE line.credited
""",  # noqa: S608  # nosec B608: constants only
    _PARAMETERS,
)

_UNCLEAR: Final = f"""
SELECT format('payment %%s is %%s here; in the book it %%s', payment.id, payment.status, CASE
    WHEN line.state IS NULL THEN 'does not stand'
    WHEN line.credited THEN 'was credited'
    WHEN line.state = 'decided' THEN 'was declined'
    ELSE 'is ' || line.state END)
FROM payouts_payment payment
LEFT JOIN {_ATTEMPTS} ON attempt.payment_id = payment.id
LEFT JOIN network_book line ON {_same_identity("line", "attempt")}
WHERE payment.status = ANY(%(unclear)s) ORDER BY payment.id LIMIT {NAMED_AT_MOST}
"""  # noqa: S608  # nosec B608: constants only


def compare_book(entries: Iterable[Entry]) -> list[Finding]:
    """Compare the book's entries with the ledger, both ways; what is unclear is only remarked.

    Call it inside `checks.snapshot()` and begin reading `entries` no earlier: then whatever we call
    completed must stand in them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        with cursor.copy("COPY network_book FROM STDIN") as copying:
            for entry in entries:
                copying.write_row(_row(entry))
        cursor.execute("ANALYZE network_book")
        findings = [
            examine(COMPLETED_IS_CREDITED),
            replace(examine(NOTHING_ELSE_IS_CREDITED), remarks=_unclear_payments()),
        ]
        cursor.execute("DROP TABLE network_book")
    return findings


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.retrieval_reference_number,
        entry.systems_trace_audit_number,
        entry.terminal_id,
        entry.acquiring_bin,
        entry.card_acceptor_id,
        entry.amount_cents,
        entry.card_last4,
        entry.state,
        bool(entry.credited),
        entry.received_at,
    )


def _unclear_payments() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_UNCLEAR, dict(_PARAMETERS))
        return tuple(told for (told,) in cursor.fetchall())
