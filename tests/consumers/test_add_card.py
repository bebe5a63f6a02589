"""POST /v2/consumers/{id}/external-payment-cards/"""

import logging
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from consumers.models import CardStatus, Consumer, PaymentCard
from consumers.vault import SealedCard, key_ring_from_settings, unseal
from tests.builders import (
    MASTERCARD_NUMBER,
    VISA_NUMBER,
    make_card,
    make_consumer,
    make_http_client,
    make_partner,
)
from tests.eligibility import FAST, REFUSED, SILENT

pytestmark = pytest.mark.django_db

WHOLE = {
    "number": "4111 1111-1111 1111",
    "expiration_month": 12,
    "expiration_year": 2039,
    "cardholder_name": "Ada Example",
    "postal_code": "62701",
    "nickname": "Payday",
}


@pytest.fixture(autouse=True)
def _network(settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = FAST


@pytest.fixture
def consumer() -> Consumer:
    return make_consumer()


def add(consumer: Consumer, **changes: Any) -> Any:
    body = {name: value for name, value in {**WHOLE, **changes}.items() if value is not ...}
    http = make_http_client(partner=consumer.partner)
    return http.post(f"/v2/consumers/{consumer.pk}/external-payment-cards/", body)


def wrong_fields(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 400
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


def test_answers_every_published_field(consumer: Consumer) -> None:
    answer = add(consumer)
    assert answer.status_code == 201
    document = answer.json()
    assert UUID(document.pop("id"))
    assert document.pop("created_at")
    assert document["push"].pop("checked_at")
    assert document == {
        "consumer_id": str(consumer.pk),
        "network": "visa",
        "card_type": "debit",
        "bin": "41111111",
        "last4": "1111",
        "expiration_month": 12,
        "expiration_year": 2039,
        "cardholder_name": "Ada Example",
        "postal_code": "62701",
        "nickname": "Payday",
        "status": "active",
        "push": {"eligible": True, "speed": "fast_funds"},
    }


def test_stores_the_number_sealed_for_its_row(consumer: Consumer) -> None:
    add(consumer)
    card = PaymentCard.objects.get()
    sealed = SealedCard(card.kek_id, bytes(card.wrapped_key), bytes(card.ciphertext))
    pan = unseal(
        sealed, card_id=card.pk, partner_id=consumer.partner_id, ring=key_ring_from_settings()
    )
    assert pan.reveal() == VISA_NUMBER
    assert VISA_NUMBER.encode() not in bytes(card.ciphertext)


def test_says_that_a_card_cannot_be_pushed_to(consumer: Consumer, settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = REFUSED
    push = add(consumer).json()["push"]
    assert (push["eligible"], push["speed"]) == (False, "not_supported")


def test_stores_the_card_when_the_network_cannot_say(consumer: Consumer, settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = SILENT
    answer = add(consumer)
    assert answer.status_code == 201
    assert answer.json()["push"] == {"eligible": None, "speed": None, "checked_at": None}
    assert answer.json()["card_type"] is None
    assert PaymentCard.objects.get().status == CardStatus.ACTIVE


def test_the_same_number_again_answers_the_existing_card(consumer: Consumer) -> None:
    first = add(consumer)
    again = add(consumer, number=VISA_NUMBER, nickname="Other", expiration_month=1)
    assert (again.status_code, again.json()) == (200, first.json())
    assert PaymentCard.objects.count() == 1


def test_a_card_out_of_use_stays_out_of_use_when_added_again(consumer: Consumer) -> None:
    make_card(consumer=consumer, status=CardStatus.INACTIVE)
    answer = add(consumer)
    assert (answer.status_code, answer.json()["status"]) == (200, "inactive")


def test_finds_the_existing_card_under_a_retired_key(consumer: Consumer, settings: Any) -> None:
    existing = make_card(consumer=consumer)
    settings.CARD_FINGERPRINT_KEYS = (
        "next:bmV4dC1jYXJkLWtleS1mb3ItdGVzdHMtMzItYnl0ZXM=," + settings.CARD_FINGERPRINT_KEYS
    )
    assert add(consumer).json()["id"] == str(existing.pk)


def test_consumers_may_share_a_card(consumer: Consumer) -> None:
    make_card(consumer=make_consumer(partner=consumer.partner))
    assert add(consumer).status_code == 201


@pytest.mark.parametrize("month", ["4", "04", 4])
def test_takes_the_expiry_as_text_as_well(consumer: Consumer, month: Any) -> None:
    document = add(consumer, expiration_month=month, expiration_year="2039").json()
    assert (document["expiration_month"], document["expiration_year"]) == (4, 2039)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"number": ...}, {"number": "required"}),
        ({"number": 4111111111111111}, {"number": "invalid"}),
        ({"number": ""}, {"number": "blank"}),
        ({"number": " - "}, {"number": "required"}),
        ({"number": "4111111111111112"}, {"number": "wrong_check_digit"}),
        ({"number": "411111111111111"}, {"number": "wrong_check_digit"}),
        ({"number": "4111x11111111111"}, {"number": "not_digits"}),
        ({"number": "٤" * 16}, {"number": "not_digits"}),
        ({"number": "9" * 41}, {"number": "wrong_length"}),
        ({"expiration_month": 13}, {"expiration_month": "max_value"}),
        ({"expiration_month": 0}, {"expiration_month": "min_value"}),
        ({"expiration_month": "012"}, {"expiration_month": "invalid"}),
        ({"expiration_month": True}, {"expiration_month": "invalid"}),
        ({"expiration_year": 39}, {"expiration_year": "min_value"}),
        ({"expiration_year": 10**30}, {"expiration_year": "max_value"}),
        ({"expiration_year": 2099}, {"expiration_year": "too_far_ahead"}),
        ({"nickname": VISA_NUMBER}, {"nickname": "card_number"}),
        ({"cardholder_name": "Ada 4111 1111 1111 1111"}, {"cardholder_name": "card_number"}),
        ({"status": "active"}, {"status": "unknown_field"}),
        (
            {"number": "4", "expiration_year": 2020, "nickname": 7, "colour": "red"},
            {
                "number": "wrong_length",
                "nickname": "invalid",
                "colour": "unknown_field",
            },
        ),
    ],
)
def test_names_everything_that_is_wrong_and_stores_nothing(
    consumer: Consumer, changes: dict[str, Any], wrong: dict[str, str]
) -> None:
    named = wrong_fields(add(consumer, **changes))
    assert named >= wrong.items()
    assert {field for field, _ in named} == wrong.keys()
    assert not PaymentCard.objects.exists()


