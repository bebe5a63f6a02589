from datetime import UTC, datetime, timedelta

import pytest

from consumers.ids import new_id
from payouts.limits import USAGE_KEPT_DAYS
from payouts.models import DailyUsage
from payouts.operations.purge_usage import purge_daily_usage
from tests.books import assert_books_are_right, assert_the_checks_agree
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


def make_usage(*, days_ago: int) -> DailyUsage:
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    return DailyUsage.objects.create(subject_id=new_id(), day=day, amount=5, count=1)


def days_left() -> list[int]:
    today = datetime.now(UTC).date()
    return [(today - one.day).days for one in DailyUsage.objects.order_by("-day")]


def test_forgets_the_days_long_past_only() -> None:
    for days_ago in (0, USAGE_KEPT_DAYS, USAGE_KEPT_DAYS + 1, 400):
        make_usage(days_ago=days_ago)
    assert purge_daily_usage(limit=100) == 2
    assert days_left() == [0, USAGE_KEPT_DAYS]


def test_takes_the_oldest_first_and_so_many_at_most() -> None:
    for days_ago in (100, 300, 200):
        make_usage(days_ago=days_ago)
    assert purge_daily_usage(limit=2) == 2
    assert days_left() == [100]
    assert purge_daily_usage(limit=2) == 1
    assert purge_daily_usage(limit=2) == 0


def test_leaves_what_the_limits_and_the_checks_look_at() -> None:
    push(make_payee())
    assert purge_daily_usage(limit=100) == 0
    assert_books_are_right()
    assert_the_checks_agree()
