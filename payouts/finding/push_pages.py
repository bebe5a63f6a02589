"""Pages and counts of pushes as a `PushQuery` asks for them: keys only, each by an index.

Which index bears a question is decided here, because PostgreSQL's statistics cannot know how rare a
status or an amount is among the newest. Every answer reads a bounded number of rows.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import models

from consumers.ids import milliseconds_of, new_id
from consumers.search import Found
from consumers.statements import fetch_row, fetch_rows
from payouts.approvals import Source
from payouts.finding.push_query import ZONE, PushQuery, within
from payouts.finding.search import REACHED, find_payments
from payouts.models import PaymentTally
from payouts.money import ZERO
from payouts.rollups.figures import Sum, sum_of_period
from payouts.rollups.sql import QUARTER_MS

COUNTED_AT_MOST: Final = 10_000
# What no index bears is met on the way: one page, or count, goes past so many pushes and stops.
LOOKED_AT_MOST: Final = 20_000
# Amounts are gathered and put in order if there are no more of them; else they are met on the way.
_GATHERED_AT_MOST: Final = 5_000
# A quarter of an hour has some twenty rows in the rollups.
_ROLLED_UP_AT_MOST: Final = timedelta(days=100) // timedelta(milliseconds=1)
_BACK_OFFICE: Final = tuple(source.value for source in Source if source is not Source.API)


class Counted(NamedTuple):
    """How many there are or, when not exact, a number that they are at least.

    `amount` are their dollars without fees; None where nobody has seen them all.
    """

    rows: int
    is_exact: bool
    amount: Decimal | None = None


class KeyPage(NamedTuple):
    """Some keys. If looking ended before the page was full, `looked_to` is the last key looked at:
    nothing between the page's beginning and that key is left out."""

    ids: list[UUID]
    looked_to: UUID | None = None


class _Way(NamedTuple):
    """A walk down the keys by one index: `roots` are where it begins (by partner, by source), and
    `bears` what the index answers."""

    roots: str
    condition: str
    bears: frozenset[str]


_KEYS: Final = "id >= %(first)s AND id < %(end)s"
_ONE_ROOT: Final = "SELECT 1 AS id"
# The partner is named twice, once as a range, so that one plan walks its own index; payouts.queries
# says why.
_THEIRS: Final = (
    "partner_id = %(partner_id)s AND partner_id BETWEEN %(partner_id)s AND %(partner_id)s"
)
_ALL: Final = _Way(_ONE_ROOT, "TRUE", frozenset())
_PARTNER: Final = _Way(_ONE_ROOT, _THEIRS, frozenset({"partner"}))
_STATUS: Final = _Way(
    "SELECT id FROM consumers_partner",
    "partner_id = root.id AND status = %(status)s",
    frozenset({"status"}),
)
_STATUS_OF_PARTNER: Final = _Way(
    _ONE_ROOT,
    "partner_id = %(partner_id)s AND status = %(status)s",
    frozenset({"partner", "status"}),
)
_FAILED_BY: Final = "failure_code = %(failure)s AND failure_code <> ''"
_FAILURE: Final = _Way(
    "SELECT id FROM consumers_partner",
    f"partner_id = root.id AND {_FAILED_BY}",
    frozenset({"failure"}),
)
_FAILURE_OF_PARTNER: Final = _Way(
    _ONE_ROOT,
    f"partner_id = %(partner_id)s AND {_FAILED_BY}",
    frozenset({"partner", "failure"}),
)
_SOURCE: Final = _Way(
    "SELECT unnest(%(sources)s::text[]) AS id",
    "source = root.id AND source <> 'api'",
    frozenset({"source"}),
)
_DAYS: Final = frozenset({"day_from", "day_to", ZONE})
_AMOUNTS: Final = frozenset({"amount_min", "amount_max"})
# Amounts are read only where they are all.
_COUNT: Final = """
SELECT few.rows, few.is_all, CASE WHEN few.is_all THEN (
    SELECT COALESCE(sum(amount), 0) FROM payouts_payment WHERE id = ANY(few.ids)
) END
FROM (
    SELECT count(id) AS rows, count(id) <= %(counted)s AND count(edge) = 0 AS is_all,
        array_agg(id) AS ids
    FROM ({walk}) AS counted(id, edge)
) few
"""
_SUM: Final = "SELECT COALESCE(sum(amount), 0) FROM payouts_payment WHERE id = ANY(%(ids)s::uuid[])"


