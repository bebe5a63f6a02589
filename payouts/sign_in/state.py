"""What a session knows about its person's sign-in: when it began, and the newest second factor."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from consumers.audit.visitors import visitor_of
from payouts.sign_in.sessions import SEEN_FROM, SIGNED_IN_AT

SECOND_FACTOR: Final = "mfa"
_FIRST_PASSWORD: Final = "first_password_of"  # noqa: S105


def note_first_password(request: HttpRequest, user_id: int) -> None:
    """Remember that this browser's sign-in rests on a password that was handed over."""
    request.session[_FIRST_PASSWORD] = user_id


def forget_first_password(request: HttpRequest) -> None:
    """The person has chosen a password."""
    request.session.pop(_FIRST_PASSWORD, None)


def has_first_password(request: HttpRequest) -> bool:
    """Whether the person who is here has to choose a password before anything else."""
    return bool(request.session.get(_FIRST_PASSWORD) == request.user.pk)


def has_shown_second_factor(request: HttpRequest) -> bool:
    """Whether the person has shown a second factor in this very session."""
    return second_factor_at(request) is not None


def second_factor_at(request: HttpRequest) -> datetime | None:
    """When this session's person has shown a second factor last."""
    return _newest(request, SECOND_FACTOR)


def is_second_factor_fresh(request: HttpRequest) -> bool:
    """Whether that is so short ago that a decision may rest on it (`STEP_UP_SECONDS`)."""
    return _is_fresh(second_factor_at(request))


def note_request(request: HttpRequest) -> None:
    """Keep from where a signed-in person came; the session's own saving writes it down."""
    visitor = visitor_of(request)
    request.session.setdefault(SIGNED_IN_AT, int(time.time()))
    request.session[SEEN_FROM] = [visitor.ip_address, visitor.agent]


def has_lasted_too_long(request: HttpRequest) -> bool:
    """Whether even a busy session has to end now.

    That is after `SESSION_LONGEST_SECONDS`; one that is not let in yet, after `SET_UP_SECONDS`.
    """
    began = request.session.get(SIGNED_IN_AT, time.time())
    is_in = has_shown_second_factor(request) and not has_first_password(request)
    longest = settings.SESSION_LONGEST_SECONDS if is_in else settings.SET_UP_SECONDS
    return bool(time.time() - began > longest)


def _newest(request: HttpRequest, method: str) -> datetime | None:
    records = get_authentication_records(request, request.user)
    moments = [record["at"] for record in records if record.get("method") == method]
    return datetime.fromtimestamp(max(moments), UTC) if moments else None


def _is_fresh(at: datetime | None) -> bool:
    if at is None:
        return False
    age = datetime.now(UTC) - at
    return timedelta(0) <= age <= timedelta(seconds=settings.STEP_UP_SECONDS)
