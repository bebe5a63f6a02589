"""Keeps the rollups: adds what has happened since the last time, each event exactly once.

Writers of payments know nothing of it: nothing is added to their path. Ids of events are drawn
before they are committed, so a cursor alone would pass by what becomes visible late. The linker of
the audit trail has that problem solved already: up to where it has linked, every number has its row
or never will. So the rollups follow the linker.
"""

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from consumers.statements import fetch_row, fetch_rows
from payouts.rollups.sql import OF_COUNTED, PARTNER_KEY, PUSH_KEY, of_events, summed

EVENTS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Followed:
    """How many events a run has counted, and the last one that is counted now."""

    events: int
    last_event_id: int


def follow_events() -> Followed | None:
    """Count every linked event that is not counted yet; None if somebody else is at it.

    Piece by piece: the rollups and the cursor move in one transaction, so a run that dies leaves
    whole pieces, and each event is counted once whatever happens. Call it outside of any
    transaction, or all pieces become one.
    """
    events = 0
    while (step := _follow_some()) is not None:
        events += step.events
        if step.events < EVENTS_AT_ONCE:
            return Followed(events, step.last_event_id)
    return None


def rebuild_rollups() -> int:
    """Write the rollups anew from payments and events; return how many payments they count.

    Whoever follows meanwhile finds the cursor taken; whoever reads sees the old rollups until the
    new ones are complete. Reads every payment, and every event that is not linked yet.
    """
    with transaction.atomic():
        _lock_cursor()
        last_event_id = _linked_event_id()
        _execute("DELETE FROM payouts_pushrollup")
        _execute("DELETE FROM payouts_partnerrollup")
        row = fetch_row(_REBUILD, {"last_event_id": last_event_id})
        _move_cursor(last_event_id)
    return 0 if row is None else int(row[0])


_CURSOR: Final = "SELECT last_event_id FROM payouts_rollupcursor WHERE id = 1"
_LOCK: Final = f"{_CURSOR} FOR UPDATE"
_FIRST_CURSOR: Final = """
INSERT INTO payouts_rollupcursor (id, last_event_id) VALUES (1, 0) ON CONFLICT DO NOTHING
"""

_LINKED: Final = "SELECT COALESCE(max(to_id), 0) FROM payouts_auditblock WHERE source = 'event'"

_PIECE: Final = """
SELECT count(*), max(id) FROM (
    SELECT id FROM payouts_event WHERE id > %(after)s AND id <= %(linked)s
    ORDER BY id LIMIT %(limit)s
) AS piece
"""

_ADD: Final = f"""
WITH facts AS MATERIALIZED (
    {of_events("(SELECT * FROM payouts_event WHERE id > %(after)s AND id <= %(to)s)")}
), pushes AS (
    INSERT INTO payouts_pushrollup AS kept ({PUSH_KEY}, payments, amount, fees)
    {summed("facts", by=PUSH_KEY)}
    ON CONFLICT ({PUSH_KEY}) DO UPDATE SET payments = kept.payments + excluded.payments,
        amount = kept.amount + excluded.amount, fees = kept.fees + excluded.fees
)
INSERT INTO payouts_partnerrollup AS kept ({PARTNER_KEY}, payments, amount, fees)
{summed("facts", by=PARTNER_KEY)}
ON CONFLICT ({PARTNER_KEY}) DO UPDATE SET payments = kept.payments + excluded.payments,
    amount = kept.amount + excluded.amount, fees = kept.fees + excluded.fees
"""  # noqa: S608  # nosec B608: constants only

_REBUILD: Final = f"""
WITH facts AS MATERIALIZED ({OF_COUNTED}), pushes AS (
    INSERT INTO payouts_pushrollup ({PUSH_KEY}, payments, amount, fees)
    {summed("facts", by=PUSH_KEY)}
), partners AS (
    INSERT INTO payouts_partnerrollup ({PARTNER_KEY}, payments, amount, fees)
    {summed("facts", by=PARTNER_KEY)}
)
SELECT COALESCE(sum(payments), 0)::bigint FROM facts
"""  # noqa: S608  # nosec B608: constants only


def _follow_some() -> Followed | None:
    with transaction.atomic():
        cursor = _lock_cursor(skip=True)
        if cursor is None:
            return None
        linked = _linked_event_id()
        row = fetch_row(_PIECE, {"after": cursor, "linked": linked, "limit": EVENTS_AT_ONCE})
        assert row is not None
        events, last_of_piece = row
        to_id = max(cursor, last_of_piece if events == EVENTS_AT_ONCE else linked)
        if events:
            _execute(_ADD, {"after": cursor, "to": to_id})
            # What came to nothing is not a row: nobody was asked for in that quarter any more.
            _execute("DELETE FROM payouts_pushrollup WHERE payments = 0")
            _execute("DELETE FROM payouts_partnerrollup WHERE payments = 0")
        if to_id > cursor:
            _move_cursor(to_id)
        return Followed(events, to_id)


def _lock_cursor(*, skip: bool = False) -> int | None:
    """The last event that is counted, with nobody else at it; None if there is, and `skip`."""
    lock = f"{_LOCK} SKIP LOCKED" if skip else _LOCK
    row = fetch_row(lock, {})
    if row is None and fetch_row(_CURSOR, {}) is None:
        # The very first run. Of two at once the second waits here for the first.
        _execute(_FIRST_CURSOR)
        row = fetch_row(lock, {})
    return None if row is None else int(row[0])


def _linked_event_id() -> int:
    row = fetch_row(_LINKED, {})
    assert row is not None
    return max(0, int(row[0]))


def _move_cursor(last_event_id: int) -> None:
    fetch_rows(
        "UPDATE payouts_rollupcursor SET last_event_id = %(id)s, followed_at = %(at)s"
        " WHERE id = 1 RETURNING id",
        {"id": last_event_id, "at": timezone.now()},
    )


def _execute(statement: str, parameters: dict[str, int] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
