"""Proves a day: payments, ledger and the network's files, summed apart and compared.

Statements over sets, each from its own tables: payments, journals and postings, lines of files, and
what our bank shows for whole files. They run on one snapshot. Nothing is changed but the row
that keeps what was found.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from consumers.audit import Act, Verb, record_act, subject_of
from consumers.statements import fetch_row, fetch_rows
from payouts.checks import snapshot
from payouts.models import COUNTED_STATES, DayProof, SettlementFile
from payouts.operations.reconciliation.bank_days import covered_days, must_be_settled_by
from payouts.reconciliation.day_proofs import DayFigures, Sum, Verdict, as_document, digest_of
from payouts.reconciliation.settlement_files.sandbox_csv import NETWORK
from payouts.reconciliation.settlements import NOT_COUNTED

logger = logging.getLogger(__name__)

_ZERO: Final = Decimal("0.00")
_MERCHANT: Final = """
    attempt.network = %(network)s AND attempt.acquiring_bin = %(bin)s
    AND attempt.card_acceptor_id = %(acceptor)s
"""
_COUNTS: Final = "line.kind = 'credit' AND line.outcome NOT IN ('{}', '{}', '{}')".format(
    *NOT_COUNTED
)
# The day of a line is the one that it names, unless its file is not about that.
_DAY_OF_LINE: Final = """
    CASE WHEN line.settled_on BETWEEN (file.begins_at AT TIME ZONE 'UTC')::date
            AND ((file.ends_at - interval '1 microsecond') AT TIME ZONE 'UTC')::date
        THEN line.settled_on ELSE (file.begins_at AT TIME ZONE 'UTC')::date END
"""
_PAID: Final = f"""
WITH paid AS (
    SELECT p.amount, line.amount AS settled, line.currency, {_DAY_OF_LINE} AS line_day
    FROM payouts_payment p JOIN payouts_attempt attempt ON attempt.payment_id = p.id
    LEFT JOIN payouts_settlementline line ON line.payment_id = p.id AND {_COUNTS}
    LEFT JOIN payouts_settlementfile file ON file.id = line.file_id
    WHERE p.completed_at >= %(begins_at)s AND p.completed_at < %(ends_at)s AND {_MERCHANT}
)
SELECT count(*), sum(amount),
    count(*) FILTER (WHERE line_day <> %(day)s), sum(amount) FILTER (WHERE line_day <> %(day)s),
    count(*) FILTER (WHERE line_day IS NULL OR settled IS NULL),
    sum(amount) FILTER (WHERE line_day IS NULL OR settled IS NULL),
    count(*) FILTER (WHERE line_day = %(day)s AND currency <> 'USD'),
    sum(amount) FILTER (WHERE line_day = %(day)s AND currency <> 'USD')
FROM paid
"""  # noqa: S608  # nosec B608: constants only
_LEDGER: Final = f"""
SELECT count(*) FILTER (WHERE journal.kind = 'completed'),
    -sum(posting.amount) FILTER (WHERE journal.kind = 'completed'),
    count(DISTINCT journal.id) FILTER (WHERE journal.kind = 'returned'),
    sum(posting.amount) FILTER (WHERE journal.kind = 'returned')
FROM payouts_journal journal
JOIN payouts_posting posting ON posting.journal_id = journal.id
JOIN payouts_account account ON account.id = posting.account_id
    AND (account.kind = 'network_payable' AND account.network = %(network)s
        -- Of a return of another amount, what differs; with it the push is what came back.
        OR account.kind = 'suspense' AND journal.kind = 'returned')
JOIN payouts_attempt attempt ON attempt.payment_id = journal.payment_id
WHERE journal.kind IN ('completed', 'returned')
    AND journal.created_at >= %(begins_at)s AND journal.created_at < %(ends_at)s AND {_MERCHANT}
"""  # noqa: S608  # nosec B608: constants only
_RETURNED: Final = f"""
SELECT count(*), sum(p.amount)
FROM payouts_event event JOIN payouts_payment p ON p.id = event.payment_id
JOIN payouts_attempt attempt ON attempt.payment_id = p.id
WHERE p.status = 'returned' AND event.kind = 'returned'
    AND event.created_at >= %(begins_at)s AND event.created_at < %(ends_at)s AND {_MERCHANT}
