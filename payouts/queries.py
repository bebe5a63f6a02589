"""What we ask about payments and money. Reads only; every list is bounded by its caller."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Sum

from consumers.statements import fetch_row, fetch_rows
from payouts.models import Event, NetworkNotification, PaymentTally
from payouts.payment_record import PaymentRecord, record_from_row, select_records
from payouts.states import Status

_ONE: Final = select_records(
    "SELECT * FROM payouts_payment WHERE id = %(id)s AND partner_id = %(partner_id)s"
)
_BY_IDS: Final = select_records("SELECT * FROM payouts_payment WHERE id = ANY(%(ids)s)")
_COUNT: Final = """
SELECT COALESCE(sum(payments), 0)::bigint FROM payouts_paymenttally
WHERE partner_id = %(partner_id)s
"""

# Pages, with two blanks. {limit} is written out and not bound: a plan for any number of rows reads
# the whole table. {theirs} names the partner a second time, as a range: one plan serves everybody,
# so the planner takes each for an average one and would look for its payments among everybody's,
# which takes seconds for one that has few. What is named so often must be rare, it thinks then, and
# walks the partner's own index.

_THEIRS: Final = """
    partner_id = %(partner_id)s AND partner_id BETWEEN %(partner_id)s AND %(partner_id)s"""
_NEWEST: Final = select_records(
    """
    SELECT * FROM payouts_payment WHERE {theirs} AND id < %(after)s
    ORDER BY id DESC LIMIT {limit}""",
    order="p.id DESC",
    beside=_COUNT,
)
_BEFORE: Final = select_records(
    """
    SELECT * FROM payouts_payment WHERE {theirs} AND id > %(before)s
    ORDER BY id LIMIT {limit}""",
    beside=_COUNT,
)
# Cut from the narrow index first, which skips ten rows in the time of one of the table.
_NUMBERED: Final = select_records(
    """
    SELECT * FROM payouts_payment WHERE id IN (
        SELECT id FROM payouts_payment WHERE {theirs}
        ORDER BY id DESC LIMIT {limit} OFFSET %(offset)s)""",
    order="p.id DESC",
    beside=_COUNT,
)
_LARGEST_ID: Final = UUID(int=2**128 - 1)


@cache
def _of_size(statement: str, limit: int) -> str:
    """The statement of a page for one size of it; there are no more sizes than a page has rows."""
    return statement.format(theirs=_THEIRS, limit=limit)


def payment_record(payment_id: UUID, *, partner_id: UUID) -> PaymentRecord | None:
    """The partner's payment, or None: one statement."""
    row = fetch_row(_ONE, {"id": payment_id, "partner_id": partner_id})
    return None if row is None else record_from_row(row)


class Records(NamedTuple):
    """Some payments of a partner, and how many it has in all."""

    records: list[PaymentRecord]
    in_all: int


def newest_records(partner_id: UUID, *, after: UUID | None = None, limit: int) -> Records:
    """The partner's payments below the key `after`, newest first: one statement."""
    statement = _of_size(_NEWEST, limit)
    return _counted(statement, {"partner_id": partner_id, "after": after or _LARGEST_ID})


def records_before(partner_id: UUID, *, before: UUID, limit: int) -> Records:
    """The partner's payments just above the key `before`, oldest first: one statement."""
    return _counted(_of_size(_BEFORE, limit), {"partner_id": partner_id, "before": before})


def numbered_records(partner_id: UUID, *, offset: int, limit: int) -> Records:
    """The partner's payments after the `offset` newest ones, newest first: one statement.

    Skipping costs time: `newest_records` is as fast at the end of a history as at its beginning.
    """
    return _counted(_of_size(_NUMBERED, limit), {"partner_id": partner_id, "offset": offset})


def _counted(statement: str, parameters: Mapping[str, Any]) -> Records:
    """Every row tells the count, so only an empty page has to ask for it."""
    rows = fetch_rows(statement, parameters)
    if not rows:
        return Records([], payment_count(parameters["partner_id"]))
    return Records([record_from_row(row) for row in rows], rows[0][-1])


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


_OLDEST: Final = """
SELECT payment.id FROM consumers_partner partner CROSS JOIN LATERAL (
    SELECT id FROM payouts_payment WHERE partner_id = partner.id AND status = %(status)s
    ORDER BY id LIMIT 1
) payment
ORDER BY payment.id LIMIT 1
"""


def oldest_of_status(status: Status) -> UUID | None:
    """The oldest payment of a status, of all partners. One statement, which asks the index partner
    by partner: a walk down the keys in search of something rare would read the whole table.
    """
    row = fetch_row(_OLDEST, {"status": status.value})
    return None if row is None else row[0]


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
    lines = (
        Event.objects.filter(payment_id=payment_id)
        .order_by("number")
        .values_list("number", "kind", "from_status", "to_status", "actor", "details", "created_at")
    )
    return [EventLine(*line) for line in lines]


class WebhookAlarm(NamedTuple):
    """How many webhooks we switched off because they failed, and how many fail now."""

    switched_off: int
    failing: int


_WEBHOOK_ALARM: Final = """
SELECT count(*) FILTER (WHERE disabled_why IN ('gone', 'failing')),
       count(*) FILTER (WHERE state = 'enabled' AND failing_since IS NOT NULL)
FROM payouts_webhookendpoint WHERE removed_at IS NULL
"""


def webhook_alarm() -> WebhookAlarm:
    """How the webhooks of all partners do. One statement; there are not many of them."""
    row = fetch_row(_WEBHOOK_ALARM, {})
    assert row is not None
    return WebhookAlarm(*row)


def notifications_set_aside() -> int:
    """How many notifications of networks nobody could use and nobody tries to. One statement."""
    return NetworkNotification.objects.filter(set_aside_at__isnull=False).count()


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
