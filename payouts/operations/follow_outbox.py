"""Gives every event its place in the order in which partners are told, once, and addresses it.

Writers know nothing of it: nothing is added to the path of a create. What they wrote in the
transaction of the change is the outbox; this follows it, as soon as it is decided what is in it.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from consumers.statements import fetch_row, fetch_rows
from payouts.decided_ids import decided_ids
from payouts.webhooks.events import PAYMENT_KINDS, PAYMENT_PREFIX, WEBHOOK_TEST

# Ids of a source that a transaction looks at: few enough to be through in a moment.
IDS_AT_ONCE: Final = 5_000
PATIENCE_SECONDS: Final = 2.0

_PAYMENTS: Final = "payouts_event"
_OTHERS: Final = "consumers_partnerevent"


@dataclass(frozen=True, slots=True)
class Told:
    """How many events a run has put in order, and how many deliveries came of them."""

    events: int
    deliveries: int


def follow_outbox(*, patience_seconds: float = PATIENCE_SECONDS) -> Told | None:
    """Put in order whatever was written since the last time; None if somebody else is at it.

    Piece by piece: events, their deliveries and the cursor move in one transaction, so a run that
    dies leaves whole pieces and every event gets one position, whatever happens. The events of one
    payment keep their order. Call it outside of any transaction.
    """
    decided = decided_ids((_PAYMENTS, _OTHERS), patience_seconds=patience_seconds)
    bounds = {"payments": decided.get(_PAYMENTS, 0), "others": decided.get(_OTHERS, 0)}
    events = deliveries = 0
    while (piece := _follow_some(bounds)) is not None:
        events, deliveries = events + piece.events, deliveries + piece.deliveries
        if piece.is_last:
            return Told(events, deliveries)
    return None


@dataclass(frozen=True, slots=True)
class _Piece:
    events: int
    deliveries: int
    is_last: bool


_CURSOR: Final = """
SELECT last_position, last_payment_event_id, last_partner_event_id
FROM payouts_outboxcursor WHERE id = 1
"""
_LOCK: Final = f"{_CURSOR} FOR UPDATE SKIP LOCKED"
_FIRST_CURSOR: Final = """
INSERT INTO payouts_outboxcursor (id, last_position, last_payment_event_id, last_partner_event_id)
VALUES (1, 0, 0, 0) ON CONFLICT DO NOTHING RETURNING id
"""

# Within a source always by id, which is the order of one payment's events.
_ORDER: Final = """
INSERT INTO payouts_outboxevent (position, partner_id, type, source, source_id, created_at)
SELECT %(position)s + row_number() OVER (ORDER BY source, source_id),
    partner_id, type, source, source_id, created_at
FROM (
    SELECT payment.partner_id, %(prefix)s || event.kind AS type, 'payment' AS source,
        event.id AS source_id, event.created_at
    FROM payouts_event event JOIN payouts_payment payment ON payment.id = event.payment_id
    WHERE event.id > %(payments_after)s AND event.id <= %(payments_to)s
      AND event.kind = ANY(%(kinds)s)
    UNION ALL
    SELECT partner_id, type, 'partner', id, created_at FROM consumers_partnerevent
    WHERE id > %(others_after)s AND id <= %(others_to)s
) AS written
RETURNING position
"""

# What was written before an endpoint was there is not sent to it; a replay can. A test goes to the
# endpoint that it is for, whatever that wants to hear, and nowhere else.
_ADDRESS: Final = """
INSERT INTO payouts_delivery (endpoint_id, position, state, claim, tries, due_at, log, last_error,
                              last_answer)
SELECT endpoint.id, event.position, 'due', 0, 0, %(at)s, '[]', '', ''
FROM payouts_outboxevent event
JOIN payouts_webhookendpoint endpoint ON endpoint.partner_id = event.partner_id
LEFT JOIN consumers_partnerevent test
    ON event.type = %(test)s AND event.source = 'partner' AND test.id = event.source_id
WHERE event.position > %(position)s AND endpoint.state = 'enabled'
  AND event.created_at >= endpoint.created_at
  AND CASE WHEN event.type = %(test)s THEN test.subject_id = endpoint.id
           ELSE endpoint.types = '{}' OR event.type = ANY(endpoint.types)
                OR regexp_replace(event.type, '[^.]+$', '*') = ANY(endpoint.types) END
-- Numbered as they happened, whatever the plan: the lowest numbers are sent first.
ORDER BY event.position, endpoint.id
RETURNING id
"""

_MOVE: Final = """
UPDATE payouts_outboxcursor
SET last_position = %(position)s, last_payment_event_id = %(payments)s,
    last_partner_event_id = %(others)s, followed_at = %(at)s
WHERE id = 1 RETURNING id
"""


def _follow_some(decided: dict[str, int]) -> _Piece | None:
    at = timezone.now()
    with transaction.atomic():
        cursor = _locked_cursor()
        if cursor is None:
            return None
        position, payments_after, others_after = cursor
        payments_to = max(payments_after, min(decided["payments"], payments_after + IDS_AT_ONCE))
        others_to = max(others_after, min(decided["others"], others_after + IDS_AT_ONCE))
        if (payments_to, others_to) == (payments_after, others_after):
            return _Piece(0, 0, is_last=True)
        bounds = {
            "payments_after": payments_after,
            "payments_to": payments_to,
            "others_after": others_after,
            "others_to": others_to,
        }
        events = _ordered(position, bounds)
        deliveries = len(
            fetch_rows(_ADDRESS, {"position": position, "test": WEBHOOK_TEST, "at": at})
            if events
            else ()
        )
        moved = {"position": position + events, "payments": payments_to, "others": others_to}
        fetch_row(_MOVE, {**moved, "at": at})
    is_last = payments_to >= decided["payments"] and others_to >= decided["others"]
    return _Piece(events, deliveries, is_last)


def _locked_cursor() -> tuple[Any, ...] | None:
    """The cursor with nobody else at it, or None if there is."""
    row = fetch_row(_LOCK, {})
    if row is None and fetch_row(_CURSOR, {}) is None:
        # The very first run. Of two at once the second waits here for the first.
        fetch_row(_FIRST_CURSOR, {})
        row = fetch_row(_LOCK, {})
    return row


def _ordered(position: int, bounds: dict[str, Any]) -> int:
    named = {"position": position, "prefix": PAYMENT_PREFIX, "kinds": list(PAYMENT_KINDS)}
    return len(fetch_rows(_ORDER, {**named, **bounds}))