"""  # noqa: S608  # nosec B608: constants only
_LINES: Final = f"""
WITH line AS (
    SELECT line.kind, line.amount, p.amount AS ours,
        COALESCE({_COUNTS}, FALSE) AND p.completed_at IS NOT NULL AS is_paid,
        p.completed_at >= %(begins_at)s AND p.completed_at < %(ends_at)s AS is_of_day
    FROM payouts_settlementfile file
    JOIN payouts_settlementline line ON line.file_id = file.id
    LEFT JOIN payouts_payment p ON p.id = line.payment_id
    WHERE file.id = ANY(%(files)s) AND line.currency = 'USD' AND {_DAY_OF_LINE} = %(day)s
)
SELECT count(*) FILTER (WHERE kind = 'credit'), sum(amount) FILTER (WHERE kind = 'credit'),
    count(*) FILTER (WHERE kind = 'credit' AND is_paid AND NOT is_of_day),
    sum(ours) FILTER (WHERE kind = 'credit' AND is_paid AND NOT is_of_day),
    count(*) FILTER (WHERE kind = 'credit' AND NOT is_paid),
    sum(amount) FILTER (WHERE kind = 'credit' AND NOT is_paid),
    count(*) FILTER (WHERE kind = 'credit' AND is_paid AND amount <> ours),
    sum(amount - ours) FILTER (WHERE kind = 'credit' AND is_paid),
    count(*) FILTER (WHERE kind = 'return'), sum(amount) FILTER (WHERE kind = 'return')
FROM line
"""  # noqa: S608  # nosec B608: constants only
_COVERED: Final = """
SELECT COALESCE(range_agg(tstzrange(begins_at, ends_at)) @> tstzrange(%(begins_at)s, %(ends_at)s),
    FALSE)
FROM payouts_settlementfile
WHERE network = %(network)s AND acquiring_bin = %(bin)s AND card_acceptor_id = %(acceptor)s
    AND state = ANY(%(counted)s)
"""
# An entry may settle several files; what it takes more or less counts with the first of them.
_AT_BANK: Final = """
WITH booked AS (
    SELECT entry.id, min(settled.settlement_id::text) AS first,
        -entry.amount - sum(file.credited - file.returned) AS more
    FROM payouts_bankentry entry JOIN payouts_settledatbank settled ON settled.entry_id = entry.id
    JOIN payouts_settlementfile file ON file.id = settled.settlement_id
    WHERE entry.journal_id IS NOT NULL AND entry.id IN (
        SELECT entry_id FROM payouts_settledatbank WHERE settlement_id = ANY(%(files)s))
    GROUP BY entry.id
)
SELECT count(*), sum(file.credited - file.returned), count(booked.id),
    sum(file.credited - file.returned + CASE file.id::text WHEN first THEN more ELSE 0 END)
        FILTER (WHERE booked.id IS NOT NULL)
FROM payouts_settlementfile file
LEFT JOIN payouts_settledatbank settled ON settled.settlement_id = file.id
LEFT JOIN booked ON booked.id = settled.entry_id
WHERE file.id = ANY(%(files)s) AND file.credited <> file.returned
"""
# Days of files that were finished, or shown by our bank, since the day was proved last.
_NEWS: Final = """
SELECT DISTINCT day::date, file.acquiring_bin, file.card_acceptor_id
FROM payouts_settlementfile file, generate_series(
    (file.begins_at AT TIME ZONE 'UTC')::date,
    ((file.ends_at - interval '1 microsecond') AT TIME ZONE 'UTC')::date, interval '1 day') AS day
WHERE file.state = 'done' AND NOT EXISTS (
    SELECT FROM payouts_dayproof proof
    WHERE proof.day = day::date AND proof.acquiring_bin = file.acquiring_bin
        AND proof.card_acceptor_id = file.card_acceptor_id AND proof.made_at > GREATEST(
            file.finished_at,
            (SELECT entry.acted_at FROM payouts_settledatbank settled
             JOIN payouts_bankentry entry ON entry.id = settled.entry_id
             WHERE settled.settlement_id = file.id),
            (SELECT opened_at FROM payouts_case
             WHERE kind = 'missing_at_bank' AND subject = file.id::text)))
