from decimal import Decimal

import pytest

from payouts.models import Event, Payment
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.record_outcome import record_outcome
from payouts.states import CANCELABLE, Status
from tests.books import assert_books_are_right, available, held, journals, used
from tests.pushes import (
    APPROVED,
    CLIENT,
    declined,
    fresh,
    history,
    make_funded_partner,
    make_payee,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
)

pytestmark = pytest.mark.django_db


def test_takes_a_payment_back_that_waits_for_its_sender() -> None:
    payment = push(make_payee())
    cancel_payment(payment, actor=CLIENT, request_id="req-9", reason="wrong week")
    payment = fresh(payment)
    assert (payment.status, payment.due_at) == (Status.CANCELED, None)
    event = Event.objects.get(payment=payment, kind="canceled")
    assert (event.actor, event.request_id) == ("client:Payroll server", "req-9")
    assert event.details == {"reason": "wrong week"}


def test_takes_a_payment_back_that_waits_for_people() -> None:
    payment = push_for_approval(make_payee())
    cancel_payment(payment, actor=CLIENT)
    assert history(payment) == ["created", "approval_required", "canceled"]


def test_gives_the_money_and_the_day_back() -> None:
    card = make_payee(partner=make_funded_partner(dollars="100.00"))
    payment = push(card, amount="100.00")
    cancel_payment(payment, actor=CLIENT)
    assert (available(card.partner), held(card.partner)) == (Decimal("100.00"), Decimal(0))
    assert used(card.pk, on=payment.created_at.date()) == (Decimal(0), Decimal(0))
    assert journals(payment) == ["accepted", "released"]
    assert_books_are_right()


def test_a_second_call_is_told_that_it_is_canceled() -> None:
    payment = push(make_payee())
    cancel_payment(payment, actor=CLIENT)
    with pytest.raises(NotCancelable) as refused:
        cancel_payment(payment, actor=CLIENT)
    assert refused.value.status is Status.CANCELED
    assert history(payment) == ["created", "canceled"]


def _completed() -> Payment:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    return payment


def _failed() -> Payment:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, declined("05"))
    return payment


@pytest.mark.parametrize(
    "make",
    [
        lambda: push_submitted(make_payee()),
        lambda: push_unknown(make_payee()),
        _completed,
        _failed,
    ],
)
def test_never_takes_back_what_may_have_left(make: object) -> None:
    assert callable(make)
    payment = make()
    before = (fresh(payment).status, history(payment), journals(payment))
    assert before[0] not in CANCELABLE
    with pytest.raises(NotCancelable) as refused:
        cancel_payment(payment, actor=CLIENT)
    assert refused.value.status == before[0]
    assert (fresh(payment).status, history(payment), journals(payment)) == before
