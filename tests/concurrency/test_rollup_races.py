"""The follower against itself, against writers, and against a rebuild: each event counts once."""

from collections.abc import Callable
from functools import partial

import pytest
from django.utils import timezone

from payouts.operations import follow_events as module
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.follow_events import follow_events, rebuild_rollups
from payouts.operations.link_audit import link_audit_trail
from payouts.rollups.figures import figures_of_days
from tests.payouts.rollups.books import broken, kept, link_and_follow, true
from tests.pushes import CLIENT, make_payee, push
from tests.racing import race_mixed, returned

pytestmark = pytest.mark.django_db(transaction=True)

PUSHES = 12


def push_and_cancel(number: int) -> None:
    payment = push(make_payee(), amount=f"{number + 1}.00")
    if number % 2:
        try:
            cancel_payment(payment, actor=CLIENT)
        except NotCancelable:
            pytest.fail("nobody sends here")


def again(*deeds: Callable[[], object]) -> None:
    for _ in range(10):
        for deed in deeds:
            deed()


@pytest.mark.parametrize("meddler", [follow_events, rebuild_rollups])
def test_each_event_counts_once(
    meddler: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENTS_AT_ONCE", 3)
    writers = [partial(push_and_cancel, number) for number in range(PUSHES)]
    followers = [partial(again, link_audit_trail, follow_events), partial(again, meddler)]
    returned(race_mixed(*followers, *writers))
    assert broken() == []
    link_and_follow()
    assert kept() == true()
    assert broken() == []


def test_whoever_looks_meanwhile_sees_each_push_once() -> None:
    beginning = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(3):
        push(make_payee())

    def look() -> list[int]:
        return [figures_of_days([beginning]).days[0].asked.payments for _ in range(20)]

    ends = returned(race_mixed(look, partial(again, link_audit_trail, follow_events)))
    assert ends[0] == [3] * 20
