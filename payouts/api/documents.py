"""What the API shows of payments, as plain mappings ready to be written as JSON."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from payouts.approvals import Requirement, people_needed
from payouts.declines import Decline, decline_for, own_failure
from payouts.limits import Headroom
from payouts.money import CURRENCY
from payouts.operations.judge import Reason
from payouts.operations.quote_payment import Quote
from payouts.payment_record import PaymentRecord
from payouts.queries import Balance, EventLine
from payouts.states import MoneyMoved, Status, money_moved, safe_to_retry

DIRECTION: Final = "Push"


class _Shown(NamedTuple):
    """What status and cases say; looked up, because a list asks for every row."""

    status: str
    money_moved: str
    safe_to_retry: bool


_SHOWN: Final = {
    (status, otherwise): _Shown(
        status.value, money_moved(status, otherwise).value, safe_to_retry(status, otherwise)
    )
    for status in Status
    for otherwise in ("", *(moved.value for moved in MoneyMoved))
}


def payment_document(payment: PaymentRecord) -> dict[str, Any]:
    """The payment as create, list and retrieve show it. First the seven members of the contract."""
    status, moved, is_safe_to_retry = _SHOWN[payment.status, payment.moved_otherwise]
    return {
        "id": payment.id,
        "amount": payment.amount,
        "direction": DIRECTION,
        "status": status,
        "consumer_id": payment.consumer_id,
        "external_payment_card_id": payment.card_id,
        "fee_amount": payment.fee_amount,
        "currency": CURRENCY,
        "pcid": payment.pcid,
        "description": payment.description,
        "reference": payment.reference,
        "metadata": payment.metadata,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
        "completed_at": payment.completed_at,
        "card": {"network": payment.card_network, "last4": payment.card_last4},
        "network": _network_document(payment),
        "failure": _failure_document(payment),
        "money_moved": moved,
        "safe_to_retry": is_safe_to_retry,
        "approval": _approval_document(payment),
    }


def _network_document(payment: PaymentRecord) -> dict[str, Any] | None:
    if payment.attempt_network is None:
        return None
    return {
        "name": payment.attempt_network,
        "retrieval_reference_number": payment.retrieval_reference_number,
        "trace_number": payment.trace_number,
        "approval_code": payment.approval_code or None,
        "transaction_id": payment.transaction_id or None,
    }


def _failure_document(payment: PaymentRecord) -> dict[str, Any] | None:
    if payment.status is not Status.FAILED:
        return None
    decline = _decline_of(payment)
    return {
        "code": payment.failure_code,
        "reason": decline.staff_text,
        "payee_message": decline.payee_text,
        "network_code": payment.network_code or None,
        "retryable": decline.retryable,
        "retry_after": (
            payment.updated_at + (decline.retry_after or timedelta()) if decline.retryable else None
        ),
    }


def _decline_of(payment: PaymentRecord) -> Decline:
    if payment.network_code:
        return decline_for(payment.network_code)
    return own_failure(payment.failure_code)


def _approval_document(payment: PaymentRecord) -> dict[str, Any] | None:
    if payment.status is not Status.PENDING_APPROVAL:
        return None
    requirements = [Requirement(*one) for one in payment.requirements or ()]
    return {
        "required": people_needed(requirements),
        "given": payment.decisions_given,
        "expires_at": payment.approval_expires_at,
        "reasons": [one.name for one in requirements],
    }


def event_document(event: EventLine) -> dict[str, Any]:
    return {
        "number": event.number,
        "type": f"payment.oct.{event.kind}",
        "from_status": event.from_status or None,
        "to_status": event.to_status,
        "actor": event.actor,
        "details": event.details,
        "created_at": event.created_at,
    }


def balance_document(balance: Balance) -> dict[str, Any]:
    return {"available": balance.available, "held": balance.held, "currency": CURRENCY}


def quote_document(quote: Quote) -> dict[str, Any]:
    return {
        "amount": quote.amount,
        "fee_amount": quote.fee,
        "total": quote.total,
        "currency": CURRENCY,
        "can_be_pushed": not quote.reasons,
        "problems": [reason_document(reason) for reason in quote.reasons],
        "eligibility": _eligibility_document(quote),
        "limits": [named for room in quote.headrooms for named in _named_rooms(room)],
        "approvals": [approval._asdict() for approval in quote.approvals],
        "possible_duplicate": quote.is_possible_duplicate,
        "idempotency_key_required": quote.is_key_required,
        "quoted_at": quote.quoted_at,
    }


def reason_document(reason: Reason) -> dict[str, Any]:
    return {
        "field": reason.field,
        "code": reason.code,
        "message": reason.message,
        **(reason.details or {}),
    }


def _eligibility_document(quote: Quote) -> dict[str, Any]:
    """What the network said about the card, and how long ago. Of a missing card we know nothing."""
    card = quote.card
    if card is None:
        return {"eligible": None, "speed": None, "checked_at": None, "age_seconds": None}
    checked_at = card.push_checked_at
    age = None if checked_at is None else quote.quoted_at - checked_at
    return {
        "eligible": card.push_eligible,
        "speed": card.push_speed or None,
        "checked_at": checked_at,
        "age_seconds": None if age is None else max(0, int(age.total_seconds())),
    }


def _named_rooms(room: Headroom) -> Iterator[dict[str, Any]]:
    """By the names that a refusal uses, one for each bound that the limit sets."""
    if room.amount is not None:
        yield {"limit": f"{room.scope}_amount", "left": room.amount}
    if room.count is not None:
        yield {"limit": f"{room.scope}_count", "left": room.count}
