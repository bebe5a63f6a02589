"""Judges lines of settlement files against our payments, in SQL over many lines at once.

By identity first; what has an identity of nobody is then looked for by amount, day and card. Reads
payments and changes none. The statements are practical at a million lines: each line is looked up
by the attempt's unique index, and payments are read once a file.
"""

from typing import Any, Final

from consumers.statements import fetch_rows
from payouts.models import COUNTED_STATES, SettlementFile, SettlementFinding
from payouts.reconciliation.settlements import CLOCKS_DIFFER_AT_MOST, NOT_COUNTED, LineOutcome

# Between these days (UTC) a payment can be settled: from its first send to when we knew.
_DAYS: Final = """
    ((attempt.created_at - %(skew)s) AT TIME ZONE 'UTC')::date
    AND ((p.completed_at + %(skew)s) AT TIME ZONE 'UTC')::date
"""
_NOT_COUNTED: Final = "('{}', '{}', '{}')".format(*NOT_COUNTED)

_JUDGE: Final = f"""
WITH found AS (
    SELECT line.number, line.kind, line.amount, line.currency, attempt.payment_id,
        p.status, p.moved_otherwise, p.amount AS ours, p.completed_at,
        line.settled_on BETWEEN {_DAYS} AS is_in_time,
        row_number() OVER (PARTITION BY attempt.payment_id, line.kind ORDER BY line.number) AS nth
    FROM payouts_settlementline line
    LEFT JOIN payouts_attempt attempt ON attempt.network = %(network)s
        AND attempt.retrieval_reference_number = line.retrieval_reference_number
        AND attempt.trace_number = line.trace_number
        AND attempt.terminal_id = line.terminal_id
        AND attempt.acquiring_bin = line.acquiring_bin
        AND attempt.card_acceptor_id = line.card_acceptor_id
    LEFT JOIN payouts_payment p ON p.id = attempt.payment_id
    WHERE line.file_id = %(file)s AND line.number > %(after)s AND line.number <= %(until)s
)
UPDATE payouts_settlementline line SET payment_id = found.payment_id, outcome = CASE
    WHEN found.payment_id IS NULL THEN '{LineOutcome.MISSING_HERE}'
    WHEN nth > 1 OR EXISTS (
        SELECT FROM payouts_settlementline earlier
        WHERE earlier.payment_id = found.payment_id AND earlier.kind = found.kind
            AND earlier.outcome NOT IN {_NOT_COUNTED}
    ) THEN '{LineOutcome.DUPLICATE}'
    WHEN found.currency <> %(currency)s THEN '{LineOutcome.CURRENCY_DIFFERS}'
    WHEN found.kind = 'return' AND status <> 'returned' THEN '{LineOutcome.RETURNED}'
    WHEN found.amount <> ours THEN '{LineOutcome.AMOUNT_DIFFERS}'
    WHEN found.kind = 'return' THEN '{LineOutcome.MATCHED}'
    WHEN status IN ('submitted', 'unknown') THEN '{LineOutcome.RESOLVES}'
    -- What two people have booked counts, whatever the status says.
    WHEN moved_otherwise = 'no' OR (moved_otherwise <> 'yes' AND completed_at IS NULL)
        THEN '{LineOutcome.CONTRADICTS}'
    WHEN NOT is_in_time THEN '{LineOutcome.LATE}'
    ELSE '{LineOutcome.MATCHED}' END
FROM found
WHERE line.file_id = %(file)s AND line.number = found.number
RETURNING NULL
"""  # noqa: S608  # nosec B608: constants only

_NOTE_LINES: Final = f"""
INSERT INTO payouts_settlementfinding (file_id, line_number, outcome, payment_id, amount)
SELECT file_id, number, CASE outcome WHEN '{LineOutcome.MATCHED}' THEN '{LineOutcome.CAME}'
    ELSE outcome END, payment_id, amount
FROM payouts_settlementline
WHERE file_id = %(file)s AND number > %(after)s AND number <= %(until)s
    AND (outcome <> '{LineOutcome.MATCHED}' OR kind = 'credit' AND payment_id IN (
        SELECT payment_id FROM payouts_case WHERE state = 'open' AND kind = 'missing_there'))
RETURNING NULL
"""  # noqa: S608  # nosec B608: constants only

