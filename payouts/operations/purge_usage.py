"""Forgets what cards, consumers and partners have used of the limits of days long past."""

from datetime import UTC, timedelta
from typing import Final

from django.utils import timezone

from consumers.statements import fetch_rows
from payouts.limits import USAGE_KEPT_DAYS

_PURGE: Final = """
DELETE FROM payouts_dailyusage WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM payouts_dailyusage WHERE day < %(first_kept)s
    ORDER BY day LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING day
"""


def purge_daily_usage(*, limit: int) -> int:
    """Delete up to `limit` rows of days before the last `USAGE_KEPT_DAYS`, oldest first.

    Returns how many. Two at once share the work. A payment of such a day that ends unpaid later
    writes a row again, which the next run takes away: nobody reads it.
    """
    first_kept = timezone.now().astimezone(UTC).date() - timedelta(days=USAGE_KEPT_DAYS)
    return len(fetch_rows(_PURGE, {"first_kept": first_kept, "limit": limit}))
