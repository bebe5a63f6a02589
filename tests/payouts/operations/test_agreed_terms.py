"""A push that a person issues: done on the terms that were shown, and looked at if it is a twin."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from consumers.models import PaymentCard
from payouts.approvals import POSSIBLE_DUPLICATE, Source
from payouts.models import ApprovalRequirement, FeeSchedule, IdempotencyKey, Payment
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.facts import Wish
from payouts.operations.quote_payment import Quote, quote_payment
from payouts.operations.request_payment import PushRequest, TermsChanged
from payouts.states import Status
from tests.books import available
from tests.pushes import CLIENT, accepted, ask, make_rule, push, push_request, replayed

pytestmark = pytest.mark.django_db

HOLD = POSSIBLE_DUPLICATE.name


def quoted(card: PaymentCard, amount: str = "100.00", **asked: Any) -> Quote:
    named: dict[str, Any] = {"source": Source.BACK_OFFICE, "key": None, **asked}
    wish = Wish(
        partner_id=card.partner_id,
        consumer_ref=str(card.consumer_id),
        card_id=card.pk,
        amount=Decimal(amount),
        at=timezone.now(),
        **named,
    )
    return quote_payment(wish)


def agreed_request(card: PaymentCard, **asked: Any) -> PushRequest:
    """What a page sends after it has shown the terms and somebody has said yes."""
    named: dict[str, Any] = {"source": Source.BACK_OFFICE, "key": "page-1", **asked}
    return push_request(card, agreed=quoted(card).terms, **named)


def requirements_of(payment: Payment) -> list[str]:
    rows = ApprovalRequirement.objects.filter(payment=payment)
    return list(rows.values_list("name", flat=True))


def set_fee(card: PaymentCard, dollars: str) -> None:
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal(dollars))


# Terms


def test_a_create_costs_and_needs_what_the_quote_said(card: PaymentCard) -> None:
    set_fee(card, "1.50")
    make_rule(name="by hand", source=Source.BACK_OFFICE.value)
    before = available(card.partner)
    quote = quoted(card)
    made = accepted(agreed_request(card)).payment
    assert (quote.fee, quote.total) == (Decimal("1.50"), Decimal("101.50"))
    assert (made.fee_amount, made.status) == (quote.fee, Status.PENDING_APPROVAL)
    assert requirements_of(Payment.objects.get()) == [one.reason for one in quote.approvals]
    assert (quote.available, available(card.partner)) == (before, before - quote.total)


def test_refuses_another_fee_than_was_agreed_to(card: PaymentCard) -> None:
    request = agreed_request(card)
    set_fee(card, "1.50")
    with pytest.raises(TermsChanged):
        ask(request)
    nothing_is_stored(card)


def test_refuses_to_need_others_than_was_agreed_to(card: PaymentCard) -> None:
    request = agreed_request(card)
    make_rule()
    with pytest.raises(TermsChanged):
        ask(request)
    nothing_is_stored(card)


def test_the_key_serves_again_for_the_new_terms(card: PaymentCard) -> None:
    request = agreed_request(card)
    make_rule()
    with pytest.raises(TermsChanged):
        ask(request)
    again = replace(request, agreed=quoted(card).terms)
    assert accepted(again).payment.status is Status.PENDING_APPROVAL


def test_a_repeat_hears_the_first_answer_on_whatever_terms(card: PaymentCard) -> None:
    request = agreed_request(card)
    first = accepted(request)
    set_fee(card, "1.50")
    assert replayed(request).body == first.body
    assert Payment.objects.count() == 1


def nothing_is_stored(card: PaymentCard) -> None:
    assert not Payment.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert available(card.partner) == Decimal("10000.00")


# Twins


def test_a_key_of_a_page_does_not_excuse_a_twin(card: PaymentCard) -> None:
    push(card, source=Source.BACK_OFFICE, key="page-1")
    assert quoted(card).is_possible_duplicate
    twin = push(card, source=Source.BACK_OFFICE, key="page-2")
    assert requirements_of(twin) == [HOLD]


def test_a_twin_of_a_programs_push_is_one_too(card: PaymentCard) -> None:
    push(card, source=Source.API, key="order-1")
    assert requirements_of(push(card, source=Source.BACK_OFFICE, key="page-1")) == [HOLD]


def test_a_key_of_a_program_excuses_it(card: PaymentCard) -> None:
    push(card, source=Source.API, key="order-1")
    assert requirements_of(push(card, source=Source.API, key="order-2")) == []


def test_another_amount_is_no_twin(card: PaymentCard) -> None:
    push(card, source=Source.BACK_OFFICE, key="page-1")
    assert not quoted(card, amount="100.01").is_possible_duplicate


def test_what_was_taken_back_is_no_twin(card: PaymentCard) -> None:
    cancel_payment(push(card, source=Source.BACK_OFFICE, key="page-1"), actor=CLIENT)
    assert not quoted(card).is_possible_duplicate
    assert requirements_of(push(card, source=Source.BACK_OFFICE, key="page-2")) == []
