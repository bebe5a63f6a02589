"""What screens ask of the rollups: true to the instant, cut by days of any zone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from consumers.ids import new_id_at
from payouts.models import Payment
from payouts.operations import request_payment as requesting
from payouts.operations.record_outcome import record_outcome
from payouts.rollups import figures
from payouts.rollups.figures import DayFigures, Sum, figures_of_days, shortest_runways
from tests.books import execute
from tests.builders import make_partner
from tests.payouts.rollups.books import link_and_follow
from tests.pushes import (
    APPROVED,
    declined,
    make_funded_partner,
    make_payee,
    push,
    push_submitted,
    push_unknown,
)

pytestmark = pytest.mark.django_db


def today() -> DayFigures:
    beginning = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    (day,) = figures_of_days([beginning]).days
    return day


@pytest.mark.parametrize("is_followed", [False, True])
def test_counts_what_became_of_each(is_followed: bool) -> None:  # noqa: FBT001
    record_outcome(push_submitted(make_payee(), amount="10.00").pk, APPROVED)
    record_outcome(push_submitted(make_payee(), amount="20.00").pk, declined("05"))
    push_unknown(make_payee(), amount="40.00")
    if is_followed:
        link_and_follow()
    day = today()
    assert day.asked == Sum(3, Decimal("70.00"))
    assert day.paid == Sum(1, Decimal("10.00"))
    assert day.failed == Sum(1, Decimal("20.00"))
    assert day.of("unknown") == Sum(1, Decimal("40.00"))
    assert day.success_percent == 50
    assert dict(day.failures) == {"do_not_honor": Sum(1, Decimal("20.00"))}


def test_what_moved_since_the_rollups_is_moved() -> None:
    payment = push_submitted(make_payee())
    link_and_follow()
    record_outcome(payment.pk, APPROVED)
    assert (today().paid.payments, today().of("submitted").payments) == (1, 0)


def test_says_how_long_it_took() -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    execute("UPDATE payouts_payment SET completed_at = created_at + interval '8 seconds'")
    assert today().seconds_to_paid(0.5) == pytest.approx(8.0, rel=0.1)


def test_nothing_has_no_rate_and_no_time() -> None:
    day = today()
    assert (day.asked, day.success_percent, day.seconds_to_paid(0.5)) == (Sum(), None, None)


def test_days_are_cut_at_the_instants_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # Midnight in Kathmandu is a quarter past 18 in UTC.
    midnight = datetime(2026, 3, 7, 18, 15, tzinfo=UTC)
    for seconds in (-1, 0, 1):
        made_at = midnight + timedelta(seconds=seconds)
        monkeypatch.setattr(requesting, "new_id_at", lambda _, at=made_at: new_id_at(at))
        push(make_payee())
    link_and_follow()
    found = figures_of_days([midnight - timedelta(days=1), midnight, midnight + timedelta(days=1)])
    assert [day.asked.payments for day in found.days] == [1, 2, 0]


def test_says_when_too_much_is_not_counted_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "NEWER_AT_MOST", 2)
    beginning = timezone.now() - timedelta(days=1)
    push(make_payee())
    push(make_payee())
    assert not figures_of_days([beginning]).is_behind
    push(make_payee())
    behind = figures_of_days([beginning])
    assert behind.is_behind
    assert behind.days[0].asked.payments == 2


def test_is_one_statement(django_assert_num_queries: Any) -> None:
    push(make_payee())
    link_and_follow()
    with django_assert_num_queries(1):
        figures_of_days([timezone.now() - timedelta(days=1)])
    with django_assert_num_queries(1):
        shortest_runways(today=date(2026, 1, 1), limit=5)


class TestRunways:
    def test_whose_money_lasts_shortest_comes_first(self) -> None:
        long, short = make_funded_partner(dollars="1000.00"), make_funded_partner(dollars="500.00")
        idle = make_partner(name="Idle")
        for partner, dollars in ((long, "10.00"), (short, "50.00")):
            push(make_payee(partner=partner), amount=dollars)
        link_and_follow()
        fees = Payment.objects.values_list("fee_amount", flat=True)
        assert set(fees) == {Decimal("0.00")}
        found = shortest_runways(today=timezone.now().date() + timedelta(days=1), limit=5)
        assert [one.name for one in found] == [short.name, long.name, idle.name]
        first = found[0]
        assert (first.available, first.held) == (Decimal("450.00"), Decimal("50.00"))
        assert (first.spent_a_day, first.days) == (Decimal("50.00"), Decimal("9.00"))
        assert found[2].days is None

    def test_what_was_not_paid_was_not_spent(self) -> None:
        record_outcome(push_submitted(make_payee()).pk, declined("05"))
        link_and_follow()
        (runway,) = shortest_runways(today=timezone.now().date() + timedelta(days=1), limit=5)
        assert (runway.spent_a_day, runway.days) == (Decimal(0), None)

    def test_the_pace_is_that_of_days_since_the_first_push(self) -> None:
        push(make_payee(), amount="70.00")
        link_and_follow()
        (runway,) = shortest_runways(today=timezone.now().date() + timedelta(days=7), limit=5)
        assert runway.spent_a_day == Decimal("10.00")

    def test_a_partner_that_is_switched_off_is_left_out(self) -> None:
        make_partner(is_active=False)
        assert shortest_runways(today=date(2026, 1, 1), limit=5) == []
