"""Rows of sessions that are over are taken away; nobody who is in notices."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from payouts import tasks
from payouts.models import SignInTries, StaffSession
from payouts.operations.end_sessions import delete_expired_sessions
from tests.back_office import browser_of
from tests.staff_factors import is_in, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def grace() -> User:
    return make_member()


def make_sessions(*minutes: int, model: type[StaffSession] | type[Session] = StaffSession) -> None:
    """Sessions that end so many minutes from now, named for it."""
    for number in minutes:
        ends = timezone.now() + timedelta(minutes=number)
        model.objects.create(session_key=f"{number}", session_data="", expire_date=ends)


def names(model: type[StaffSession] | type[Session] = StaffSession) -> set[str]:
    return set(model.objects.values_list("session_key", flat=True))


def test_only_what_is_over_goes(grace: User) -> None:
    here = browser_of(grace)
    make_sessions(-60, -1, 1)
    assert delete_expired_sessions(limit=10) == 2
    assert names() == {"1", here.session.session_key}
    assert is_in(here)


def test_the_oldest_go_first_and_so_many_at_most() -> None:
    make_sessions(-1, -60, -30)
    make_sessions(-5, -90, model=Session)
    assert delete_expired_sessions(limit=2) == 2
    assert names() == {"-1"}
    assert delete_expired_sessions(limit=2) == 2
    assert (names(), names(Session)) == (set(), {"-5"})
    assert [delete_expired_sessions(limit=2) for _ in range(2)] == [1, 0]


def test_what_django_kept_before_goes_too() -> None:
    make_sessions(-1, 1, model=Session)
    assert delete_expired_sessions(limit=10) == 1
    assert names(Session) == {"1"}


def test_beat_takes_sessions_and_tries_away() -> None:
    make_sessions(-1)
    long_ago = timezone.now() - timedelta(days=2)
    SignInTries.objects.create(key=b"k", tries=1, tried_at=long_ago)
    tasks.forget_sign_ins()
    assert not StaffSession.objects.exists()
    assert not SignInTries.objects.exists()
