"""Writes down what became of a payment at the network, and moves its money accordingly.

Each function is one short transaction under a lock on the payment, and safe to run twice: what is
final stays as it is.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, record_act, subject_of
from consumers.models import CardStatus, PaymentCard
from consumers.partner_events import tell_of_card
from payouts.actors import WORKER, Actor
from payouts.declines import NETWORK_UNREACHABLE, Decline, decline_for
from payouts.models import Attempt, EventKind
from payouts.models.changes import RESOLUTION
from payouts.models.payment import AttemptState
from payouts.networks.base import Approved, Declined, NotSent, Outcome, Unknown, UnknownReason
from payouts.operations.late_answers import note_late_answer
from payouts.operations.locked_payment import LockedPayment, complete, give_back, lock_payment
from payouts.operations.overtake import overtake_proposals
from payouts.operations.transition import PaymentMoved, Step, take_step
from payouts.operations.waits import inquiry_pause
from payouts.states import Status

# How long a payment that provably never left is tried again before it is given up.
GIVE_UP_SENDING_AFTER: Final = timedelta(hours=24)
_SEND_AGAIN_AFTER: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)


def record_outcome(
    payment_id: UUID,
    outcome: Outcome,
    *,
    send_number: int | None = None,
    actor: Actor = WORKER,
) -> Status:
    """Record what the network said about the payment's attempt; return the status that it has now.

    Approved completes it, a decline fails it and gives the money back, an unclear answer keeps the
    money held and has the network asked, a provably unsent one goes back to the queue. For a
    payment that is final already nothing changes, whoever calls: an answer that contradicts what
    stands there opens a case (see `late_answers`).

    `send_number` is that of the instruction. NotSent proves something about that send only: without
    the number, or when the attempt has been sent again since, it changes nothing.
    """
    at = timezone.now()
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status not in (Status.SUBMITTED, Status.UNKNOWN):
            note_late_answer(payment, outcome, actor=actor, at=at)
            return payment.status
        if payment.may_have_left and isinstance(outcome, Approved | Declined):
            overtake_proposals(payment.id, RESOLUTION, why=_said(outcome), at=at)
        match outcome:
            case Approved():
                return _complete(payment, outcome, actor, at)
            case Declined():
                return _fail_declined(payment, outcome, actor, at)
            case Unknown():
                return _leave_unknown(payment, outcome, actor, at)
            case NotSent():
                if payment.status is Status.UNKNOWN or payment.times_sent != send_number:
                    return payment.status
                return _send_again(payment, outcome, actor, at)


def _said(outcome: Approved | Declined) -> str:
    said = "paid" if isinstance(outcome, Approved) else "declined"
    return f"The network answered meanwhile: {said}, code {outcome.network_code}."


def fail_unsent_payment(
    payment_id: UUID, *, failure_code: str, at: datetime, actor: Actor = WORKER
) -> None:
    """Fail a pending payment of which provably nothing was ever sent, and give its money back.

    Runs inside the caller's transaction.

    :raises payouts.operations.transition.PaymentMoved: if it is no longer pending.
    """
    payment = lock_payment(payment_id)
    if payment.status is not Status.PENDING:
        raise PaymentMoved(payment_id)
    _fail_unsent(payment, failure_code, actor, at)


def _fail_unsent(payment: LockedPayment, failure_code: str, actor: Actor, at: datetime) -> None:
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=Status.FAILED,
            kind=EventKind.FAILED,
            actor=actor,
            at=at,
            failure_code=failure_code,
            details={"failure": failure_code},
        ),
    )
    give_back(payment, actor=actor, at=at)


def release_hold(payment_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Give the held money and the day's room back.

    Runs in the transaction that ends the payment unpaid.
    """
    give_back(lock_payment(payment_id), actor=actor, at=at)


def _complete(payment: LockedPayment, outcome: Approved, actor: Actor, at: datetime) -> Status:
    _close_attempt(
        payment.id,
        AttemptState.APPROVED,
        at,
        network_code=outcome.network_code,
        approval_code=outcome.approval_code,
        transaction_id=outcome.transaction_id,
        answer=dict(outcome.raw),
    )
    complete(
        payment,
        details={"approval_code": outcome.approval_code},
        network_code=outcome.network_code,
        actor=actor,
        at=at,
    )
    return Status.COMPLETED