def test_an_expired_card_is_well_formed_and_cannot_be_added(consumer: Consumer) -> None:
    answer = add(consumer, expiration_year=2020)
    assert (answer.status_code, answer.json()["code"]) == (422, "card_expired")
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("expiration_year", "card_expired")
    assert VISA_NUMBER not in answer.content.decode()
    assert not PaymentCard.objects.exists()


@pytest.mark.parametrize("name", ["cvv", "CVV2", "card_cvc", "securityCode", "pin", "track2"])
def test_refuses_sensitive_authentication_data(
    consumer: Consumer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = add(consumer, **{name: "7391"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "sensitive_authentication_data"
    assert "7391" not in answer.content.decode() + caplog.text
    assert not PaymentCard.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"number": "4111111111111112"},
        {"expiration_year": 2020},
        {"4111111111111111": 1},
        {"nickname": VISA_NUMBER},
        {"number": [VISA_NUMBER]},
        {"cvv": VISA_NUMBER},
    ],
)
def test_the_number_is_in_no_answer_and_no_log(
    consumer: Consumer, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = add(consumer, **changes)
    # The BIN and the last four are shown; nothing may show more than those.
    shown = answer.content.decode() + str(answer.headers) + caplog.text
    assert "411111111" not in shown.replace(" ", "")


def test_a_canceled_consumer_gets_no_card() -> None:
    answer = add(make_consumer(is_active=False))
    assert (answer.status_code, answer.json()["code"]) == (422, "consumer_inactive")
    assert not PaymentCard.objects.exists()


def test_another_partners_consumer_is_not_there(consumer: Consumer) -> None:
    http = make_http_client(partner=make_partner())
    for consumer_id in (consumer.pk, uuid4()):
        address = f"/v2/consumers/{consumer_id}/external-payment-cards/"
        assert http.post(address, WHOLE).status_code == 404
    assert not PaymentCard.objects.exists()


def test_needs_eight_statements(
    consumer: Consumer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    http = make_http_client(partner=consumer.partner)
    # Token, consumer, card with this number, insert, its entry in the trail, its event,
    # eligibility, its event; and two savepoints of the test.
    with django_assert_num_queries(12):
        http.post(f"/v2/consumers/{consumer.pk}/external-payment-cards/", WHOLE)


def test_lists_the_consumers_cards_newest_first(consumer: Consumer) -> None:
    first = make_card(consumer=consumer)
    second = make_card(consumer=consumer, number=MASTERCARD_NUMBER)
    make_card(consumer=make_consumer(partner=consumer.partner))
    http = make_http_client(partner=consumer.partner)
    document = http.get(f"/v2/consumers/{consumer.pk}/external-payment-cards/").json()
    assert [card["id"] for card in document["results"]] == [str(second.pk), str(first.pk)]
    assert (document["count"], document["next"], document["previous"]) == (2, None, None)


def test_lists_nothing_of_another_partner(consumer: Consumer) -> None:
    make_card(consumer=consumer)
    http = make_http_client(partner=make_partner())
    answer = http.get(f"/v2/consumers/{consumer.pk}/external-payment-cards/")
    assert answer.status_code == 404


def test_a_list_needs_four_statements(
    consumer: Consumer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (VISA_NUMBER, MASTERCARD_NUMBER):
        make_card(consumer=consumer, number=number, expires=date(2030, 1, 31))
    http = make_http_client(partner=consumer.partner)
    with django_assert_num_queries(4):
        http.get(f"/v2/consumers/{consumer.pk}/external-payment-cards/")
