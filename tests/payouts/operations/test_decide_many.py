"""Deciding about many payments at once: each by itself, and once however often it is sent."""

import pytest
from django.contrib.auth.models import User

from consumers.ids import new_id
from consumers.models import Consumer, PaymentCard
from payouts.approvals import Bar
from payouts.models import Decision, Payment
from payouts.models.approvals import Verdict
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.decide_many import Result, Seen
from payouts.states import Status
from tests.books import assert_books_are_right
from tests.decisions import decide_payments
from tests.pushes import (
    CLIENT,
    digest_of,
    history,
    make_payee,
    make_rule,
    push_for_approval,
    status_of,
)

pytestmark = pytest.mark.django_db


def seen(*payments: Payment) -> list[Seen]:
    return [Seen(payment.pk, digest_of(payment)) for payment in payments]


def decide(what: list[Seen], by: User, verdict: Verdict = Verdict.APPROVE) -> list[Result]:
    return decide_payments(what, by=by, verdict=verdict, reason="looked at them")


def test_approves_each(carla: User) -> None:
    payments = [push_for_approval(make_payee()) for _ in range(3)]
    results = decide(seen(*payments), carla)
    assert [(one.payment_id, one.status, one.bar) for one in results] == [
        (payment.pk, Status.PENDING, None) for payment in payments
    ]
    reasons = Decision.objects.values_list("reason", flat=True)
    assert list(reasons) == ["looked at them"] * 3


def test_rejects_each(carla: User) -> None:
    payments = [push_for_approval(make_payee()) for _ in range(2)]
    results = decide(seen(*payments), carla, Verdict.REJECT)
    assert [one.status for one in results] == [Status.REJECTED, Status.REJECTED]
    assert_books_are_right()


def test_one_refusal_does_not_stop_the_others(carla: User) -> None:
    changed, canceled, edited, fine = (push_for_approval(make_payee()) for _ in range(4))
    what = seen(changed, canceled, edited, fine)
    Consumer.objects.filter(pk=changed.consumer_id).update(last_name="Mallory")
    cancel_payment(canceled, actor=CLIENT)
    PaymentCard.objects.filter(pk=edited.card_id).update(edited_by_user=carla)
    bars = [one.bar for one in decide([*what, Seen(new_id(), b"x" * 32)], carla)]
    assert bars == [Bar.CHANGED, Bar.NOT_WAITING, Bar.CARD_EDITOR, None, Bar.NOT_WAITING]
    assert [status_of(one) for one in (changed, canceled, edited, fine)] == [
        Status.PENDING_APPROVAL,
        Status.CANCELED,
        Status.PENDING_APPROVAL,
        Status.PENDING,
    ]
    assert Decision.objects.get().payment_id == fine.pk


def test_sent_again_it_answers_the_same_and_records_nothing(carla: User) -> None:
    make_rule(name="large", decisions=2, amount_at_least="500.00")
    half = push_for_approval(make_payee(), amount="500.00")
    whole = push_for_approval(make_payee(), amount="1.00")
    what = seen(half, whole)
    first = decide(what, carla)
    before = history(half), history(whole)
    assert decide(what, carla) == first
    assert (history(half), history(whole)) == before
    assert Decision.objects.count() == 2


def test_another_verdict_afterwards_is_refused(carla: User) -> None:
    payment = push_for_approval(make_payee(), decisions=2)
    what = seen(payment)
    decide(what, carla)
    assert decide(what, carla, Verdict.REJECT) == [Result(payment.pk, None, Bar.DECIDED)]
    assert status_of(payment) is Status.PENDING_APPROVAL
