"""Keys that we make ourselves: UUIDv7, so that order of key is order of time (RFC 9562 §5.7).

Lists page by key alone and a range of days is a range of keys; see `first_id_at`.
"""

from datetime import datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh key for a row that is made now."""
    return uuid_utils.compat.uuid7()


def new_id_at(instant: datetime) -> UUID:
    """A fresh key for a row that carries `instant` (aware) as its time of creation."""
    milliseconds = _milliseconds(instant)
    return uuid_utils.compat.uuid7(
        timestamp=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000
    )


def first_id_at(instant: datetime) -> UUID:
    """The smallest key that a row made at `instant` (aware) or later can have."""
    return UUID(int=_milliseconds(instant) << 80)


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000
