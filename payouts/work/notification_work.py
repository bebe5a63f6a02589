"""Uses what networks have told us until nothing waits. Nothing here decides anything."""

import logging
from typing import Final
from uuid import UUID

from django.db import DatabaseError

from consumers.vault import TextUnreadable
from payouts import dispatch
from payouts.operations.use_notifications import (
    claim_notifications,
    note_failure,
    use_notification,
)

logger = logging.getLogger(__name__)

_TAKEN_AT_ONCE: Final = 100
# A key that this process lacks, a lock that was not to be had, what a constraint does not let in:
# another try may do better, and in the end a person.
_NOT_USABLE_YET: Final = (TextUnreadable, DatabaseError)


def use_waiting_notifications() -> int:
    """Use all that waits, in the order of its coming; return how many were taken.

    What cannot be used yet stays, and is taken again a few times. An error that nobody foresaw ends
    the run and is raised; what was waiting behind it is rung for, and the one that caused it is
    taken alone from then on.
    """
    taken = 0
    claimed: list[UUID] = []
    try:
        while claimed := claim_notifications(limit=_TAKEN_AT_ONCE):
            taken += len(claimed)
            for notification_id in claimed:
                _use(notification_id)
    finally:
        if claimed:
            dispatch.ring_notifications()
    return taken


def _use(notification_id: UUID) -> None:
    try:
        use_notification(notification_id)
    except _NOT_USABLE_YET as error:
        logger.exception("Notification %s could not be used yet.", notification_id)
        note_failure(notification_id, problem=type(error).__name__)