ORDER BY 1 LIMIT %(limit)s
"""


def prove_day(
    day: date, *, acquiring_bin: str | None = None, card_acceptor_id: str | None = None
) -> DayProof:
    """Prove a day (UTC) of our instructions to the network, and keep what was found.

    Reads what happened by now; proved again later, the newer row counts. Takes seconds per million
    payments.
    """
    merchant = (acquiring_bin or settings.ACQUIRING_BIN,
                card_acceptor_id or settings.CARD_ACCEPTOR_ID)  # fmt: skip
    at = timezone.now()
    with snapshot():
        figures = _figures(day, *merchant)
        document = as_document(figures)
        proof = DayProof.objects.create(
            day=day,
            network=NETWORK,
            acquiring_bin=merchant[0],
            card_acceptor_id=merchant[1],
            verdict=figures.verdict,
            figures=document,
            sha256=digest_of(document),
            made_at=at,
        )
        told = {"verdict": figures.verdict.value, "sha256": proof.digest}
        record_act(Act(verb=Verb.VERIFY, subject=subject_of(proof), after=told))
    if figures.verdict is Verdict.BROKEN:
        logger.critical("The books of %s do not agree: proof %s.", day, proof.pk)
    return proof


def prove_what_is_new(*, limit: int) -> list[DayProof]:
    """Prove the days that files have come about since they were proved, at most so many."""
    return [
        prove_day(day, acquiring_bin=acquirer, card_acceptor_id=acceptor)
        for day, acquirer, acceptor in fetch_rows(_NEWS, {"limit": limit})
    ]


def _figures(day: date, acquiring_bin: str, card_acceptor_id: str) -> DayFigures:
    begins_at = datetime.combine(day, time(), UTC)
    parameters: dict[str, Any] = {
        "day": day,
        "begins_at": begins_at,
        "ends_at": begins_at + timedelta(days=1),
        "network": NETWORK,
        "bin": acquiring_bin,
        "acceptor": card_acceptor_id,
        "counted": [state.value for state in COUNTED_STATES],
    }
    files = SettlementFile.objects.filter(
        network=NETWORK, acquiring_bin=acquiring_bin, card_acceptor_id=card_acceptor_id,
        begins_at__lt=parameters["ends_at"], ends_at__gt=begins_at,
        state__in=COUNTED_STATES,
    ).order_by("begins_at")  # fmt: skip
    named = dict(files.values_list("pk", "reference"))
    paid, other_day, no_file, currency = _sums(_PAID, parameters)
    completed, returned_in_ledger = _sums(_LEDGER, parameters)
    in_file, paid_other_day, not_paid, differ, returns = _sums(
        _LINES, {**parameters, "files": list(named)}
    )
    (returned,) = _sums(_RETURNED, parameters)
    due_at_bank, at_bank = _sums(_AT_BANK, {"files": list(named)})
    bank_until = covered_days().until
    covered = fetch_row(_COVERED, parameters)
    return DayFigures(
        day=day,
        network=NETWORK,
        acquiring_bin=acquiring_bin,
        card_acceptor_id=card_acceptor_id,
        is_covered=covered is not None and bool(covered[0]),
        files=tuple(named.values()),
        paid=paid,
        ledger=completed,
        file=in_file,
        settled_other_day=other_day,
        in_no_file=no_file,
        other_currency=currency,
        paid_other_day=paid_other_day,
        not_paid_here=not_paid,
        amounts_differ=differ,
        returned=returned,
        returned_in_ledger=returned_in_ledger,
        returned_in_file=returns,
        due_at_bank=due_at_bank,
        at_bank=at_bank,
        has_statement=bank_until is not None and bank_until > day,
        is_overdue_at_bank=bank_until is not None and bank_until >= must_be_settled_by(day),
    )


def _sums(statement: str, parameters: dict[str, Any]) -> Sequence[Sum]:
    row = fetch_row(statement, parameters)
    assert row is not None
    return [Sum(n, amount or _ZERO) for n, amount in zip(row[::2], row[1::2], strict=True)]
