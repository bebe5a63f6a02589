"""Ends sessions of staff: the browser of each is signed out with its next request."""

import hashlib
from datetime import datetime
from typing import Final, NamedTuple

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from consumers.statements import fetch_rows
from payouts.models import StaffSession


class OpenSession(NamedTuple):
    """A place where a person is signed in. `id` names it on pages and opens nothing."""

    id: str
    signed_in_at: datetime | None
    ends_at: datetime
    ip_address: str | None
    agent: str


def open_sessions(user: User) -> list[OpenSession]:
    """Where the person is signed in, the newest sign-in first. One statement."""
    rows = _open(user.pk).order_by(F("signed_in_at").desc(nulls_last=True))
    return [
        OpenSession(
            session_id(row.session_key),
            row.signed_in_at,
            row.expire_date,
            row.ip_address,
            row.agent,
        )
        for row in rows
    ]


def session_id(session_key: str) -> str:
    """What a session is called where others may read it."""
    return hashlib.sha256(f"session|{session_key}".encode()).hexdigest()[:32]


def end_session(user: User, *, session: str) -> bool:
    """End the one of this person's sessions that has the id; False if there is none (any more)."""
    keys = [row.session_key for row in _open(user.pk) if session_id(row.session_key) == session]
    if not keys:
        return False
    act = Act(verb=Verb.END_SESSION, subject=subject_of(user), after={"session": session[:8]})
    with audited(act):
        StaffSession.objects.filter(pk__in=keys).delete()
    return True


def end_all_sessions(user: User, *, reason: str = "") -> int:
    """End all sessions of this person; return how many were open."""
    ended = _open(user.pk).count()
    act = Act(
        verb=Verb.END_SESSION, subject=subject_of(user), after={"ended": ended}, reason=reason
    )
    with audited(act):
        delete_sessions_of(user.pk)
    return ended


def delete_sessions_of(user_id: int) -> None:
    """Delete the rows, for an operation that leaves its own entry in the audit trail."""
    StaffSession.objects.filter(user_id=user_id).delete()


def delete_expired_sessions(*, limit: int) -> int:
    """Delete up to `limit` sessions that nobody can go on with, the oldest first; return how many.

    Ours, and those that Django kept before there were ours. Two at once share the work. It ends
    nothing: an expired session is refused whether or not its row is there.
    """
    deleted = len(fetch_rows(_DELETE_EXPIRED, {"limit": limit}))
    return deleted + len(fetch_rows(_DELETE_DJANGO_S, {"limit": limit - deleted}))


def _open(user_id: int) -> QuerySet[StaffSession]:
    return StaffSession.objects.filter(user_id=user_id, expire_date__gt=timezone.now())


_DELETE_EXPIRED: Final = """
DELETE FROM payouts_staffsession WHERE session_key = ANY(ARRAY(
    SELECT session_key FROM payouts_staffsession WHERE expire_date < clock_timestamp()
    ORDER BY expire_date LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING 1
"""
_DELETE_DJANGO_S: Final = _DELETE_EXPIRED.replace("payouts_staffsession", "django_session")
