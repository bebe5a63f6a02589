"""Keys that we make ourselves: UUIDv7, so that order of key is order of time (RFC 9562 §5.7).

Lists page by key alone, and a range of days is a range of keys; see `first_id_at`.
"""

import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

import uuid_utils.compat

_VERSION_7: Final = 7 << 76
_VARIANT: Final = 2 << 62


def new_id() -> UUID:
    """Return a fresh key for a row that is made now."""
    return uuid_utils.compat.uuid7()


def new_id_at(instant: datetime) -> UUID:
    """Return a fresh key for a row whose time of creation is `instant` (aware).

    Keys of two instants are in their order to the microsecond, so that a list by key is one by time
    also where many rows are made in one millisecond: the bits after the version hold the rest of
    the clock (RFC 9562 §6.2, method 3), and 62 are random.
    """
    rest = instant.microsecond % 1000 * 4096 // 1000
    beginning = _milliseconds(instant) << 80 | _VERSION_7 | rest << 64
    return UUID(int=beginning | _VARIANT | secrets.randbits(62))


def first_id_at(instant: datetime) -> UUID:
    """Return the smallest key that a row made at `instant` (aware) or later can have."""
    return UUID(int=_milliseconds(instant) << 80)


def milliseconds_of(key: UUID) -> int:
    """Return when a row with the key was made, in milliseconds since 1970."""
    return key.int >> 80


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000