def _fail_declined(payment: LockedPayment, outcome: Declined, actor: Actor, at: datetime) -> Status:
    decline = decline_for(outcome.network_code)
    _close_attempt(
        payment.id,
        AttemptState.DECLINED,
        at,
        network_code=outcome.network_code,
        answer=dict(outcome.raw),
    )
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=Status.FAILED,
            kind=EventKind.FAILED,
            actor=actor,
            at=at,
            failure_code=decline.code,
            network_code=outcome.network_code,
            details={"failure": decline.code, "network_code": outcome.network_code},
        ),
    )
    _mark_card(payment.card_id, decline, at)
    give_back(payment, actor=actor, at=at)
    return Status.FAILED


def _mark_card(card_id: UUID, decline: Decline, at: datetime) -> None:
    if decline.deactivates_card:
        deactivated = PaymentCard.objects.filter(pk=card_id, status=CardStatus.ACTIVE).update(
            status=CardStatus.INACTIVE, deactivation_reason=decline.code, updated_at=at
        )
        if deactivated:
            card = PaymentCard.objects.only("network", "last4", "partner").get(pk=card_id)
            subject = subject_of(card)
            record_act(Act(verb=Verb.DEACTIVATE, subject=subject, reason=decline.code))
            tell_of_card(card_id, "deactivated")
    if decline.marks_not_push_capable:
        PaymentCard.objects.filter(pk=card_id).update(
            push_eligible=False, push_speed="not_supported", push_checked_at=at, updated_at=at
        )
        tell_of_card(card_id, "checked")


def _leave_unknown(payment: LockedPayment, outcome: Unknown, actor: Actor, at: datetime) -> Status:
    # A status identifier is kept until there is a newer one: it is the surer way to ask.
    newer = {"status_identifier": outcome.status_identifier} if outcome.status_identifier else {}
    Attempt.objects.filter(pk=payment.id).update(
        state=AttemptState.UNKNOWN,
        unknown_reason=outcome.why.value,
        answer=dict(outcome.raw),
        answered_at=at,
        **newer,
    )
    if payment.status is Status.SUBMITTED:
        take_step(
            payment.id,
            Step(
                before=Status.SUBMITTED,
                to=Status.UNKNOWN,
                kind=EventKind.UNKNOWN,
                actor=actor,
                at=at,
                due_at=at + inquiry_pause(times_inquired=0),
                details={"why": outcome.why.value},
            ),
        )
    return Status.UNKNOWN


def _send_again(payment: LockedPayment, outcome: NotSent, actor: Actor, at: datetime) -> Status:
    if payment.may_have_left:
        return _leave_unknown(payment, Unknown(UnknownReason.UNREACHABLE), actor, at)
    _close_attempt(payment.id, AttemptState.NOT_SENT, at)
    if at - payment.created_at > GIVE_UP_SENDING_AFTER:
        return _give_up(payment, actor, at)
    assert payment.times_sent is not None
    pause = _SEND_AGAIN_AFTER[min(payment.times_sent, len(_SEND_AGAIN_AFTER)) - 1]
    take_step(
        payment.id,
        Step(
            before=Status.SUBMITTED,
            to=Status.PENDING,
            kind=EventKind.NOT_SENT,
            actor=actor,
            at=at,
            due_at=at + pause,
            details={"why": outcome.why.value},
        ),
    )
    return Status.PENDING


def _give_up(payment: LockedPayment, actor: Actor, at: datetime) -> Status:
    # One step, not two through pending: a transaction changes a payment's status once.
    _fail_unsent(payment, NETWORK_UNREACHABLE.code, actor, at)
    return Status.FAILED


def _close_attempt(payment_id: UUID, state: AttemptState, at: datetime, **said: Any) -> None:
    Attempt.objects.filter(pk=payment_id).update(state=state, answered_at=at, **said)
