"""POST /v2/payments/oct/{id}/cancel/"""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from consumers.models import PaymentCard
from payouts.models import Event, Payment
from payouts.operations.record_outcome import record_outcome
from tests.books import assert_books_are_right, available, held
from tests.payouts.api.caller import CREATE, Caller, nothing_is_stored, problem_in, wrong_fields
from tests.pushes import (
    APPROVED,
    TIMEOUT,
    claim,
    declined,
    make_payee,
    push,
    push_for_approval,
    status_of,
)
from tests.racing import race, returned

pytestmark = pytest.mark.django_db


def cancel(caller: Caller, payment: Payment, body: Any = None) -> Any:
    return caller.post(f"{CREATE}{payment.pk}/cancel/", body)


def test_ends_the_payment_and_gives_its_money_back(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    answer = cancel(caller, payment, {"reason": "The wrong week 🗓\nsorry"})
    document = answer.json()
    assert answer.status_code == 200
    assert (document["id"], document["status"]) == (str(payment.pk), "canceled")
    assert (document["money_moved"], document["safe_to_retry"]) == ("no", True)
    assert (held(caller.partner), available(caller.partner)) == (Decimal(0), Decimal(10_000))
    assert_books_are_right()


def test_says_who_did_it_and_why(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    answer = cancel(caller, payment, {"reason": "The wrong week 🗓\nsorry"})
    event = Event.objects.get(payment=payment, kind="canceled")
    assert event.actor == "client:Payroll server"
    assert event.details == {"reason": "The wrong week 🗓\nsorry"}
    assert event.request_id == answer.headers["Request-Id"]


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}])
def test_needs_no_reason(caller: Caller, card: PaymentCard, body: Any) -> None:
    payment = push(card)
    assert cancel(caller, payment, body).status_code == 200
    assert Event.objects.get(payment=payment, kind="canceled").details == {}


@pytest.mark.parametrize("content_type", ["", "application/x-www-form-urlencoded", "text/plain"])
def test_needs_no_body_of_any_type(caller: Caller, card: PaymentCard, content_type: str) -> None:
    """As `curl -X POST` sends it."""
    payment = push(card)
    address = f"{CREATE}{payment.pk}/cancel/"
    assert caller.send(address, b"", content_type=content_type).status_code == 200


def test_takes_back_what_waits_for_approval(caller: Caller, card: PaymentCard) -> None:
    payment = push_for_approval(card)
    document = cancel(caller, payment).json()
    assert (document["status"], document["approval"]) == ("canceled", None)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (None, "submitted"),
        (APPROVED, "completed"),
        (declined("05"), "failed"),
        (TIMEOUT, "unknown"),
    ],
)
def test_refuses_what_has_been_sent(
    caller: Caller, card: PaymentCard, outcome: Any, status: str
) -> None:
    payment = push(card)
    claim(payment)
    if outcome is not None:
        record_outcome(payment.pk, outcome)
    with nothing_is_stored():
        answer = cancel(caller, payment)
    document = problem_in(answer, status=409, code="not_cancelable")
    assert document["payment_status"] == status
    assert status in document["detail"]


def test_refuses_to_do_it_twice(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    cancel(caller, payment)
    with nothing_is_stored():
        answer = cancel(caller, payment)
    assert problem_in(answer, status=409, code="not_cancelable")["payment_status"] == "canceled"


def test_names_every_wrong_field(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    with nothing_is_stored():
        answer = cancel(caller, payment, {"reason": "x" * 501, "why": "no"})
    document = problem_in(answer, status=400, code="invalid_request")
    assert wrong_fields(document) == {"reason": "max_length", "why": "unknown_field"}


def test_another_partners_payment_is_not_found(caller: Caller) -> None:
    theirs = push(make_payee())
    with nothing_is_stored():
        answer = cancel(caller, theirs)
    problem_in(answer, status=404, code="not_found")
    assert status_of(theirs) == "pending"


def test_a_reader_may_not(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    reader = Caller(caller.partner, scopes=("api:read",))
    with nothing_is_stored():
        answer = cancel(reader, payment)
    problem_in(answer, status=403, code="insufficient_scope")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_succeeds() -> None:
    card = make_payee()
    payment = push(card)
    callers = [Caller(card.consumer.partner) for _ in range(6)]
    answers = returned(race([partial(cancel, one, payment) for one in callers]))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert_books_are_right()
