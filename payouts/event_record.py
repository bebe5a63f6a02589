"""Reads events with all that is told of them: one statement, for lists, look-ups and the sender."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from consumers.statements import fetch_row, fetch_rows
from payouts.webhooks.events import EventKey, ToldEvent, ToldPayment, event_key

_EVENTS: Final = """
SELECT told.position, told.type, told.created_at,
    COALESCE(payment.id, other.key), event.number, other.data,
    payment.id, payment.amount, payment.fee_amount, event.to_status, payment.consumer_id,
    payment.card_id, payment.description, payment.reference, payment.metadata, payment.created_at,
    payment.completed_at, payment.failure_code, payment.network_code,
    COALESCE(event.details ->> 'money_moved', '')
FROM ({told}) AS told
LEFT JOIN payouts_event event ON told.source = 'payment' AND event.id = told.source_id
LEFT JOIN payouts_payment payment ON payment.id = event.payment_id
LEFT JOIN consumers_partnerevent other ON told.source = 'partner' AND other.id = told.source_id
ORDER BY told.position
"""
_OF_TYPES: Final = " AND type = ANY(%(types)s)"
# The partner twice, so that the planner walks the partner's own index; see payouts/queries.py.
_AFTER: Final = """
SELECT * FROM payouts_outboxevent
WHERE partner_id = %(partner_id)s AND partner_id BETWEEN %(partner_id)s AND %(partner_id)s
  AND position > %(after)s{types}
ORDER BY position LIMIT %(limit)s"""
_AT: Final = "SELECT * FROM payouts_outboxevent WHERE position = ANY(%(positions)s)"


def events_after(
    partner_id: UUID, *, after: int, types: Sequence[str] = (), limit: int
) -> list[ToldEvent]:
    """The partner's events above a position, oldest first; all types, or these."""
    told = _AFTER.replace("{types}", _OF_TYPES if types else "")
    named = {"partner_id": partner_id, "after": after, "limit": limit, "types": list(types)}
    return [_event(row) for row in fetch_rows(_EVENTS.format(told=told), named)]


def events_at(positions: Sequence[int]) -> dict[int, ToldEvent]:
    """The events at these positions, by position."""
    rows = fetch_rows(_EVENTS.format(told=_AT), {"positions": list(positions)})
    return {row[0]: _event(row) for row in rows}


_POSITION_OF_PAYMENT: Final = """
SELECT told.position FROM payouts_event event
JOIN payouts_outboxevent told ON told.source = 'payment' AND told.source_id = event.id
WHERE event.payment_id = %(key)s AND event.number = %(number)s AND told.partner_id = %(partner_id)s
"""
_POSITION_OF_OTHER: Final = """
SELECT told.position FROM consumers_partnerevent other
JOIN payouts_outboxevent told ON told.source = 'partner' AND told.source_id = other.id
WHERE other.key = %(key)s AND told.partner_id = %(partner_id)s
"""


def event_position(public_id: str, *, partner_id: UUID) -> int | None:
    """Where the partner's event with this id stands; None if it has no such event."""
    key = event_key(public_id)
    return None if key is None else _position(key, partner_id)


def _position(key: EventKey, partner_id: UUID) -> int | None:
    statement = _POSITION_OF_OTHER if key.number is None else _POSITION_OF_PAYMENT
    # Numbers are stored in four bytes; a larger one names nothing.
    if key.number is not None and key.number >= 2**31:
        return None
    row = fetch_row(statement, {**key._asdict(), "partner_id": partner_id})
    return None if row is None else int(row[0])


def _event(row: Sequence[Any]) -> ToldEvent:
    payment = None if row[6] is None else ToldPayment._make(row[6:])
    return ToldEvent._make((*row[:6], payment))