# Paid by our books, at a time that files are about from beginning to end, and in none of them.
_NOTE_GAPS: Final = f"""
WITH covered AS (
    SELECT range_agg(tstzrange(begins_at, ends_at)) AS spans FROM payouts_settlementfile
    WHERE network = %(network)s AND acquiring_bin = %(bin)s AND card_acceptor_id = %(acceptor)s
        AND state = ANY(%(counted)s)
)
INSERT INTO payouts_settlementfinding (file_id, outcome, payment_id, amount)
SELECT %(file)s, '{LineOutcome.MISSING_THERE}', p.id, p.amount
FROM covered, payouts_payment p JOIN payouts_attempt attempt ON attempt.payment_id = p.id
WHERE p.status IN ('completed', 'returned') AND p.moved_otherwise <> 'no'
    AND attempt.network = %(network)s AND attempt.acquiring_bin = %(bin)s
    AND attempt.card_acceptor_id = %(acceptor)s
    AND attempt.created_at - %(skew)s < %(ends_at)s AND p.completed_at + %(skew)s >= %(begins_at)s
    AND covered.spans @> tstzrange(attempt.created_at - %(skew)s, p.completed_at + %(skew)s, '[]')
    AND NOT EXISTS (
        SELECT FROM payouts_settlementline line
        WHERE line.payment_id = p.id AND line.kind = 'credit'
            AND line.outcome NOT IN {_NOT_COUNTED})
ON CONFLICT DO NOTHING
RETURNING NULL
"""  # noqa: S608  # nosec B608: constants only

# Only where it is certain which: one line and one payment with this amount, day and card.
_PAIR: Final = f"""
WITH pair AS (
    SELECT stranger.id AS line_finding, gap.id AS gap_finding, gap.payment_id,
        count(*) OVER (PARTITION BY stranger.id) AS gaps,
        count(*) OVER (PARTITION BY gap.id) AS strangers
    FROM payouts_settlementfinding stranger
    JOIN payouts_settlementline line
        ON line.file_id = stranger.file_id AND line.number = stranger.line_number
    JOIN payouts_settlementfinding gap ON gap.file_id = stranger.file_id
        AND gap.outcome = '{LineOutcome.MISSING_THERE}' AND gap.amount = stranger.amount
    JOIN payouts_payment p ON p.id = gap.payment_id
    JOIN payouts_attempt attempt ON attempt.payment_id = p.id
    JOIN consumers_paymentcard card ON card.id = p.card_id
    WHERE stranger.file_id = %(file)s AND stranger.outcome = '{LineOutcome.MISSING_HERE}'
        AND line.kind = 'credit' AND line.currency = %(currency)s AND line.card_last4 = card.last4
        AND line.settled_on BETWEEN {_DAYS}
), gone AS (
    DELETE FROM payouts_settlementfinding finding USING pair
    WHERE finding.id = pair.gap_finding AND pair.gaps = 1 AND pair.strangers = 1
)
UPDATE payouts_settlementfinding finding
SET outcome = '{LineOutcome.IDENTITY_DIFFERS}', payment_id = pair.payment_id
FROM pair WHERE finding.id = pair.line_finding AND pair.gaps = 1 AND pair.strangers = 1
RETURNING finding.line_number, pair.payment_id
"""  # noqa: S608  # nosec B608: constants only

_NOTE_PAIRS: Final = f"""
UPDATE payouts_settlementline line
SET outcome = '{LineOutcome.IDENTITY_DIFFERS}', payment_id = paired.payment_id
FROM unnest(%(numbers)s::int[], %(payments)s::uuid[]) AS paired (number, payment_id)
WHERE line.file_id = %(file)s AND line.number = paired.number
RETURNING NULL
"""  # noqa: S608  # nosec B608: constants only


def judge_lines(file: SettlementFile, *, after: int, until: int) -> None:
    """Judge the lines numbered above `after` up to `until`, and note those that are not right.

    Runs in the caller's transaction, once for each line.
    """
    bounds = {**_parameters(file), "after": after, "until": until}
    fetch_rows(_JUDGE, bounds)
    fetch_rows(_NOTE_LINES, bounds)


def compare_with_payments(file: SettlementFile) -> None:
    """Note the payments that the file should have and has not; find what strayed from its identity.

    Runs in the caller's transaction, after every line is judged.
    """
    parameters = _parameters(file)
    fetch_rows(_NOTE_GAPS, parameters)
    if paired := fetch_rows(_PAIR, parameters):
        numbers, payments = zip(*paired, strict=True)
        pairs = {"numbers": list(numbers), "payments": list(payments)}
        fetch_rows(_NOTE_PAIRS, {**parameters, **pairs})


def wants_two_people(file: SettlementFile) -> bool:
    """Whether anything is not simply right: acting on the file changes pushes or makes cases."""
    return SettlementFinding.objects.filter(file=file).exists()


def _parameters(file: SettlementFile) -> dict[str, Any]:
    return {
        "file": file.pk,
        "network": file.network,
        "bin": file.acquiring_bin,
        "acceptor": file.card_acceptor_id,
        "currency": file.currency,
        "begins_at": file.begins_at,
        "ends_at": file.ends_at,
        "skew": CLOCKS_DIFFER_AT_MOST,
        "counted": [state.value for state in COUNTED_STATES],
    }