def _walk(way: _Way, *, is_bounded: bool, limit: int) -> str:
    """The statement of a page. Numbers are written out: a plan for any number reads the table."""
    edge = (
        f"""
    SELECT seen.id FROM root CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment WHERE {way.condition} AND {_KEYS}
        ORDER BY id DESC OFFSET {LOOKED_AT_MOST} / (SELECT count(*) FROM root) LIMIT 1
    ) seen ORDER BY seen.id DESC LIMIT 1"""  # noqa: S608  # nosec B608
        if is_bounded
        else "SELECT NULL::uuid AS id"
    )
    return f"""
WITH root AS MATERIALIZED ({way.roots}), edge AS MATERIALIZED ({edge})
SELECT page.id, looked.edge FROM (SELECT (SELECT id FROM edge) AS edge) looked LEFT JOIN (
    SELECT push.id FROM root CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE {way.condition} AND {REACHED} AND {_OF_PARTNER}
          AND id >= COALESCE((SELECT id FROM edge), %(first)s)
        ORDER BY id DESC LIMIT {limit}
    ) push ORDER BY push.id DESC LIMIT {limit}
) page ON TRUE ORDER BY page.id DESC"""  # noqa: S608  # nosec B608


_OF_PARTNER: Final = "(%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)"
_UPWARD: Final = (
    ("DESC", "ASC"),
    (
        "id >= COALESCE((SELECT id FROM edge), %(first)s)",
        "id <= COALESCE((SELECT id FROM edge), %(end)s)",
    ),
)
_OF_AMOUNTS: Final = f"""
WITH near AS MATERIALIZED (
    SELECT push.id FROM consumers_partner partner CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE partner_id = partner.id
          AND amount BETWEEN COALESCE(%(amount_min)s::numeric, 0)
                         AND COALESCE(%(amount_max)s::numeric, 1000000000000)
        LIMIT %(gathered)s + 1
    ) push
    WHERE %(partner_id)s::uuid IS NULL OR partner.id = %(partner_id)s
    LIMIT %(gathered)s + 1
), few AS (
    SELECT count(*) <= %(gathered)s AS are FROM near
)
SELECT few.are, fitting.id, fitting.amount FROM few LEFT JOIN LATERAL (
    SELECT one.id, one.amount FROM near CROSS JOIN LATERAL (
        SELECT id, amount FROM payouts_payment WHERE id = near.id AND {REACHED} LIMIT 1
    ) one WHERE few.are
) fitting ON TRUE
"""  # noqa: S608  # nosec B608

# A batch has fifty thousand lines at most. Each names its push, so `REACHED` need not ask again.
_OF_BATCH: Final = f"""
SELECT one.id, one.amount FROM payouts_batchrow line CROSS JOIN LATERAL (
    SELECT id, amount FROM payouts_payment
    WHERE id = line.payment_id AND {REACHED} AND {_OF_PARTNER} LIMIT 1
) one
WHERE line.batch_id = %(of_batch)s AND line.payment_id IS NOT NULL
"""  # noqa: S608  # nosec B608


def page_of_pushes(
    query: PushQuery,
    *,
    limit: int,
    older_than: UUID | None = None,
    newer_than: UUID | None = None,
) -> KeyPage:
    """Up to `limit` keys, newest first; above `newer_than` the oldest ones, oldest first.

    Two statements at most: rare amounts are gathered before they are known to be rare.
    """
    is_upward = newer_than is not None
    reach = within(query.reach, older_than=older_than, newer_than=newer_than)
    narrowed = PushQuery(query.text, reach, query.given)
    ids = found_pushes(narrowed).ids if narrowed.text else _gathered(narrowed)
    if ids is not None:
        return KeyPage(sorted(ids, reverse=not is_upward)[:limit])
    return _walked(narrowed, limit=limit, is_upward=is_upward)


def found_pushes(query: PushQuery) -> Found:
    """What the query's text finds, within its reach: one statement."""
    return find_payments(query.text, reach=query.reach)


