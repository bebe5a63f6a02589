from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from consumers.ids import new_id
from consumers.models import Partner
from payouts.models import (
    Event,
    FeeSchedule,
    IdempotencyKey,
    Journal,
    Limit,
    Payment,
)
from payouts.operations.request_payment import (
    PaymentRefused,
    PushRequest,
)
from tests.books import assert_books_are_right, available, used
from tests.builders import make_card, make_consumer, make_partner
from tests.payouts.operations.conftest import Clock
from tests.pushes import (
    accepted,
    ask,
    make_funded_partner,
    make_payee,
    push,
    push_request,
)

pytestmark = pytest.mark.django_db

NOTHING = Decimal(0)

CommitHooks = Callable[..., Any]


def refused(request: PushRequest) -> PaymentRefused:
    """Ask for something that is refused, and see that nothing was done."""
    before = _everything()
    with pytest.raises(PaymentRefused) as refusal:
        ask(request)
    assert _everything() == before
    return refusal.value


def codes(request: PushRequest) -> list[str]:
    return [reason.code for reason in refused(request).reasons]


def _everything() -> tuple[object, ...]:
    return (
        Payment.objects.count(),
        Event.objects.count(),
        Journal.objects.count(),
        IdempotencyKey.objects.count(),
        list(Payment.objects.order_by("id").values_list("id", "status", "version")),
    )


def test_refuses_an_unknown_consumer() -> None:
    request = push_request(make_payee(), consumer_ref="nobody")
    assert codes(request) == ["consumer_not_found", "card_not_found"]


def test_refuses_a_consumer_of_another_partner() -> None:
    foreign = make_payee()
    request = push_request(foreign, partner_id=make_funded_partner().pk)
    assert codes(request) == ["consumer_not_found", "card_not_found"]


def test_refuses_a_closed_consumer() -> None:
    card = make_payee()
    card.consumer.is_active = False
    card.consumer.save(update_fields=["is_active"])
    assert codes(push_request(card)) == ["consumer_inactive"]


def test_refuses_for_a_partner_that_is_switched_off() -> None:
    card = make_payee()
    Partner.objects.filter(pk=card.partner_id).update(is_active=False)
    assert codes(push_request(card)) == ["partner_inactive"]


def test_refuses_a_card_of_another_consumer() -> None:
    card = make_payee()
    other = make_consumer(partner=card.partner)
    assert codes(push_request(card, consumer_ref=other.pcid)) == ["card_not_found"]


def test_refuses_an_unknown_card() -> None:
    assert codes(push_request(make_payee(), card_id=new_id())) == ["card_not_found"]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"status": "inactive"}, "card_inactive"),
        ({"expires": date(2020, 1, 31)}, "card_expired"),
        ({"push_eligible": False}, "card_not_eligible"),
        ({"network": "amex"}, "card_not_eligible"),
    ],
)
def test_refuses_a_card_that_takes_no_push(card: dict[str, Any], code: str) -> None:
    assert codes(push_request(make_payee(**card))) == [code]


def test_takes_a_card_in_the_month_of_its_expiry() -> None:
    accepted(push_request(make_payee(expires=timezone.now().date())))


def test_refuses_what_the_partner_cannot_pay() -> None:
    card = make_payee(partner=make_funded_partner(dollars="100.00"))
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("0.01"))
    assert codes(push_request(card, amount="100.00")) == ["insufficient_funds"]
    accepted(push_request(card, amount="99.99"))
    assert available(card.partner) == 0


def test_counts_held_money_as_spent() -> None:
    card = make_payee(partner=make_funded_partner(dollars="100.00"))
    push(card, amount="60.00")
    assert codes(push_request(card, amount="40.01")) == ["insufficient_funds"]
    push(card, amount="40.00")


def test_finds_the_money_in_whatever_part_it_lies() -> None:
    partner = make_funded_partner(dollars="16.00")
    cards = [make_payee(partner=partner) for _ in range(4)]
    for card in cards:
        push(card, amount="3.00")
    push(cards[0], amount="4.00")
    assert available(partner) == 0
    assert_books_are_right()


