"""Settles a payment that nobody but people with evidence can settle. Called under four eyes only.

The callers are the kinds of change in `change_kinds.doubts`; each runs in the decision's own
transaction, so that event, journal, decision and audit entry are there together or not at all.
"""

from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from consumers.audit import Act, Verb, record_act
from payouts.actors import staff
from payouts.declines import RESOLVED_NOT_PAID
from payouts.models import ChangeRequest, EventKind
from payouts.operations.locked_payment import LockedPayment, complete, give_back, lock_payment
from payouts.operations.payment_subject import subject_of_payment
from payouts.operations.transition import PaymentMoved, Step, take_step
from payouts.states import Status


def settle_by_people(change: ChangeRequest, *, by: User) -> Status:
    """Complete or fail an unknown payment, as the change that is being approved says.

    The attempt stays as unclear as the network left it: what two people say is not its answer.

    :raises PaymentMoved: it is not unknown any more; nothing has changed.
    """
    payment = lock_payment(UUID(change.subject))
    if payment.status is not Status.UNKNOWN:
        raise PaymentMoved(payment.id)
    verdict = Status(change.after["verdict"])
    if verdict is Status.COMPLETED:
        actor = staff(by.pk, by.get_username())
        complete(payment, details=told_by(change), actor=actor, at=timezone.now())
    else:
        _fail(payment, change, by)
    record_act(
        Act(
            verb=Verb.RESOLVE,
            subject=subject_of_payment(payment.id),
            before={"status": payment.status.value},
            after={"status": verdict.value, "sha256_of_evidence": change.after["sha256"]},
            reason=change.reason,
        )
    )
    return verdict


def _fail(payment: LockedPayment, change: ChangeRequest, by: User) -> None:
    actor, at = staff(by.pk, by.get_username()), timezone.now()
    take_step(
        payment.id,
        Step(
            before=Status.UNKNOWN,
            to=Status.FAILED,
            kind=EventKind.FAILED,
            actor=actor,
            at=at,
            failure_code=RESOLVED_NOT_PAID.code,
            details={"failure": RESOLVED_NOT_PAID.code, **told_by(change)},
        ),
    )
    give_back(payment, actor=actor, at=at)


def told_by(change: ChangeRequest) -> dict[str, str]:
    """What a payment's history says about the people and the evidence. No reason: it may go out."""
    return {
        "settled_by": "two people, with evidence",
        "change": str(change.pk),
        "sha256_of_evidence": str(change.after["sha256"]),
    }
