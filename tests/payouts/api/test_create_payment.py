"""POST /v2/payments/oct/"""

import json
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group

from consumers.models import Partner, PaymentCard
from payouts.actors import COMMAND_LINE
from payouts.models import Event, FeeSchedule, Payment
from payouts.operations.partners import fund_partner
from tests.books import assert_books_are_right, held, journals
from tests.builders import make_card, make_consumer
from tests.conftest import Bell
from tests.payouts.api.caller import (
    CONTRACT,
    CREATE,
    Caller,
    nothing_is_stored,
    problem_in,
    statements,
    wish,
    wrong_fields,
)
from tests.pushes import make_payee, make_rule

pytestmark = pytest.mark.django_db


class TestTheContract:
    def test_answers_every_published_member_with_its_type(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        answer = caller.create(card)
        assert answer.status_code == 201
        assert answer.headers["Content-Type"] == "application/json"
        document = json.loads(answer.content)
        assert tuple(document)[:7] == CONTRACT
        assert str(UUID(document["id"])) == document["id"]
        assert document["amount"] == 100
        assert document["direction"] == "Push"
        assert document["status"] == "pending"
        assert document["consumer_id"] == str(card.consumer_id)
        assert document["external_payment_card_id"] == str(card.pk)
        assert document["fee_amount"] == 0

    def test_writes_amounts_as_json_numbers(self, caller: Caller, card: PaymentCard) -> None:
        FeeSchedule.objects.create(partner=caller.partner, fixed="0.25", basis_points=100)
        text = caller.create(card, amount=19.99).content.decode()
        assert re.search(r'"amount":19\.99[,}]', text)
        assert re.search(r'"fee_amount":0\.45[,}]', text)

    def test_stores_one_payment_with_its_event_journal_and_hold(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        FeeSchedule.objects.create(partner=caller.partner, fixed="0.25")
        answer = caller.create(card, amount=12.34)
        payment = Payment.objects.get()
        assert str(payment.pk) == answer.json()["id"]
        assert (payment.amount, payment.fee_amount) == (Decimal("12.34"), Decimal("0.25"))
        assert list(Event.objects.values_list("kind", "to_status")) == [("created", "pending")]
        assert journals(payment) == ["accepted"]
        assert held(caller.partner) == Decimal("12.59")
        assert_books_are_right()

    def test_takes_the_example_of_the_contract(self, caller: Caller, partner: Partner) -> None:
        consumer = make_consumer(partner=partner, pcid="abc123")
        card = make_card(consumer=consumer)
        body = {"consumer_id": "abc123", "external_payment_card_id": str(card.pk), "amount": 100}
        document = caller.post(CREATE, body).json()
        assert (document["consumer_id"], document["pcid"]) == (str(consumer.pk), "abc123")

    def test_prefers_the_id_to_a_pcid_that_looks_like_it(
        self, caller: Caller, card: PaymentCard, partner: Partner
    ) -> None:
        make_consumer(partner=partner, pcid=str(card.consumer_id))
        assert caller.create(card).json()["consumer_id"] == str(card.consumer_id)

    def test_takes_a_pcid_that_looks_like_an_id(self, caller: Caller, partner: Partner) -> None:
        pcid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
        card = make_card(consumer=make_consumer(partner=partner, pcid=pcid))
        assert caller.create(card, consumer_id=pcid).json()["pcid"] == pcid

    def test_has_a_request_id_that_the_payment_keeps(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        request_id = caller.create(card).headers["Request-Id"]
        assert re.fullmatch(r"req_[0-9a-f]{32}", request_id)
        assert Payment.objects.get().request_id == request_id

    def test_rings_for_the_sender_once_it_is_stored(
        self,
        caller: Caller,
        card: PaymentCard,
        bell: Bell,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            caller.create(card)
        assert bell.rings == 1


class TestTheAdditions:
    def test_answers_them(self, caller: Caller, card: PaymentCard) -> None:
        asked: dict[str, Any] = {
            "description": "Week 9",
            "reference": "R-1",
            "metadata": {"week": "9"},
        }
        document = caller.create(card, **asked).json()
        payment = Payment.objects.get()
        instant = payment.created_at.isoformat().replace("+00:00", "Z")
        assert {name: document[name] for name in document if name not in CONTRACT} == {
            "currency": "USD",
            "pcid": card.consumer.pcid,
            "description": "Week 9",
            "reference": "R-1",
            "metadata": {"week": "9"},
            "created_at": instant,
            "updated_at": instant,
            "completed_at": None,
            "card": {"network": "visa", "last4": "1111"},
            "network": None,
            "failure": None,
            "money_moved": "no",
            "safe_to_retry": False,
            "approval": None,
        }

    @pytest.mark.parametrize(
        "text",
        [
            "Päivä 🎉 👩‍👩‍👧‍👦",
            "שלום עולם ‏(RTL)‏",
            "'; DROP TABLE payments; -- <script>alert(1)</script>",
            " blanks at both ends ",
            "two\nlines\tand a tab",
            "é is not é",
            "\U0001d518\U0001d52b\U0001d526",
            "x" * 500,
        ],
    )
    def test_keeps_a_description_exactly(
        self, caller: Caller, card: PaymentCard, text: str
    ) -> None:
        made = caller.create(card, description=text, metadata={text[:40]: text}).json()
        read = caller.get(f"{CREATE}{made['id']}/").json()
        assert made["description"] == read["description"] == text
        assert made["metadata"] == read["metadata"] == {text[:40]: text}
        assert Payment.objects.get().description == text

    @pytest.mark.parametrize(
        ("written", "amount"),
        [
            ("100", "100.00"),
            ("100.00", "100.00"),
            ("1e2", "100.00"),
            ("1E+2", "100.00"),
            ("100.0000", "100.00"),
            ("0.01", "0.01"),
            ("50000", "50000.00"),
            ('"100"', "100.00"),
            ('"0.07"', "0.07"),
            ('"19.9"', "19.90"),
            ('"0000100.50"', "100.50"),
            ('"50000.00"', "50000.00"),
        ],
    )
    def test_reads_amounts_exactly(
        self, caller: Caller, card: PaymentCard, written: str, amount: str, partner: Partner
    ) -> None:
        body = json.dumps(wish(card, amount=0)).replace('"amount": 0', f'"amount": {written}')
        fund_partner(partner, Decimal(50_000), actor=COMMAND_LINE)
        assert caller.send(CREATE, body).status_code == 201
        assert str(Payment.objects.get().amount) == amount

    def test_says_why_it_waits_for_approval(self, caller: Caller, card: PaymentCard) -> None:
        make_rule(name="large pushes", decisions=2, amount_at_least="50.00")
        make_rule(name="from servers", decisions=1, source="api")
        document = caller.create(card).json()
        payment = Payment.objects.get()
        assert payment.approval_expires_at is not None
        assert document["status"] == "pending_approval"
        assert document["approval"] == {
            "required": 2,
            "given": 0,
            "expires_at": payment.approval_expires_at.isoformat().replace("+00:00", "Z"),
            "reasons": ["large pushes", "from servers"],
        }

    def test_counts_the_people_of_every_group_that_is_asked(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        for name in ("treasury", "risk"):
            make_rule(name=name, group=Group.objects.create(name=name))
        assert caller.create(card).json()["approval"]["required"] == 2

    def test_does_not_ring_for_a_payment_that_waits(
        self,
        caller: Caller,
        card: PaymentCard,
        bell: Bell,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        make_rule()
        with django_capture_on_commit_callbacks(execute=True):
            assert caller.create(card).json()["status"] == "pending_approval"
        assert bell.rings == 0


class TestPossibleDuplicates:
    def test_holds_a_second_push_without_a_key(self, caller: Caller, card: PaymentCard) -> None:
        first, second = caller.create(card).json(), caller.create(card).json()
        assert first["status"] == "pending"
        assert second["status"] == "pending_approval"
        assert second["approval"]["reasons"] == ["possible_duplicate"]
        assert first["id"] != second["id"]

    def test_lets_a_push_with_a_key_pass(self, caller: Caller, card: PaymentCard) -> None:
        caller.create(card)
        assert caller.create(card, key="mine").json()["status"] == "pending"

    def test_lets_another_amount_or_card_pass(self, caller: Caller, card: PaymentCard) -> None:
        caller.create(card)
        other = make_payee(partner=caller.partner)
        assert caller.create(card, amount=100.01).json()["status"] == "pending"
        assert caller.create(other).json()["status"] == "pending"


class TestRefusals:
    def test_names_every_wrong_field_at_once(self, caller: Caller) -> None:
        body = {
            "consumer_id": 7,
            "external_payment_card_id": "card",
            "amount": "12.345",
            "description": None,
            "reference": "x" * 65,
            "metadata": {"a": 1},
            "colour": "red",
        }
        with nothing_is_stored():
            answer = caller.post(CREATE, body)
        document = problem_in(answer, status=400, code="invalid_request")
        assert wrong_fields(document) == {
            "consumer_id": "invalid",
            "external_payment_card_id": "invalid",
            "amount": "too_many_decimals",
            "description": "null",
            "reference": "max_length",
            "metadata": "invalid",
            "colour": "unknown_field",
        }
        assert all(name in document["detail"] for name in body)
        assert document["request_id"] == answer.headers["Request-Id"]

    def test_names_what_is_missing(self, caller: Caller) -> None:
        document = problem_in(caller.post(CREATE, {}), status=400, code="invalid_request")
        assert wrong_fields(document) == dict.fromkeys(
            ("consumer_id", "external_payment_card_id", "amount"), "required"
        )

    def test_names_a_wrong_key_beside_wrong_fields(self, caller: Caller, card: PaymentCard) -> None:
        body = wish(card, amount=-1)
        document = problem_in(
            caller.post(CREATE, body, idempotency_key="two words"),
            status=400,
            code="invalid_request",
        )
        assert wrong_fields(document) == {
            "amount": "too_small",
            "Idempotency-Key": "invalid_idempotency_key",
        }

    def test_names_every_reason_at_once(self, caller: Caller, partner: Partner) -> None:
        consumer = make_consumer(partner=partner, is_active=False)
        card = make_card(
            consumer=consumer, status="inactive", push_eligible=False, expiration_year=2020
        )
        partner.limits.create(scope="push", max_amount="15000.00")
        partner.limits.create(scope="card_day", max_amount="500.00", max_count=3)
        partner.limits.create(scope="partner_day", max_amount="1000.00")
        with nothing_is_stored():
            answer = caller.create(card, amount=20000)
        document = problem_in(answer, status=422, code="payment_refused")
        assert [(error["field"], error["code"]) for error in document["errors"]] == [
            ("consumer_id", "consumer_inactive"),
            ("external_payment_card_id", "card_inactive"),
            ("external_payment_card_id", "card_expired"),
            ("external_payment_card_id", "card_not_eligible"),
            ("amount", "limit_exceeded"),
            ("amount", "limit_exceeded"),
            ("amount", "limit_exceeded"),
            ("amount", "insufficient_funds"),
        ]
        assert document["limits"] == [
            {"limit": "push_amount", "maximum": 15000, "used": 0},
            {"limit": "card_day_amount", "maximum": 500, "used": 0},
            {"limit": "partner_day_amount", "maximum": 1000, "used": 0},
        ]

    @pytest.mark.parametrize(
        ("wrong", "code", "field"),
        [
            ({"consumer_id": "nobody"}, {"consumer_not_found", "card_not_found"}, "consumer_id"),
            (
                {"external_payment_card_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"},
                {"card_not_found"},
                "external_payment_card_id",
            ),
            ({"amount": 10000.01}, {"insufficient_funds"}, "amount"),
        ],
    )
    def test_a_single_reason_gives_the_document_its_code(
        self, caller: Caller, card: PaymentCard, wrong: Any, code: set[str], field: str
    ) -> None:
        answer = caller.create(card, **wrong)
        only = code.copy().pop() if len(code) == 1 else "payment_refused"
        document = problem_in(answer, status=422, code=only)
        assert {error["code"] for error in document["errors"]} == code
        assert document["errors"][0]["field"] == field
        assert "limits" not in document

    def test_a_card_of_another_consumer_is_not_found(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        other = make_payee(partner=caller.partner)
        answer = caller.create(card, external_payment_card_id=str(other.pk))
        problem_in(answer, status=422, code="card_not_found")

    def test_a_consumer_and_card_of_another_partner_are_not_found(self, caller: Caller) -> None:
        foreign = make_payee()
        with nothing_is_stored():
            answer = caller.create(foreign)
        document = problem_in(answer, status=422, code="payment_refused")
        codes = [error["code"] for error in document["errors"]]
        assert codes == ["consumer_not_found", "card_not_found"]


class TestStatements:
    def test_a_create_takes_three(self, caller: Caller, card: PaymentCard) -> None:
        with statements(3):
            caller.create(card)
        with statements(3):
            caller.create(card, key="a-key")

    def test_a_replay_takes_two(self, caller: Caller, card: PaymentCard) -> None:
        caller.create(card, key="again")
        with statements(2):
            caller.create(card, key="again")

    def test_a_malformed_one_takes_one(self, caller: Caller, card: PaymentCard) -> None:
        with statements(1):
            caller.create(card, amount=0)
