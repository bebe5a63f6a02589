"""Forgets deliveries of long ago. Events stay for ever, and so does what has not arrived."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from consumers.statements import fetch_row

_LOOKED_AT_ONCE: Final = 5_000

# In the order in which they were made, which is nearly that of their ends: no index is needed. What
# is made due again meanwhile is not deleted.
_PURGE: Final = """
WITH looked AS (
    SELECT id, COALESCE(delivered_at, last_tried_at, due_at) AS last_at FROM payouts_delivery
    WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
), gone AS (
    DELETE FROM payouts_delivery delivery USING looked
    WHERE delivery.id = looked.id AND delivery.state = 'delivered'
      AND delivery.delivered_at < %(before)s
    RETURNING delivery.id
)
SELECT (SELECT count(*) FROM gone), max(id), min(last_at) FROM looked
"""


def deliveries_kept_since(at: datetime) -> datetime:
    """What was delivered before this instant may be forgotten."""
    return at - timedelta(days=settings.WEBHOOK_DELIVERIES_KEPT_DAYS)


def purge_deliveries(*, limit: int) -> int:
    """Delete what was delivered longer ago than it is kept, some `limit` of it; return how many.

    Safe to run at once, and to be killed in.
    """
    before = deliveries_kept_since(timezone.now())
    purged, after = 0, 0
    while purged < limit:
        row = fetch_row(_PURGE, {"after": after, "limit": _LOOKED_AT_ONCE, "before": before})
        assert row is not None
        gone, last_id, oldest = row
        purged += gone
        if last_id is None or oldest >= before:
            break
        after = last_id
    return purged
