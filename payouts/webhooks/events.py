"""The events that partners are told of: their names, their ids, and what they look like as JSON.

An event is made from what never changes again (the row of the history, what the payment asked for),
so it reads the same in every try, in every replay, and in `/v2/events/`. Plain Python.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from consumers.partner_events import CARD_EVENTS, CONSUMER_EVENTS
from payouts.declines import decline_for, own_failure
from payouts.money import CURRENCY
from payouts.states import Status, money_moved, safe_to_retry

PAYMENT_PREFIX: Final = "payment.oct."
# What else stands in a history concerns nobody but us: who asked whom, and single decisions.
PAYMENT_KINDS: Final = (
    "created", "approval_required", "approved", "rejected", "expired", "canceled", "sent",
    "unknown", "completed", "failed", "returned", "disputed", "upheld", "corrected",
)  # fmt: skip
WEBHOOK_DISABLED: Final = "webhook.disabled"
WEBHOOK_TEST: Final = "webhook.test"

EVENT_TYPES: Final = (
    *(f"{PAYMENT_PREFIX}{kind}" for kind in PAYMENT_KINDS),
    *(f"consumer.{what}" for what in CONSUMER_EVENTS),
    *(f"card.{what}" for what in CARD_EVENTS),
    WEBHOOK_DISABLED,
    WEBHOOK_TEST,
)
# A group stands for all of its types, of later versions too.
EVENT_GROUPS: Final = tuple(dict.fromkeys(f"{name.rpartition('.')[0]}.*" for name in EVENT_TYPES))

EVENT_ID_PATTERN: Final = r"^evt_[0-9a-f]{32}(_[1-9][0-9]{0,9})?$"
_EVENT_ID = re.compile(EVENT_ID_PATTERN)


class EventKey(NamedTuple):
    """What an event's id says: a payment and the number of its event, or the key of another's."""

    key: UUID
    number: int | None


class ToldEvent(NamedTuple):
    """An event with all that is told. `payment` is None for what is not about one."""

    position: int
    type: str
    created_at: datetime
    key: UUID
    number: int | None
    data: Mapping[str, Any]
    payment: "ToldPayment | None"

    @property
    def id(self) -> str:
        return event_id(self.key, self.number)


class ToldPayment(NamedTuple):
    """What a payment's event tells of it; `status` is that of then."""

    id: UUID
    amount: Decimal
    fee_amount: Decimal
    status: str
    consumer_id: UUID
    card_id: UUID
    description: str
    reference: str
    metadata: dict[str, str]
    created_at: datetime
    completed_at: datetime | None
    failure_code: str
    network_code: str
    # What cases said of its money then, beyond the status.
    moved_otherwise: str


def event_id(key: UUID, number: int | None) -> str:
    """The public id: the same for ever, in every try and on every way."""
    return f"evt_{key.hex}" if number is None else f"evt_{key.hex}_{number}"


def event_key(public_id: str) -> EventKey | None:
    """What a public id names, or None if it is none of ours."""
    if _EVENT_ID.fullmatch(public_id) is None:
        return None
    _, key, *number = public_id.split("_")
    return EventKey(UUID(key), int(number[0]) if number else None)


def event_document(event: ToldEvent) -> dict[str, Any]:
    """The event as it is sent and listed; `type`, `timestamp` and `data` as Standard Webhooks."""
    return {
        "id": event.id,
        "type": event.type,
        "timestamp": event.created_at,
        "number": event.number,
        "data": event.data if event.payment is None else _payment_data(event.payment),
    }


def _payment_data(payment: ToldPayment) -> dict[str, Any]:
    status = Status(payment.status)
    is_paid = status in (Status.COMPLETED, Status.RETURNED)
    return {
        "id": payment.id,
        "amount": payment.amount,
        "direction": "Push",
        "status": status.value,
        "consumer_id": payment.consumer_id,
        "external_payment_card_id": payment.card_id,
        "fee_amount": payment.fee_amount,
        "currency": CURRENCY,
        "description": payment.description,
        "reference": payment.reference,
        "metadata": payment.metadata,
        "created_at": payment.created_at,
        "completed_at": payment.completed_at if is_paid else None,
        "failure": _failure(payment) if status is Status.FAILED else None,
        "money_moved": money_moved(status, payment.moved_otherwise).value,
        "safe_to_retry": safe_to_retry(status, payment.moved_otherwise),
    }


def _failure(payment: ToldPayment) -> dict[str, Any]:
    if payment.network_code:
        decline = decline_for(payment.network_code)
    else:
        decline = own_failure(payment.failure_code)
    return {
        "code": payment.failure_code,
        "reason": decline.staff_text,
        "network_code": payment.network_code or None,
        "retryable": decline.retryable,
    }
