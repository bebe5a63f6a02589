"""Ten wrong tries lock for thirty minutes: names and second factors, whoever exists."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from consumers.audit import Subject
from consumers.models import AuditEntry
from payouts.models import SignInTries
from payouts.operations.count_tries import (
    LockedOut,
    count_try,
    forget_old_tries,
    lock_if_last,
    password_key,
)
from tests.back_office import text_of
from tests.staff_factors import (
    WRONG_CODE,
    code_of,
    give_app,
    give_code,
    give_password,
    is_in,
    make_member,
)

pytestmark = pytest.mark.django_db

NOBODY = Subject("auth.user")


def wrong_passwords(times: int, username: str = "grace") -> str:
    """What is said about the last of so many wrong passwords."""
    return [text_of(give_password(Client(), username, "wrong")) for _ in range(times)][-1]


def passes(minutes: int) -> None:
    span = timedelta(minutes=minutes)
    for row in SignInTries.objects.all():
        row.tried_at -= span
        row.locked_until = row.locked_until and row.locked_until - span
        row.save()


def test_nine_wrong_passwords_lock_nothing(grace: User) -> None:
    assert "User name or password is wrong." in wrong_passwords(9)
    assert give_password(Client()).status_code == 302


def test_the_tenth_wrong_password_locks_and_says_so(grace: User) -> None:
    told = wrong_passwords(10)
    assert re.search(r"10 wrong tries\. Nothing is looked at until \d\d:\d\d UTC", told)


def test_a_locked_name_refuses_the_right_password(grace: User) -> None:
    wrong_passwords(10)
    answer = give_password(Client())
    assert answer.status_code == 200
    assert "10 wrong tries" in text_of(answer)


def test_a_name_that_nobody_has_is_told_the_same(grace: User) -> None:
    for tries in (9, 1, 1):
        mine, nobodys = wrong_passwords(tries), wrong_passwords(tries, "nobody")
        assert mine == nobodys


def test_the_same_name_is_locked_however_it_is_written(grace: User) -> None:
    wrong_passwords(5, "GRACE ")
    assert "10 wrong tries" in wrong_passwords(5)


def test_a_lock_lasts_thirty_minutes(grace: User) -> None:
    wrong_passwords(10)
    passes(29)
    assert give_password(Client()).status_code == 200
    passes(1)
    assert give_password(Client()).status_code == 302


def test_knocking_does_not_prolong_a_lock(grace: User) -> None:
    wrong_passwords(10)
    passes(20)
    wrong_passwords(15)
    passes(10)
    assert give_password(Client()).status_code == 302


def test_a_lock_that_is_over_gives_ten_tries_anew(grace: User) -> None:
    wrong_passwords(10)
    passes(30)
    assert "is wrong" in wrong_passwords(9)
    assert "10 wrong tries" in wrong_passwords(1)


def test_the_right_password_begins_the_count_anew(grace: User) -> None:
    wrong_passwords(9)
    give_password(Client())
    assert "is wrong" in wrong_passwords(9)


def test_one_persons_lock_is_nobody_elses(grace: User) -> None:
    give_app(make_member("heidi"))
    wrong_passwords(10)
    assert give_password(Client(), "heidi").status_code == 302


def test_ten_wrong_codes_lock_the_second_factor(grace: User) -> None:
    client = Client()
    for _ in range(10):
        give_password(client)
        told = text_of(give_code(client, WRONG_CODE))
    assert "10 wrong tries" in told
    assert "10 wrong tries" in text_of(give_code(client, code_of(grace)))
    assert not is_in(client)


def test_a_lock_leaves_an_entry_and_so_does_every_try_at_it(grace: User) -> None:
    wrong_passwords(11)
    reasons = AuditEntry.objects.filter(verb="sign_in").order_by("id")
    last = reasons.values_list("reason", "subject_id", "result")[9:]
    assert [row[1:] for row in last] == [(str(grace.pk), "refused")] * 3
    assert [row[0] for row in last][:2] == [
        "wrong credentials",
        "locked for 30 minutes after 10 tries",
    ]
    assert last[2][0].startswith("locked until ")


def test_tries_count_before_they_are_looked_at() -> None:
    key = password_key("grace")
    for _ in range(10):
        count_try(key, subject=NOBODY)
    with pytest.raises(LockedOut):
        count_try(key, subject=NOBODY)
    with pytest.raises(LockedOut):
        count_try(key, subject=NOBODY)


def test_tries_of_yesterday_are_forgotten() -> None:
    key = password_key("grace")
    for _ in range(9):
        count_try(key, subject=NOBODY)
    passes(24 * 60 + 1)
    count_try(key, subject=NOBODY)
    lock_if_last(key, subject=NOBODY)
    assert SignInTries.objects.get().tries == 1
    passes(24 * 60 + 1)
    assert forget_old_tries(limit=10) == 1
    assert not SignInTries.objects.exists()


def test_a_lock_is_not_forgotten_while_it_lasts() -> None:
    SignInTries.objects.create(
        key=b"k",
        tries=10,
        tried_at=timezone.now() - timedelta(days=2),
        locked_until=timezone.now() + timedelta(minutes=1),
    )
    assert forget_old_tries(limit=10) == 0
    passes(2)
    assert forget_old_tries(limit=10) == 1


def test_the_oldest_tries_are_forgotten_first_and_so_many_at_most() -> None:
    for days in (2, 5, 3, 0):
        at = timezone.now() - timedelta(days=days)
        SignInTries.objects.create(key=bytes([days]), tries=1, tried_at=at)
    assert forget_old_tries(limit=2) == 2
    assert {bytes(row.key) for row in SignInTries.objects.all()} == {b"\x00", b"\x02"}
    assert [forget_old_tries(limit=2) for _ in range(2)] == [1, 0]
