"""Having the network asked at once: one inquiry, however often somebody presses."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from consumers.models import AuditEntry
from payouts.models import Attempt, Payment
from payouts.networks.base import NotFound
from payouts.operations.ask_now import Asked, AskingNotPermitted, ask_now
from payouts.operations.inquire import claim_due_inquiries, record_finding
from payouts.operations.record_outcome import record_outcome
from tests.conftest import Bell
from tests.payouts.operations.conftest import Clock
from tests.pushes import APPROVED, TIMEOUT, fresh, make_payee, make_staff, push_unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def opal() -> User:
    return make_staff("opal", "operations")


@pytest.fixture
def unknown(clock: Clock) -> Payment:
    payment = push_unknown(make_payee())
    clock.advance(seconds=5)
    return payment


def _asked_about() -> list[Any]:
    return [inquiry.payment_id for inquiry in claim_due_inquiries(limit=10)]


def test_makes_it_due_and_rings(
    unknown: Payment, opal: User, bell: Bell, django_capture_on_commit_callbacks: Any
) -> None:
    assert _asked_about() == []
    with django_capture_on_commit_callbacks(execute=True):
        assert ask_now(unknown.pk, by=opal) is Asked.ASKING
    assert bell.rings_for_inquiries == 1
    assert _asked_about() == [unknown.pk]


def test_a_second_press_before_the_worker_comes_changes_nothing(
    unknown: Payment, opal: User
) -> None:
    ask_now(unknown.pk, by=opal)
    assert ask_now(unknown.pk, by=opal) is Asked.ALREADY
    assert _asked_about() == [unknown.pk]


def test_while_somebody_asks_nobody_else_does(unknown: Payment, opal: User) -> None:
    ask_now(unknown.pk, by=opal)
    _asked_about()
    assert ask_now(unknown.pk, by=opal) is Asked.ALREADY
    assert _asked_about() == []


def test_an_asker_that_died_does_not_keep_others_from_asking(
    unknown: Payment, opal: User, clock: Clock
) -> None:
    ask_now(unknown.pk, by=opal)
    _asked_about()
    clock.advance(minutes=10)
    assert _asked_about() == [unknown.pk]


def test_the_schedule_stays_as_it_was(unknown: Payment, opal: User, clock: Clock) -> None:
    ask_now(unknown.pk, by=opal)
    _asked_about()
    clock.advance(seconds=1)
    record_finding(unknown.pk, NotFound())
    attempt = Attempt.objects.get(payment=unknown)
    assert fresh(unknown).due_at == unknown.due_at
    assert (attempt.times_inquired, attempt.times_not_found) == (0, 1)
    assert (attempt.asking_until, attempt.next_by_schedule_at) == (None, None)


def test_the_schedule_s_own_inquiry_counts(unknown: Payment, clock: Clock) -> None:
    assert unknown.due_at is not None
    clock.set(unknown.due_at)
    assert _asked_about() == [unknown.pk]
    record_finding(unknown.pk, TIMEOUT)
    assert Attempt.objects.get(payment=unknown).times_inquired == 1


def test_after_an_answer_it_may_be_asked_again(unknown: Payment, opal: User, clock: Clock) -> None:
    ask_now(unknown.pk, by=opal)
    _asked_about()
    record_finding(unknown.pk, TIMEOUT)
    assert ask_now(unknown.pk, by=opal) is Asked.ASKING


def test_what_is_known_is_not_asked_about(unknown: Payment, opal: User) -> None:
    record_outcome(unknown.pk, APPROVED)
    assert ask_now(unknown.pk, by=opal) is Asked.NOT_UNKNOWN
    assert fresh(unknown).due_at is None


def test_who_may_not_is_refused(unknown: Payment) -> None:
    with pytest.raises(AskingNotPermitted):
        ask_now(unknown.pk, by=make_staff("vera", "viewer"))
    assert fresh(unknown).due_at == unknown.due_at
    assert AuditEntry.objects.get(verb="inquire").result == "refused"


def test_the_trail_says_who_asked(unknown: Payment, opal: User) -> None:
    ask_now(unknown.pk, by=opal)
    assert AuditEntry.objects.get(verb="inquire").subject_id == str(unknown.pk)
