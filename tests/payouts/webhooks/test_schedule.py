"""When a delivery is tried again, and when an endpoint is given up."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from payouts.webhooks.schedule import is_given_up, next_pause, wish_in

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CHANCE = random.Random(7)  # noqa: S311  # the same in every run


def pause(tries: int, wish: timedelta | None = None) -> timedelta | None:
    pauses = settings.WEBHOOK_PAUSES_SECONDS
    return next_pause(tries=tries, pauses=pauses, wish=wish, chance=CHANCE)


def test_tries_ten_times_in_about_75_hours() -> None:
    pauses = [pause(tries) for tries in range(1, 11)]
    assert pauses[9] is None
    whole = sum((one for one in pauses if one is not None), timedelta())
    planned = timedelta(hours=75, minutes=35, seconds=5)
    assert abs(whole - planned) < planned / 5
    assert sum(settings.WEBHOOK_PAUSES_SECONDS) == planned.total_seconds()


def test_what_failed_together_does_not_come_together() -> None:
    pauses = {pause(2) for _ in range(50)}
    assert len(pauses) > 40
    assert all(timedelta(minutes=4) <= one <= timedelta(minutes=6) for one in pauses if one)


def test_honours_a_wish_for_later_and_none_for_earlier() -> None:
    assert pause(1, timedelta(minutes=2)) == timedelta(minutes=2)
    hour = pause(4, timedelta(seconds=1))
    assert hour is not None
    assert hour > timedelta(hours=1)


def test_waits_for_nobody_longer_than_a_day() -> None:
    assert pause(1, timedelta(days=365)) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Mon, 02 Mar 2026 09:02:00 GMT", 120),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0),
        ("9" * 30, 10**8),
    ],
)
def test_reads_retry_after_in_both_forms(header: str, seconds: int) -> None:
    assert wish_in(header, at=AT) == timedelta(seconds=seconds)


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "٣", "Mon, 99 Foo 2026"])
def test_anything_else_is_no_wish(header: str | None) -> None:
    assert wish_in(header, at=AT) is None


def test_is_given_up_after_five_days_of_nothing_but_failures() -> None:
    began = AT - timedelta(days=5)
    assert is_given_up(failing_since=began, at=AT)
    assert not is_given_up(failing_since=began + timedelta(seconds=1), at=AT)
    assert not is_given_up(failing_since=None, at=AT)
