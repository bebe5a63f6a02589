"""Has a network asked about one unclear payment at once, without waiting for the schedule."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, audited
from consumers.statements import fetch_row
from payouts import dispatch
from payouts.models import Attempt, Payment
from payouts.operations.payment_subject import subject_of_payment
from payouts.staff import RESOLVE_PAYMENT
from payouts.states import Status


class AskingNotPermitted(Exception):
    """This person may not have networks asked."""


class Asked(StrEnum):
    """What came of it."""

    ASKING = "asking"  # the worker asks next
    ALREADY = "already"  # somebody asks at this moment, or is about to
    NOT_UNKNOWN = "not_unknown"  # the outcome is known, or it is being sent again


_LOCK: Final = "SELECT status, due_at FROM payouts_payment WHERE id = %(id)s FOR NO KEY UPDATE"

# A statement of its own: beside a row that one had to wait for it would be from before the wait.
_ASKED: Final = "SELECT asking_until FROM payouts_attempt WHERE payment_id = %(id)s"


def ask_now(payment_id: UUID, *, by: User) -> Asked:
    """Make the payment due for an inquiry at once, and ring for it.

    One inquiry at most comes of any number of calls at once: while one is due or under way, another
    call changes nothing. The schedule is not moved: whatever this inquiry finds unclear, the next
    one comes when it would have come. Nothing is asked here; a worker does it in the background.

    :raises AskingNotPermitted: with an entry in the audit trail.
    """
    act = Act(verb=Verb.INQUIRE, subject=subject_of_payment(payment_id))
    with audited(act, refusals=(AskingNotPermitted,)):
        if not (by.is_active and by.has_perm(RESOLVE_PAYMENT)):
            raise AskingNotPermitted
        return make_due(payment_id)


def make_due(payment_id: UUID) -> Asked:
    """Have the network asked about a payment if it is in doubt, and ring; `ask_now` says the rest.

    For callers who have authorised it: a person, or a word that nobody can vouch for.
    """
    with transaction.atomic():
        row = fetch_row(_LOCK, {"id": payment_id})
        if row is None or row[0] != Status.UNKNOWN.value:
            return Asked.NOT_UNKNOWN
        at, due_at = timezone.now(), row[1]
        asked = fetch_row(_ASKED, {"id": payment_id})
        assert asked is not None
        if (due_at and due_at <= at) or (asked[0] and asked[0] > at):
            return Asked.ALREADY
        Payment.objects.filter(pk=payment_id).update(due_at=at)
        Attempt.objects.filter(pk=payment_id).update(next_by_schedule_at=due_at)
        dispatch.ring_inquirer()
    return Asked.ASKING
