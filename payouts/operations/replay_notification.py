"""Has a notification used again that was set aside, because what was in its way is gone."""

from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from payouts import dispatch
from payouts.models import NetworkNotification
from payouts.staff import REPLAY_NOTIFICATION


class ReplayNotPermitted(Exception):
    """This person may not have notifications used again."""


class NotSetAside(Exception):
    """It is used already, or a worker is about to."""


def replay_notification(notification_id: UUID, *, by: User) -> None:
    """Make a notification due that was set aside, with all its tries before it, and ring for it.

    Of two at once one does it. A worker makes of it what it says, by the rules for one that has
    just come: what is known by now changes nothing.

    :raises ReplayNotPermitted, NotSetAside: with an entry in the audit trail.
    :raises NetworkNotification.DoesNotExist:
    """
    rows = NetworkNotification.objects.defer("sealed")
    act = Act(verb=Verb.REPLAY, subject=subject_of(rows.get(pk=notification_id)))
    with audited(act, refusals=(ReplayNotPermitted, NotSetAside)):
        if not (by.is_active and by.has_perm(REPLAY_NOTIFICATION)):
            raise ReplayNotPermitted
        aside = NetworkNotification.objects.filter(pk=notification_id, set_aside_at__isnull=False)
        if not aside.update(set_aside_at=None, due_at=timezone.now(), tries=0):
            raise NotSetAside
        dispatch.ring_notifications()