def test_names_the_limit_that_it_would_break() -> None:
    card = make_payee()
    Limit.objects.create(partner=card.partner, scope="card_day", max_amount=Decimal("150.00"))
    push(card, amount="100.00")
    (reason,) = refused(push_request(card, amount="50.01")).reasons
    assert (reason.code, reason.field) == ("limit_exceeded", "amount")
    assert reason.details == {
        "limit": "card_day_amount",
        "maximum": Decimal("150.00"),
        "used": Decimal("100.00"),
    }
    accepted(push_request(card, amount="50.00"))


@pytest.mark.parametrize(
    ("scope", "bound", "name"),
    [
        ("push", {"max_amount": Decimal("99.99")}, "push_amount"),
        ("card_day", {"max_count": 1}, "card_day_count"),
        ("consumer_day", {"max_amount": Decimal("150.00")}, "consumer_day_amount"),
        ("consumer_day", {"max_count": 1}, "consumer_day_count"),
        ("partner_day", {"max_amount": Decimal("150.00")}, "partner_day_amount"),
        ("partner_day", {"max_count": 1}, "partner_day_count"),
    ],
)
def test_keeps_every_kind_of_limit(scope: str, bound: dict[str, Any], name: str) -> None:
    card = make_payee()
    push(card, amount="50.00")
    Limit.objects.create(partner=card.partner, scope=scope, **bound)
    (reason,) = refused(push_request(card, amount="100.01")).reasons
    assert reason.details is not None
    assert reason.details["limit"] == name


def test_a_limit_of_a_consumer_spans_the_cards() -> None:
    card = make_payee()
    other = make_card(consumer=card.consumer, number="5555555555554444")
    Limit.objects.create(partner=card.partner, scope="consumer_day", max_count=1)
    Limit.objects.create(partner=card.partner, scope="card_day", max_count=1)
    push(card)
    (reason,) = refused(push_request(other)).reasons
    assert reason.details is not None
    assert reason.details["limit"] == "consumer_day_count"


def test_limits_of_another_partner_do_not_count() -> None:
    Limit.objects.create(partner=make_partner(), scope="push", max_amount=Decimal("1.00"))
    accepted(push_request(make_payee()))


def test_a_new_day_has_all_its_room(clock: Clock) -> None:
    card = make_payee()
    Limit.objects.create(partner=card.partner, scope="card_day", max_count=1)
    clock.set(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))
    push(card, amount="1.00")
    assert codes(push_request(card, amount="2.00", key="a")) == ["limit_exceeded"]
    clock.set(datetime(2026, 3, 2, 0, 0, 0, tzinfo=UTC))
    push(card, amount="2.00")


def test_names_every_reason_at_once() -> None:
    partner = make_funded_partner(dollars="10.00")
    card = make_payee(partner=partner, status="inactive", expires=date(2020, 1, 31))
    card.consumer.is_active = False
    card.consumer.save(update_fields=["is_active"])
    Limit.objects.create(partner=partner, scope="push", max_amount=Decimal("50.00"))
    Limit.objects.create(partner=partner, scope="card_day", max_amount=Decimal("60.00"))
    refusal = refused(push_request(card, amount="100.00"))
    assert [reason.code for reason in refusal.reasons] == [
        "consumer_inactive",
        "card_inactive",
        "card_expired",
        "limit_exceeded",
        "limit_exceeded",
        "insufficient_funds",
    ]


def test_a_refusal_uses_nothing_of_the_day() -> None:
    card = make_payee(partner=make_funded_partner(dollars="1.00"))
    refused(push_request(card))
    assert used(card.pk, on=timezone.now().date()) == (NOTHING, NOTHING)
    assert_books_are_right()


def test_refuses_for_a_partner_that_does_not_exist() -> None:
    with pytest.raises(Partner.DoesNotExist):
        ask(push_request(make_payee(), partner_id=new_id()))
