"""The secret that an applied change lets its proposer have: made when it is fetched, shown once."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from consumers.operations.api_clients import ClientDisabled, TwoSecretsAlready
from payouts.changes import COLLECTED_WITHIN, ChangeState
from payouts.models import ChangeRequest
from payouts.operations.change_kinds import KINDS
from payouts.operations.changes import locked_change


class NothingToCollect(Exception):
    """There is no secret for this person to fetch: not theirs, fetched, too late, or gone."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A secret, shown to whoever collected it now or never, and what it opens."""

    opens: str
    secret: str = field(repr=False)


def collect_secret(change_id: UUID, *, by: User) -> Collected:
    """Make the secret that an applied change lets its proposer have, and return it, once.

    It is made now and kept as a digest only: who loses it proposes another one.

    :raises NothingToCollect: also for the later of two calls at once.
    """
    act = Act(verb=Verb.COLLECT, subject=subject_of(ChangeRequest.objects.get(pk=change_id)))
    with audited(act, refusals=(NothingToCollect,)):
        change = locked_change(change_id)
        kind = KINDS[change.kind]
        if not can_collect(change, by, at=timezone.now()):
            raise NothingToCollect("There is nothing for you to fetch here any more.")
        change.collected_by, change.collected_at = by, timezone.now()
        change.save(update_fields=["collected_by", "collected_at"])
        try:
            with transaction.atomic():
                secret = kind.collect(change)
        except (TwoSecretsAlready, ClientDisabled) as error:
            raise NothingToCollect(str(error)) from error
    return Collected(kind.owner_of_secret(change), secret)


def can_collect(change: ChangeRequest, user: User, *, at: datetime) -> bool:
    """Whether the change has a secret for this person that nobody has fetched yet."""
    makes_one = KINDS[change.kind].makes_secret(change)
    return (
        makes_one
        and change.state == ChangeState.APPLIED
        and change.collected_at is None
        and change.decided_at is not None
        and at < change.decided_at + COLLECTED_WITHIN
        and change.proposed_by_id == user.pk
        and user.is_active
    )
