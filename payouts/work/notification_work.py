"""Uses what networks have told us until nothing waits. Nothing here decides anything."""

import logging
from typing import Final

from payouts.operations.use_notifications import (
    claim_notifications,
    note_failure,
    use_notification,
)

logger = logging.getLogger(__name__)

_TAKEN_AT_ONCE: Final = 100


def use_waiting_notifications() -> int:
    """Use all that waits, in the order of its coming; return how many were taken."""
    taken = 0
    while claimed := claim_notifications(limit=_TAKEN_AT_ONCE):
        taken += len(claimed)
        for notification_id in claimed:
            try:
                use_notification(notification_id)
            except Exception as error:
                # It stays, and is taken again a few times: the others are not to wait for it.
                logger.exception("Notification %s could not be used yet.", notification_id)
                note_failure(notification_id, problem=type(error).__name__)
    return taken
