"""POST /v2/payments/oct/quote/"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from consumers.models import Partner, PaymentCard
from payouts.models import FeeSchedule
from tests.builders import make_card, make_consumer
from tests.conftest import Bell
from tests.payouts.api.caller import (
    QUOTE,
    Caller,
    nothing_is_stored,
    problem_in,
    statements,
    wish,
    wrong_fields,
)
from tests.pushes import make_payee, make_rule, push

pytestmark = pytest.mark.django_db


def quoted(caller: Caller, card: PaymentCard, **asked: Any) -> dict[str, Any]:
    """The quote, after a look that asking for it changed nothing."""
    with nothing_is_stored():
        answer = caller.post(QUOTE, wish(card, **asked))
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def test_tells_everything_about_a_good_push(caller: Caller, partner: Partner) -> None:
    checked_at = timezone.now() - timedelta(hours=1)
    card = make_card(
        consumer=make_consumer(partner=partner),
        push_eligible=True,
        push_speed="fast_funds",
        push_checked_at=checked_at,
    )
    FeeSchedule.objects.create(partner=partner, fixed="0.25", basis_points=100)
    document = quoted(caller, card, amount=19.99)
    age = document["eligibility"].pop("age_seconds")
    assert 3600 <= age < 3660
    quoted_at = datetime.fromisoformat(document.pop("quoted_at"))
    assert abs(timezone.now() - quoted_at) < timedelta(minutes=1)
    assert document == {
        "amount": 19.99,
        "fee_amount": 0.45,
        "total": 20.44,
        "currency": "USD",
        "can_be_pushed": True,
        "problems": [],
        "eligibility": {
            "eligible": True,
            "speed": "fast_funds",
            "checked_at": checked_at.isoformat().replace("+00:00", "Z"),
        },
        "limits": [],
        "approvals": [],
        "possible_duplicate": False,
        "idempotency_key_required": False,
    }


def test_promises_what_a_create_does(caller: Caller, card: PaymentCard) -> None:
    FeeSchedule.objects.create(partner=caller.partner, fixed="0.25", minimum="0.50")
    quote = quoted(caller, card)
    made = caller.create(card).json()
    assert (made["amount"], made["fee_amount"]) == (quote["amount"], quote["fee_amount"])


def test_says_that_nobody_has_asked_the_network(caller: Caller, card: PaymentCard) -> None:
    assert quoted(caller, card)["eligibility"] == {
        "eligible": None,
        "speed": None,
        "checked_at": None,
        "age_seconds": None,
    }


def test_tells_the_headroom_of_each_limit_by_name(caller: Caller, card: PaymentCard) -> None:
    limits = caller.partner.limits
    limits.create(scope="push", max_amount="5000.00")
    limits.create(scope="card_day", max_amount="500.00", max_count=3)
    limits.create(scope="partner_day", max_count=1)
    push(card, amount="120.50")
    assert quoted(caller, card)["limits"] == [
        {"limit": "push_amount", "left": 5000},
        {"limit": "card_day_amount", "left": 379.5},
        {"limit": "card_day_count", "left": 2},
        {"limit": "partner_day_count", "left": 0},
    ]


def test_names_who_must_approve_and_why(caller: Caller, card: PaymentCard) -> None:
    group = Group.objects.create(name="treasury")
    make_rule(name="large pushes", decisions=2, amount_at_least="50.00", group=group)
    make_rule(name="from servers", decisions=1, source="api")
    make_rule(name="huge pushes", decisions=3, amount_at_least="5000.00")
    document = quoted(caller, card)
    assert document["approvals"] == [
        {"reason": "large pushes", "decisions": 2, "group": "treasury"},
        {"reason": "from servers", "decisions": 1, "group": None},
    ]
    assert document["can_be_pushed"] is True


def test_warns_of_a_possible_duplicate(caller: Caller, card: PaymentCard) -> None:
    push(card)
    document = quoted(caller, card)
    assert document["possible_duplicate"] is True
    assert document["approvals"] == [
        {"reason": "possible_duplicate", "decisions": 1, "group": None}
    ]
    assert quoted(caller, card, amount=99)["possible_duplicate"] is False


def test_tells_what_is_left_in_whole_cents(caller: Caller, card: PaymentCard) -> None:
    for scope in ("card_day", "consumer_day", "partner_day"):
        caller.partner.limits.create(scope=scope, max_amount="500.00")
    push(card, amount="0.07")
    answer = caller.post(QUOTE, wish(card))
    assert answer.content.count(b'"left":499.93}') == 3


def test_says_that_a_create_needs_a_key(caller: Caller, card: PaymentCard) -> None:
    Partner.objects.filter(pk=caller.partner.pk).update(requires_idempotency_key=True)
    assert quoted(caller, card)["idempotency_key_required"] is True


def test_names_every_problem_at_once_as_a_create_would(caller: Caller, partner: Partner) -> None:
    consumer = make_consumer(partner=partner, is_active=False)
    card = make_card(
        consumer=consumer, status="inactive", push_eligible=False, expiration_year=2020
    )
    partner.limits.create(scope="card_day", max_amount="500.00", max_count=3)
    document = quoted(caller, card, amount=20000)
    assert document["can_be_pushed"] is False
    refusal = caller.create(card, amount=20000).json()
    assert [
        {name: problem[name] for name in ("field", "code", "message")}
        for problem in document["problems"]
    ] == refusal["errors"]
    (limit,) = [one for one in document["problems"] if one["code"] == "limit_exceeded"]
    assert {name: limit[name] for name in ("limit", "maximum", "used")} == refusal["limits"][0]
    assert document["eligibility"]["eligible"] is False


def test_quotes_for_nobody_too(caller: Caller, card: PaymentCard) -> None:
    document = quoted(caller, card, consumer_id="nobody")
    assert [problem["code"] for problem in document["problems"]] == [
        "consumer_not_found",
        "card_not_found",
    ]
    assert document["total"] == 100


def test_another_partners_card_is_not_found(caller: Caller) -> None:
    document = quoted(caller, make_payee())
    assert [problem["code"] for problem in document["problems"]] == [
        "consumer_not_found",
        "card_not_found",
    ]
    assert document["eligibility"]["checked_at"] is None


def test_names_every_wrong_field(caller: Caller) -> None:
    with nothing_is_stored():
        answer = caller.post(QUOTE, {"amount": 0, "consumer_id": 5, "colour": "red"})
    document = problem_in(answer, status=400, code="invalid_request")
    assert wrong_fields(document) == {
        "consumer_id": "invalid",
        "external_payment_card_id": "required",
        "amount": "too_small",
        "colour": "unknown_field",
    }


def test_rings_for_nobody_and_holds_nothing(
    caller: Caller, card: PaymentCard, bell: Bell, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        quoted(caller, card)
    assert bell.rings == 0
    assert caller.get("/v2/balance/").json()["held"] == Decimal(0)


def test_takes_two_statements_and_one_for_names_of_groups(
    caller: Caller, card: PaymentCard
) -> None:
    with statements(2):
        caller.post(QUOTE, wish(card))
    make_rule(group=Group.objects.create(name="treasury"))
    with statements(3):
        caller.post(QUOTE, wish(card))
