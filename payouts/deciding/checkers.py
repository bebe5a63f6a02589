"""Reads people and change requests into what `payouts.changes` judges. Writes nothing."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from payouts.changes import ChangeMatter, ChangeState, Checker
from payouts.deciding.approvers import name_of
from payouts.models import ChangeRequest

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def checker_of(user: User, permissions: Iterable[str]) -> Checker:
    """A person who is here now."""
    return Checker(user.pk, name_of(user), user.is_active and user.has_perms(list(permissions)))


def permitted_checkers(permissions: Iterable[str]) -> list[Checker]:
    """Everybody who has all of these permissions and may sign in, by name. One statement."""
    people = _holders(permissions).filter(is_active=True).order_by("first_name", "username")
    return [Checker(user.pk, name_of(user), is_permitted=True) for user in people]


def has_a_second_person(user: User, permissions: Iterable[str]) -> bool:
    """Whether anybody else holds these permissions, also somebody who is switched off now.

    Whoever could switch the others off would else be alone whenever it suits.
    """
    return _holders(permissions).exclude(pk=user.pk).exists()


def change_matter(change: ChangeRequest, *, at: datetime) -> ChangeMatter:
    """What there is to decide about a change that was read with its proposer."""
    return ChangeMatter(
        is_waiting=change.state == ChangeState.PROPOSED and at < change.expires_at,
        proposer_id=change.proposed_by_id,
        is_proposer_here=change.proposed_by.is_active,
        concerns_id=change.concerns_user_id,
    )


def waiting_changes(*, at: datetime) -> QuerySet[ChangeRequest]:
    """Those that somebody has to decide about, and still has time to."""
    return ChangeRequest.objects.filter(state=ChangeState.PROPOSED, expires_at__gt=at)


def changes_open_to(user: User, changes: QuerySet[ChangeRequest]) -> QuerySet[ChangeRequest]:
    """Those that are not the person's own and not about them; of whatever kind."""
    concerned = Q(concerns_user_id=user.pk)
    return changes.exclude(proposed_by_id=user.pk).exclude(concerned)


def _holders(permissions: Iterable[str]) -> QuerySet[User]:
    holders = User.objects.all()
    for permission in permissions:
        some = User.objects.with_perm(
            permission,
            is_active=None,  # type: ignore[arg-type]  # documented: whether active or not
            backend=_BACKEND,
        )
        holders = holders.filter(pk__in=some.values("pk"))
    return holders
