from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumers.ids import new_id
from payouts.models import (
    IdempotencyKey,
    Payment,
)
from payouts.operations.record_outcome import record_outcome
from payouts.operations.request_payment import (
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    PaymentRefused,
    remember_refusal,
    replace_answer,
)
from tests.books import assert_books_are_right
from tests.pushes import (
    accepted,
    ask,
    claim,
    declined,
    make_funded_partner,
    make_payee,
    push,
    push_request,
    replayed,
)

pytestmark = pytest.mark.django_db

NOTHING = Decimal(0)

CommitHooks = Callable[..., Any]


def test_a_repeat_hears_the_first_answer() -> None:
    request = push_request(make_payee(), key="k-1")
    first = accepted(request)
    again = replayed(request)
    assert (again.status_code, again.body) == (201, first.body)
    assert Payment.objects.count() == 1
    assert_books_are_right()


def test_a_repeat_hears_the_first_answer_whatever_has_changed() -> None:
    card = make_payee()
    request = push_request(card, key="k-1")
    first = accepted(request)
    record_outcome(claim(Payment.objects.get()).payment_id, declined("41"))
    card.consumer.is_active = False
    card.consumer.save(update_fields=["is_active"])
    assert replayed(request).body == first.body


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("100.01")},
        {"description": "other"},
        {"reference": "other"},
        {"metadata": {"a": "b"}},
        {"card_id": new_id()},
        {"consumer_ref": "other"},
    ],
)
def test_a_key_is_not_reused_for_another_request(change: dict[str, Any]) -> None:
    request = push_request(make_payee(), key="k-1")
    accepted(request)
    with pytest.raises(IdempotencyKeyReused):
        ask(replace(request, **change))
    assert Payment.objects.count() == 1


def test_the_same_amount_is_the_same_request_however_it_is_written() -> None:
    request = push_request(make_payee(), amount="100", key="k-1")
    accepted(request)
    replayed(replace(request, amount=Decimal("100.00")))


def test_keys_of_two_partners_are_apart() -> None:
    accepted(push_request(make_payee(), key="k-1"))
    accepted(push_request(make_payee(), key="k-1"))


def test_a_key_is_stored_with_its_payment() -> None:
    payment = push(make_payee(), key="k-1")
    kept = IdempotencyKey.objects.get()
    assert (kept.key, kept.payment_id, kept.status_code) == ("k-1", payment.pk, 201)


def test_a_partner_can_require_keys() -> None:
    card = make_payee(partner=make_funded_partner(requires_idempotency_key=True))
    with pytest.raises(IdempotencyKeyRequired):
        ask(push_request(card))
    assert not Payment.objects.exists()
    accepted(push_request(card, key="k-1"))


def test_a_refusal_is_remembered_as_the_first_answer() -> None:
    partner = make_funded_partner(dollars="1.00")
    request = push_request(make_payee(partner=partner), key="k-1")
    with pytest.raises(PaymentRefused):
        ask(request)
    assert remember_refusal(request, status_code=422, body=b"no") is None
    again = replayed(request)
    assert (again.status_code, again.body) == (422, b"no")
    assert IdempotencyKey.objects.get().payment_id is None


def test_a_remembered_refusal_does_not_hide_a_reused_key() -> None:
    request = push_request(make_payee(), key="k-1")
    remember_refusal(request, status_code=422, body=b"no")
    with pytest.raises(IdempotencyKeyReused):
        ask(replace(request, amount=Decimal("5.00")))


def test_a_refusal_that_comes_second_hears_the_first_answer() -> None:
    request = push_request(make_payee(), key="k-1")
    first = accepted(request)
    earlier = remember_refusal(request, status_code=422, body=b"no")
    assert earlier is not None
    assert (earlier.status_code, earlier.body) == (201, first.body)
    with pytest.raises(IdempotencyKeyReused):
        remember_refusal(replace(request, amount=Decimal("5.00")), status_code=422, body=b"no")


def test_a_refusal_without_a_key_is_not_remembered() -> None:
    assert remember_refusal(push_request(make_payee()), status_code=422, body=b"no") is None
    assert not IdempotencyKey.objects.exists()


def test_a_caller_that_waited_can_improve_the_first_answer() -> None:
    request = push_request(make_payee(), key="k-1")
    payment = accepted(request).payment
    replace_answer(request, new_id(), body=b"of another payment")
    replace_answer(request, payment.id, body=b"completed")
    assert replayed(request).body == b"completed"
