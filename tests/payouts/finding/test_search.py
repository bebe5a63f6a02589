"""Payments are found by what somebody says on the phone."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from consumers.ids import first_id_at, new_id
from consumers.models import PaymentCard
from consumers.search import Found
from payouts.approvals import Source
from payouts.finding import search
from payouts.finding.search import Reach, find_payments
from payouts.finding.search_text import Sought, sought
from payouts.models import Payment
from payouts.states import Status
from tests.builders import MASTERCARD_NUMBER, make_card, make_consumer
from tests.pushes import CLIENT_ID, make_funded_partner, push, push_submitted

REQUEST_ID = f"req_{new_id().hex}"


def found(text: str, *, reach: Reach | None = None) -> list[UUID]:
    return find_payments(text, reach=reach or Reach()).ids


def make_decoys(card: PaymentCard) -> None:
    """Pushes that no test asks for, of the same partner and of another one."""
    consumer = make_consumer(partner=card.partner, first_name="Bob", pcid="other")
    push(make_card(consumer=consumer, number=MASTERCARD_NUMBER), amount="77.00", reference="Z-1")
    stranger = make_consumer(partner=make_funded_partner(), first_name="Cleo", pcid="stranger")
    push(make_card(consumer=stranger, number=MASTERCARD_NUMBER), amount="88.00", reference="Z-2")


@pytest.fixture
def card(db: None) -> PaymentCard:
    consumer = make_consumer(
        partner=make_funded_partner(), first_name="Grace", last_name="Hopper", pcid="cust-0042",
        email="grace@example.com",
    )  # fmt: skip
    return make_card(consumer=consumer)


@pytest.fixture
def payment(card: PaymentCard) -> Payment:
    payment = push_submitted(
        card, amount="1250.00", reference="INV-2031", request_id=f"req_{new_id().hex}"
    )
    make_decoys(card)
    return payment


@pytest.mark.parametrize(
    "text",
    ["grace hopper", "hopp", "grace@example.com", "cust-0042", "1111", "···· 1111", "$1,250.00",
     "$1250", "1250", "1,250.00", "1250.0", "INV-2031", "inv-2031", "INV-203", "0042", "cust 0042",
     "hopper 1111", "1111 hopper $1,250", "grace ···· 1111, 1250", "hopper $ 1,250.00",
     "1111 $1250"],
)  # fmt: skip
def test_finds_a_payment_by(payment: Payment, text: str) -> None:
    assert found(text) == [payment.pk]


def test_finds_a_payment_by_its_ids(payment: Payment) -> None:
    for row in (payment.pk, payment.consumer_id, payment.card_id):
        assert found(str(row)) == [payment.pk]
    assert found(payment.pk.hex) == [payment.pk]
    assert found(str(payment.pk)[:30].upper()) == [payment.pk]


def test_finds_by_eight_digits_whatever_was_made_in_that_minute(payment: Payment) -> None:
    assert payment.pk in found(str(payment.pk)[:8])
    assert found(str(payment.pk)[:7]) == []


def test_finds_a_payment_by_what_the_network_calls_it(payment: Payment) -> None:
    assert found(payment.attempt.retrieval_reference_number) == [payment.pk]
    assert payment.pk in found(payment.attempt.trace_number)


def test_finds_a_payment_by_the_request_that_made_it(payment: Payment) -> None:
    assert found(payment.request_id) == [payment.pk]
    assert found(f"req_{new_id().hex}") == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "IN", "NV-2031", "$12", "9999", "nobody", "req_1", "hopper 9999", "hopper $12",
     "1111 $12", "bob 1111", "hopper 1111 $77", "$1250 $1250", "042"],
)  # fmt: skip
def test_finds_nothing_by(payment: Payment, text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["grace", "1111", "$1250", "INV-2", "cust-0042", "grace 1111", "grace 1250"]
)
def test_stays_within_its_reach(payment: Payment, text: str) -> None:
    other = Payment.objects.exclude(partner_id=payment.partner_id).first()
    assert other is not None
    before = first_id_at(payment.created_at - timedelta(days=1))
    assert found(text, reach=Reach(payment.partner_id)) == [payment.pk]
    assert found(text, reach=Reach(other.partner_id)) == []
    assert found(text, reach=Reach(end=before)) == []
    assert found(text, reach=Reach(first=before)) == [payment.pk]


def test_keeps_ids_within_its_reach_too(payment: Payment) -> None:
    other = Payment.objects.exclude(partner_id=payment.partner_id).first()
    assert other is not None
    reach = Reach(other.partner_id)
    for text in (
        str(payment.pk),
        str(payment.consumer_id),
        str(payment.card_id),
        payment.request_id,
        payment.attempt.retrieval_reference_number,
    ):
        assert found(text, reach=reach) == []


def test_gives_the_newest_first_and_each_once(card: PaymentCard) -> None:
    older = push(card, amount="1111.00", reference="1111")
    newer = push(card, amount="1111.00", reference="1111")
    assert found("1111") == [newer.pk, older.pk]


def test_says_when_people_were_left_out(card: PaymentCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_ROOTS_AT_MOST", 1)
    push(card)
    assert find_payments("grace", reach=Reach()).is_complete
    push(make_card(consumer=make_consumer(partner=card.partner, first_name="Grace", pcid="two")))
    answer = find_payments("grace", reach=Reach())
    assert len(answer.ids) == 1
    assert not answer.is_complete


def test_says_so_even_if_those_who_were_looked_at_have_no_payment(
    card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_ROOTS_AT_MOST", 1)
    push(card)
    make_consumer(partner=card.partner, first_name="Grace", pcid="two")
    answer = find_payments("grace", reach=Reach())
    assert answer.ids == []
    assert not answer.is_complete


def test_looks_for_what_else_is_asked_and_not_only_among_the_newest(
    card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = push_submitted(card, amount="10.00")
    newer = [push(card, amount="10.00") for _ in range(2)]
    monkeypatch.setattr(search, "FOUND_AT_MOST", 1)
    monkeypatch.setattr("consumers.search.FOUND_AT_MOST", 1)
    for text in ("grace", "1111", "$10", "grace $10"):
        assert found(text) == [newer[1].pk], text
        assert found(text, reach=Reach(statuses=(Status.SUBMITTED,))) == [old.pk], text
        assert found(text, reach=Reach(statuses=(Status.FAILED,))) == [], text


def test_narrows_by_source_amount_network_and_maker(card: PaymentCard) -> None:
    payment = push(card, amount="10.00")
    for fits in (
        Reach(source=Source.API),
        Reach(amount_min=Decimal(10), amount_max=Decimal(10)),
        Reach(network="visa"),
        Reach(maker_client_id=CLIENT_ID),
    ):
        assert found("grace", reach=fits) == [payment.pk], fits
    for misses in (
        Reach(source=Source.BATCH),
        Reach(amount_min=Decimal("10.01")),
        Reach(amount_max=Decimal("9.99")),
        Reach(network="mastercard"),
        Reach(maker_client_id=new_id()),
        Reach(maker_user_id=1),
    ):
        assert found("grace", reach=misses) == [], misses


def test_a_partners_people_are_not_lost_among_those_of_others(
    card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_funded_partner()
    for number in range(5):
        make_consumer(partner=other, first_name="Grace", pcid=f"c{number}")
    monkeypatch.setattr(search, "_GATHERED_AT_MOST", 2)
    monkeypatch.setattr(search, "_ROOTS_AT_MOST", 3)
    payment = push(card)
    answer = find_payments("grace", reach=Reach(card.partner_id))
    assert answer == Found([payment.pk], is_complete=True)


def test_of_too_many_people_the_newest_are_looked_at(
    card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_GATHERED_AT_MOST", 2)
    for number in range(4):
        consumer = make_consumer(partner=card.partner, first_name="Grace", pcid=f"c{number}")
    payment = push(make_card(consumer=consumer))
    answer = find_payments("grace", reach=Reach())
    assert payment.pk in answer.ids


def test_asks_one_statement(payment: Payment, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        found("1250")


@pytest.mark.parametrize(
    "text", ["grace", "1111", "$1250", "INV-2031", "123456", "531719123456", "01990000-aaaa",
             REQUEST_ID, "grace 1111 $1250"],
)  # fmt: skip
def test_every_meaning_walks_an_index(payment: Payment, text: str) -> None:
    plan = plan_of(text)
    assert "Index" in plan
    assert re.findall(r"Seq Scan on (?!consumers_partner)\w+", plan) == []


def plan_of(text: str) -> str:
    """What the database does for a search, made to use indexes wherever it can on a small table."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN " + search._PAYMENTS, search.parameters(sought(text), reach=Reach())
        )
        return "\n".join(row[0] for row in cursor.fetchall())


def test_reads_a_number_as_all_that_it_can_be() -> None:
    meaning = sought("1250")
    assert meaning.amount == Decimal("1250")
    assert (meaning.last4, meaning.text) == ("1250", "1250")
    assert sought("531719123456").rrn == "531719123456"
    assert sought("123456").trace == "123456"


def test_reads_a_text_with_a_dollar_sign_as_an_amount_only() -> None:
    assert sought("$ 1,250.00") == Sought(amount=Decimal("1250.00"))


@pytest.mark.parametrize("text", ["1,25", "1.234", "-5", "1e5", "12,50.00", "٣٤٥٦", "$"])
def test_reads_no_amount_out_of(text: str) -> None:
    assert sought(text).amount is None


def test_looks_for_a_request_only_near_its_own_time() -> None:
    meaning = sought(REQUEST_ID)
    assert meaning.request_from is not None
    assert meaning.request_to is not None
    assert (meaning.request_to.int - meaning.request_from.int) >> 80 == 60_000
