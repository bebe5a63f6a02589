"""Takes a payment back before it is sent."""

from uuid import UUID

from django.utils import timezone

from consumers.audit import Act, Verb, audited
from payouts.actors import Actor
from payouts.models import EventKind, Payment
from payouts.operations.payment_subject import payment_subject
from payouts.operations.record_outcome import release_hold
from payouts.operations.transition import Step, take_step
from payouts.states import CANCELABLE, Status


class NotCancelable(Exception):
    """The payment has been sent, or has ended already; `status` says how it stands."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.value)
        self.status = status


def cancel_payment(
    payment: Payment, *, actor: Actor, request_id: str = "", reason: str = ""
) -> None:
    """Cancel a payment that has not been sent, and give its money back.

    Against a sender that claims it at the same instant one of the two wins; called twice, the
    second gets NotCancelable.

    :raises NotCancelable: unless it waits for approval or for the sender.
    """
    at = timezone.now()
    act = Act(verb=Verb.CANCEL, subject=payment_subject(payment), reason=reason)
    with audited(act, refusals=(NotCancelable,)):
        before = _locked_status(payment.pk)
        if before not in CANCELABLE:
            raise NotCancelable(before)
        take_step(
            payment.pk,
            Step(
                before=before,
                to=Status.CANCELED,
                kind=EventKind.CANCELED,
                actor=actor,
                at=at,
                request_id=request_id,
                details={"reason": reason} if reason else {},
            ),
        )
        release_hold(payment.pk, actor=actor, at=at)


def _locked_status(payment_id: UUID) -> Status:
    status = (
        Payment.objects.select_for_update(no_key=True)
        .values_list("status", flat=True)
        .get(pk=payment_id)
    )
    return Status(status)
