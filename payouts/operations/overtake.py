"""Ends proposals about payments that ended otherwise before anybody had decided."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, record_act, subject_of
from payouts.changes import ChangeState
from payouts.models import ChangeRequest, Payment
from payouts.models.changes import RESOLUTION, RETURN
from payouts.states import Status

# While a payment is like this, somebody may still decide.
_OPEN_WHILE: Final = {
    RESOLUTION: (Status.UNKNOWN.value, Status.SUBMITTED.value),
    RETURN: (Status.COMPLETED.value,),
}


def overtake_proposals(payment_id: UUID, kind: str, *, why: str, at: datetime) -> None:
    """End what waits of this kind about the payment, saying why; in the caller's transaction.

    A proposal that somebody decides about at this moment is passed by: its decider waits for the
    payment, finds it changed, and ends the proposal.
    """
    waiting = ChangeRequest.objects.filter(
        kind=kind, subject=str(payment_id), state=ChangeState.PROPOSED
    )
    for change in waiting.select_for_update(no_key=True, skip_locked=True):
        change.state, change.decided_at, change.decision_reason = ChangeState.OVERTAKEN, at, why
        change.save(update_fields=["state", "decided_at", "decision_reason"])
        record_act(Act(verb=Verb.EXPIRE, subject=subject_of(change), reason=why))


def overtake_answered(*, limit: int) -> int:
    """End proposals whose payment is not in doubt any more and that nobody has ended; count them.

    The net under `overtake_proposals`: it finds what that had to pass by. Safe to run at once.
    """
    ended = 0
    for kind in (RESOLUTION, RETURN):
        waiting = ChangeRequest.objects.filter(kind=kind, state=ChangeState.PROPOSED)
        subjects = [UUID(one) for one in waiting.values_list("subject", flat=True)]
        moved = Payment.objects.filter(pk__in=subjects).exclude(status__in=_OPEN_WHILE[kind])
        for payment_id, status in moved.values_list("pk", "status")[:limit]:
            end_if_answered(payment_id, kind=kind, status=status)
            ended += 1
    return ended


def end_if_answered(payment_id: UUID, *, kind: str, status: str) -> None:
    """End the proposal about a payment that now has this status, if that leaves nothing open."""
    if status in _OPEN_WHILE[kind]:
        return
    with transaction.atomic():
        why = f"The push was {status} before anybody had decided."
        overtake_proposals(payment_id, kind, why=why, at=timezone.now())
