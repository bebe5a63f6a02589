"""What we ask about payments and money. Reads only; every list is bounded by its caller."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Sum

from consumers.statements import fetch_row, fetch_rows
from payouts.models import Event, PaymentTally
from payouts.payment_record import SELECT_RECORD, PaymentRecord, record_from_row

_ONE: Final = SELECT_RECORD + "WHERE p.id = %(id)s AND p.partner_id = %(partner_id)s"

# The page is cut from the narrow index first; only its rows are joined.
_NEWEST: Final = (
    SELECT_RECORD
    + """
WHERE p.id IN (
    SELECT id FROM payouts_payment WHERE partner_id = %(partner_id)s
    AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s)
ORDER BY p.id DESC"""
)
_BEFORE: Final = (
    SELECT_RECORD
    + """
WHERE p.id IN (
    SELECT id FROM payouts_payment WHERE partner_id = %(partner_id)s AND id > %(before)s
    ORDER BY id LIMIT %(limit)s)
ORDER BY p.id"""
)
_BY_IDS: Final = SELECT_RECORD + "WHERE p.id = ANY(%(ids)s)"
_COUNT: Final = """
SELECT COALESCE(sum(payments), 0)::bigint FROM payouts_paymenttally
WHERE partner_id = %(partner_id)s
"""


def payment_record(payment_id: UUID, *, partner_id: UUID) -> PaymentRecord | None:
    """The partner's payment, or None: one statement."""
    row = fetch_row(_ONE, {"id": payment_id, "partner_id": partner_id})
    return None if row is None else record_from_row(row)


def newest_records(
    partner_id: UUID, *, after: UUID | None, limit: int, offset: int = 0
) -> list[PaymentRecord]:
    """The partner's payments below the key `after`, newest first: one statement."""
    rows = fetch_rows(
        _NEWEST, {"partner_id": partner_id, "after": after, "limit": limit, "offset": offset}
    )
    return [record_from_row(row) for row in rows]


def records_before(partner_id: UUID, *, before: UUID, limit: int) -> list[PaymentRecord]:
    """The partner's payments just above the key `before`, oldest first: one statement."""
    rows = fetch_rows(_BEFORE, {"partner_id": partner_id, "before": before, "limit": limit})
    return [record_from_row(row) for row in rows]


def records_by_ids(payment_ids: Sequence[UUID]) -> list[PaymentRecord]:
    """The payments with these ids, in their order: one statement."""
    rows = fetch_rows(_BY_IDS, {"ids": list(payment_ids)})
    by_id = {row[0]: record_from_row(row) for row in rows}
    return [by_id[payment_id] for payment_id in payment_ids if payment_id in by_id]


def payment_count(partner_id: UUID) -> int:
    """How many payments the partner has: the sum of a few maintained rows."""
    row = fetch_row(_COUNT, {"partner_id": partner_id})
    assert row is not None
    return int(row[0])


def payment_count_by_status(partner_id: UUID) -> dict[str, int]:
    """How many payments the partner has in each status, from the same maintained rows."""
    tallies = (
        PaymentTally.objects.filter(partner_id=partner_id)
        .values("status")
        .annotate(total=Sum("payments"))
    )
    return {tally["status"]: tally["total"] for tally in tallies}


class EventLine(NamedTuple):
    """One line of a payment's history."""

    number: int
    kind: str
    from_status: str
    to_status: str
    actor: str
    details: dict[str, Any]
    created_at: datetime


def payment_events(payment_id: UUID) -> list[EventLine]:
    """The whole history of a payment, oldest first. Histories are short by nature."""
    lines = Event.objects.filter(payment_id=payment_id).order_by("number").values_list(
        "number", "kind", "from_status", "to_status", "actor", "details", "created_at"
    )
    return [EventLine(*line) for line in lines]


class Balance(NamedTuple):
    """What a partner has: free to push, and held for open payments, in dollars."""

    available: Decimal
    held: Decimal


_BALANCE: Final = """
SELECT COALESCE(-sum(part.balance) FILTER (WHERE account.kind = 'available'), 0),
       COALESCE(-sum(part.balance) FILTER (WHERE account.kind = 'held'), 0)
FROM payouts_account account JOIN payouts_accountpart part ON part.account_id = account.id
WHERE account.partner_id = %(partner_id)s
"""


def partner_balance(partner_id: UUID) -> Balance:
    """The partner's balances, read in one statement, so that they belong to one instant."""
    row = fetch_row(_BALANCE, {"partner_id": partner_id})
    assert row is not None
    return Balance(*row)


