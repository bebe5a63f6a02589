"""What the API shows of payments, as plain mappings ready to be written as JSON."""

from datetime import timedelta
from typing import Any, Final

from payouts.approvals import Requirement
from payouts.declines import Decline, decline_for, own_failure
from payouts.limits import Headroom
from payouts.money import CURRENCY
from payouts.operations.judge import Reason
from payouts.operations.quote_payment import Quote
from payouts.payment_record import PaymentRecord
from payouts.queries import Balance, EventLine
from payouts.states import Status, money_moved, safe_to_retry

DIRECTION: Final = "Push"


def payment_document(payment: PaymentRecord) -> dict[str, Any]:
    """The payment as create, list and retrieve show it. The first seven members are the contract."""
    return {
        "id": payment.id,
        "amount": payment.amount,
        "direction": DIRECTION,
        "status": payment.status.value,
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
        "money_moved": money_moved(payment.status).value,
        "safe_to_retry": safe_to_retry(payment.status),
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
    requirements = payment.requirements or ()
    return {
        "required": max((decisions for _, decisions in requirements), default=0),
        "given": payment.decisions_given,
        "expires_at": payment.approval_expires_at,
        "reasons": [name for name, _ in requirements],
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
    card = quote.card
    return {
        "amount": quote.amount,
        "fee_amount": quote.fee,
        "total": quote.total,
        "currency": CURRENCY,
        "can_be_pushed": not quote.reasons,
        "problems": [reason_document(reason) for reason in quote.reasons],
        "eligibility": {
            "eligible": None if card is None else card.push_eligible,
            "speed": None if card is None else card.push_speed or None,
            "checked_at": None if card is None else card.push_checked_at,
        },
        "limits": [_headroom_document(room) for room in quote.headrooms],
        "approvals": [_requirement_document(one) for one in quote.requirements],
        "possible_duplicate": quote.is_possible_duplicate,
        "quoted_at": quote.quoted_at,
    }


def reason_document(reason: Reason) -> dict[str, Any]:
    return {
        "field": reason.field,
        "code": reason.code,
        "message": reason.message,
        **(reason.details or {}),
    }


def _headroom_document(room: Headroom) -> dict[str, Any]:
    return {"scope": room.scope.value, "amount_left": room.amount, "count_left": room.count}


def _requirement_document(requirement: Requirement) -> dict[str, Any]:
    return {"reason": requirement.name, "decisions": requirement.decisions}