def count_of_pushes(query: PushQuery) -> Counted:
    """Count by maintained rows where they know, else as far as a page would look.

    Two statements at most.
    """
    if query.text:
        return count_of_found(found_pushes(query))
    if query.narrowed_by() <= {"status", "partner"}:
        return _tallied(query)
    rolled_up = _rolled_up(query)
    if rolled_up is not None:
        return Counted(rolled_up.payments, is_exact=True, amount=rolled_up.amount)
    amounts = _gathered(query)
    if amounts is not None:
        return Counted(len(amounts), is_exact=True, amount=sum(amounts.values(), ZERO))
    if query.narrowed_by() <= _AMOUNTS | {"partner"}:
        # There are too many to be gathered, and that is all there is to know.
        return Counted(_GATHERED_AT_MOST, is_exact=False)
    walk = _statement(query, limit=COUNTED_AT_MOST + 1)
    parameters = {**_parameters(query), "counted": COUNTED_AT_MOST}
    row = fetch_row(_COUNT.format(walk=walk), parameters)
    assert row is not None
    rows, is_exact, amount = row
    return Counted(min(rows, COUNTED_AT_MOST), is_exact=is_exact, amount=amount)


def count_of_found(found: Found) -> Counted:
    """The same of what a search has found: one statement, unless there is more than that."""
    if not found.is_complete:
        return Counted(len(found.ids), is_exact=False)
    row = fetch_row(_SUM, {"ids": found.ids})
    assert row is not None
    return Counted(len(found.ids), is_exact=True, amount=row[0])


def _tallied(query: PushQuery) -> Counted:
    tallies = PaymentTally.objects.all()
    if query.reach.partner_id is not None:
        tallies = tallies.filter(partner_id=query.reach.partner_id)
    if query.status is not None:
        tallies = tallies.filter(status=query.status.value)
    sums = tallies.aggregate(rows=models.Sum("payments"), amount=models.Sum("amount"))
    return Counted(int(sums["rows"] or 0), is_exact=True, amount=sums["amount"] or ZERO)


def _rolled_up(query: PushQuery) -> Sum | None:
    """What rollups know: days of all partners, not too many, perhaps of one status or reason."""
    reach = query.reach
    if not {"day_from"} <= query.narrowed_by() <= _DAYS | {"status", "failure"}:
        return None
    since, until = milliseconds_of(reach.first), milliseconds_of(reach.end)
    if "day_to" not in query.narrowed_by():
        until = milliseconds_of(new_id()) // QUARTER_MS * QUARTER_MS + QUARTER_MS
    if until - since > _ROLLED_UP_AT_MOST or since % QUARTER_MS or until % QUARTER_MS:
        return None
    first, end = (datetime.fromtimestamp(at / 1000, tz=UTC) for at in (since, until))
    return sum_of_period(first, end, status=query.status, failure=reach.failure)


def _gathered(query: PushQuery) -> dict[UUID, Decimal] | None:
    """All keys of what is surely rare, with dollars; None if it is not, or nobody knows yet."""
    if query.reach.batch_id is not None:
        parameters = {**_parameters(query), "batch_id": None, "of_batch": query.reach.batch_id}
        return dict(fetch_rows(_OF_BATCH, parameters))
    if query.reach.amount_min is None and query.reach.amount_max is None:
        return None
    rows = fetch_rows(_OF_AMOUNTS, _parameters(query))
    return {key: amount for _, key, amount in rows if key is not None} if rows[0][0] else None


def _walked(query: PushQuery, *, limit: int, is_upward: bool) -> KeyPage:
    statement = _statement(query, limit=limit)
    if is_upward:
        for downward, upward in _UPWARD:
            statement = statement.replace(downward, upward)
    rows = fetch_rows(statement, _parameters(query))
    ids = [row[0] for row in rows if row[0] is not None]
    return KeyPage(ids, rows[0][1] if len(ids) < limit else None)


def _statement(query: PushQuery, *, limit: int) -> str:
    way = _way(query)
    is_bounded = not query.narrowed_by() <= way.bears | _DAYS
    return _walk(way, is_bounded=is_bounded, limit=limit)


def _way(query: PushQuery) -> _Way:
    reach = query.reach
    if reach.source not in (None, Source.API) or reach.maker_user_id is not None:
        return _SOURCE
    if reach.failure:
        return _FAILURE if reach.partner_id is None else _FAILURE_OF_PARTNER
    if reach.statuses:
        return _STATUS if reach.partner_id is None else _STATUS_OF_PARTNER
    return _ALL if reach.partner_id is None else _PARTNER


def _parameters(query: PushQuery) -> dict[str, Any]:
    status, source = query.status, query.reach.source
    return {
        **query.reach.parameters(),
        "status": status and status.value,
        "sources": list(_BACK_OFFICE) if source is None else [source.value],
        "gathered": _GATHERED_AT_MOST,
    }
