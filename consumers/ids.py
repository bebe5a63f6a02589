"""Keys that we make ourselves: UUIDv7, so that order of key is order of time (RFC 9562 §5.7).

Lists page by key alone, and a range of days is a range of keys; see `first_id_at`.
"""

from datetime import datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Return a fresh key for a row that is made now."""
    return uuid_utils.compat.uuid7()


def new_id_at(instant: datetime) -> UUID:
    """Return a fresh key for a row whose time of creation is `instant` (aware)."""
    return uuid_utils.compat.uuid7(nanoseconds=_milliseconds(instant) * 1_000_000)


def first_id_at(instant: datetime) -> UUID:
    """Return the smallest key that a row made at `instant` (aware) or later can have."""
    return UUID(int=_milliseconds(instant) << 80)


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000
