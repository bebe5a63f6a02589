"""Counts tries at a password or a second factor, and locks what was tried too often.

A try is counted before it is looked at, so that a hundred at once are a hundred tries. The last
ones that count are the tenth: whatever comes after it is refused unseen until the lock is over.
The rule is PCI DSS 8.3.4: at most ten tries, at least thirty minutes.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User

from consumers.audit import Act, Result, Subject, Verb, record_act
from consumers.statements import fetch_row, fetch_rows
from payouts.models import SignInTries

# Wrong tries long ago say nothing about who tries now.
FORGOTTEN_AFTER: Final = timedelta(days=1)


class LockedOut(Exception):
    """Tried too often. Until `until` no try is looked at, right or wrong."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def password_key(username: str) -> bytes:
    """The key of tries at the password of a user name, whether or not anybody has that name."""
    return hashlib.sha256(f"password|{username.strip().casefold()}".encode()).digest()


def factor_key(user_id: int) -> bytes:
    """The key of tries at a person's second factor, by whatever page and kind."""
    return hashlib.sha256(f"second factor|{user_id}".encode()).digest()


def count_try(key: bytes, *, subject: Subject) -> None:
    """Count one more try, which may then be looked at. One statement; at once they all count.

    :raises LockedOut: this one may not be looked at; the refusal stands in the audit trail.
    """
    row = fetch_row(_COUNT, _parameters(key))
    assert row is not None
    if row[0] is not None:
        _record(subject, f"locked until {row[0]:%H:%M} UTC")
        raise LockedOut(row[0])


def lock_if_last(key: bytes, *, subject: Subject) -> None:
    """Say that the try was wrong; if it was the last that counts, the lock begins.

    :raises LockedOut: it was. The lock stands in the audit trail.
    """
    row = fetch_row(_LOCK, _parameters(key))
    if row is not None:
        minutes = settings.SIGN_IN_LOCK_SECONDS // 60
        _record(subject, f"locked for {minutes} minutes after {settings.SIGN_IN_TRIES} tries")
        raise LockedOut(row[0])


def locks_of(users: Collection[User], *, at: datetime) -> dict[int, datetime]:
    """Until when no try of a person is looked at, password or second factor; of those locked only.

    One statement.
    """
    owners = {password_key(user.get_username()): user.pk for user in users}
    owners |= {factor_key(user.pk): user.pk for user in users}
    locks: dict[int, datetime] = {}
    for row in SignInTries.objects.filter(pk__in=list(owners), locked_until__gt=at):
        user_id, until = owners[bytes(row.key)], row.locked_until
        assert until is not None
        locks[user_id] = max(until, locks.get(user_id, until))
    return locks


def forget_tries(key: bytes) -> None:
    """Begin to count anew, because a try was right or an admin says so. Twice does no harm."""
    SignInTries.objects.filter(pk=key).delete()


def forget_old_tries(*, limit: int) -> int:
    """Delete up to `limit` rows of what was tried long ago and locks nothing, the oldest first.

    Returns how many. Two at once share the work; a row that is tried again meanwhile stays.
    """
    return len(fetch_rows(_FORGET, {"forgotten": FORGOTTEN_AFTER, "limit": limit}))


def _parameters(key: bytes) -> dict[str, object]:
    return {
        "key": key,
        "most": settings.SIGN_IN_TRIES,
        "lock": timedelta(seconds=settings.SIGN_IN_LOCK_SECONDS),
        "forgotten": FORGOTTEN_AFTER,
    }


def _record(subject: Subject, reason: str) -> None:
    record_act(Act(verb=Verb.SIGN_IN, subject=subject, result=Result.REFUSED, reason=reason))


# A lock that runs is left as it is, else knocking would prolong it for ever. `now()` would be the
# beginning of a transaction, which may be long ago.
_COUNT: Final = """
INSERT INTO payouts_signintries AS t (key, tries, tried_at, locked_until)
VALUES (%(key)s, 1, clock_timestamp(), NULL)
ON CONFLICT (key) DO UPDATE SET
    tries = CASE
        WHEN t.locked_until > clock_timestamp() THEN t.tries
        WHEN t.locked_until IS NOT NULL THEN 1
        WHEN t.tried_at < clock_timestamp() - %(forgotten)s::interval THEN 1
        ELSE t.tries + 1
    END,
    tried_at = clock_timestamp(),
    locked_until = CASE
        WHEN t.locked_until > clock_timestamp() THEN t.locked_until
        WHEN t.locked_until IS NULL AND t.tries >= %(most)s
            AND t.tried_at >= clock_timestamp() - %(forgotten)s::interval
        THEN clock_timestamp() + %(lock)s::interval
    END
RETURNING locked_until
"""

_LOCK: Final = """
UPDATE payouts_signintries SET locked_until = clock_timestamp() + %(lock)s::interval
WHERE key = %(key)s AND tries >= %(most)s AND locked_until IS NULL
RETURNING locked_until
"""

_FORGET: Final = """
DELETE FROM payouts_signintries WHERE key = ANY(ARRAY(
    SELECT key FROM payouts_signintries
    WHERE tried_at < clock_timestamp() - %(forgotten)s::interval
        AND (locked_until IS NULL OR locked_until <= clock_timestamp())
    ORDER BY tried_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING key
"""
