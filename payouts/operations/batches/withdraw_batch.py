"""What a batch's uploader may still change about it: leave lines out, take it back."""

from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from payouts.models import Batch, BatchFile, BatchRow, BatchState, RowState
from payouts.operations.batches.issue_batch import BatchMoved, NotYourBatch

_NOT_OVER: Final = (
    BatchState.READING, BatchState.CHECKING, BatchState.READY, BatchState.ISSUING,
)  # fmt: skip


def withdraw_batch(batch: Batch, *, by: User, reason: str = "") -> None:
    """Take a batch back: no more of its lines are issued. Those that were issued stay as they are.

    Lines that a worker has in hand at this instant may still be issued, and are marked as such.

    :raises NotYourBatch: somebody else has uploaded it.
    :raises BatchMoved: it is over already.
    """
    act = Act(verb=Verb.WITHDRAW, subject=subject_of(batch), reason=reason)
    with audited(act, refusals=(NotYourBatch, BatchMoved)):
        held = _held(batch, by)
        if held.state not in _NOT_OVER:
            raise BatchMoved(batch.pk)
        BatchFile.objects.filter(batch=batch).delete()
        held.state, held.ended_at = BatchState.WITHDRAWN, timezone.now()
        held.save(update_fields=["state", "ended_at"])


def choose_lines(
    batch: Batch, *, by: User, wanted: Sequence[int] = (), left_out: Sequence[int] = ()
) -> int:
    """Leave good lines out, or take them in again, by their numbers; return how many changed.

    :raises NotYourBatch: somebody else has uploaded it.
    :raises BatchMoved: it is not ready any more.
    """
    act = Act(verb=Verb.CHANGE, subject=subject_of(batch), after={
        "lines_left_out": len(left_out), "lines_taken_in": len(wanted),
    })  # fmt: skip
    with audited(act, refusals=(NotYourBatch, BatchMoved)):
        _held_ready(batch, by)
        rows = BatchRow.objects.filter(batch=batch)
        out = rows.filter(state=RowState.GOOD, line__in=left_out).update(state=RowState.LEFT_OUT)
        taken = rows.filter(state=RowState.LEFT_OUT, line__in=wanted).update(state=RowState.GOOD)
    return out + taken


def leave_out_warned_lines(batch: Batch, *, by: User) -> int:
    """Leave every good line out that has a warning; return how many. Raises like `choose_lines`."""
    act = Act(verb=Verb.CHANGE, subject=subject_of(batch), after={"left_out": "all with warnings"})
    with audited(act, refusals=(NotYourBatch, BatchMoved)):
        _held_ready(batch, by)
        warned = BatchRow.objects.filter(batch=batch, state=RowState.GOOD, has_warning=True)
        return warned.update(state=RowState.LEFT_OUT)


def _held_ready(batch: Batch, by: User) -> None:
    if _held(batch, by).state != BatchState.READY:
        raise BatchMoved(batch.pk)


def _held(batch: Batch, by: User) -> Batch:
    held = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if held.uploaded_by_id != by.pk:
        raise NotYourBatch(batch.pk)
    return held
