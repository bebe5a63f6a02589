"""When a delivery is tried again, and when an endpoint is given up. Plain Python.

The plan is the one that Standard Webhooks proposes: ten tries within about 75 hours.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# Each pause is up to so much shorter or longer: what failed together does not come together again.
JITTER: Final = 0.2
LONGEST_WISH: Final = timedelta(hours=24)
# Nothing but failures for so long, and the endpoint is switched off.
GIVEN_UP_AFTER: Final = timedelta(days=5)
# It says that it cannot take more now: everything for it waits, not this one delivery alone.
THROTTLED: Final = frozenset({429, 502, 503, 504})
GONE: Final = 410


def next_pause(
    *, tries: int, pauses: Sequence[int], wish: timedelta | None, chance: random.Random
) -> timedelta | None:
    """How long to wait after so many tries; None when there are no more.

    `pauses` are seconds. What the endpoint wishes (`Retry-After`) is honoured up to a day; it makes
    a pause longer, never shorter.
    """
    if tries > len(pauses):
        return None
    pause = timedelta(seconds=pauses[tries - 1] * chance.uniform(1 - JITTER, 1 + JITTER))
    return pause if wish is None else max(pause, min(wish, LONGEST_WISH))


def wish_in(retry_after: str | None, *, at: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for (RFC 9110 §10.2.3: seconds or a date), if it is one."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(timedelta(), aware - at)


def is_given_up(*, failing_since: datetime | None, at: datetime) -> bool:
    """Whether an endpoint that has failed again is switched off now."""
    return failing_since is not None and at - failing_since >= GIVEN_UP_AFTER
