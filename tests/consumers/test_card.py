"""GET, PATCH and DELETE /v2/external-payment-cards/{id}/, POST …/check/"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from pytest_django.fixtures import DjangoAssertNumQueries

from consumers.models import CardStatus, PaymentCard
from consumers.operations.cards import deactivate_card, edit_card
from tests.builders import make_card, make_http_client, make_partner
from tests.eligibility import FAST, REFUSED, SILENT

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def card() -> PaymentCard:
    return make_card(push_eligible=True, push_speed="fast_funds", push_checked_at=LONG_AGO)


def call(card: PaymentCard, method: str, body: Any = None, *, suffix: str = "") -> Any:
    http = make_http_client(partner=card.partner)
    return getattr(http, method)(f"/v2/external-payment-cards/{card.pk}/{suffix}", body)


def test_shows_no_more_of_the_number_than_bin_and_last_four(card: PaymentCard) -> None:
    answer = call(card, "get")
    assert (answer.json()["bin"], answer.json()["last4"]) == ("41111111", "1111")
    assert "411111111" not in answer.content.decode()


@pytest.mark.parametrize(
    ("status", "expires", "shown"),
    [
        (CardStatus.ACTIVE, date(2039, 12, 31), "active"),
        (CardStatus.ACTIVE, date(2020, 1, 31), "expired"),
        (CardStatus.INACTIVE, date(2039, 12, 31), "inactive"),
        (CardStatus.INACTIVE, date(2020, 1, 31), "inactive"),
    ],
)
def test_shows_whether_it_can_be_used(status: CardStatus, expires: date, shown: str) -> None:
    card = make_card(status=status, expires=expires)
    assert call(card, "get").json()["status"] == shown


@pytest.mark.parametrize(
    ("method", "suffix"), [("get", ""), ("patch", ""), ("delete", ""), ("post", "check/")]
)
def test_another_partners_card_is_not_there(card: PaymentCard, method: str, suffix: str) -> None:
    http = make_http_client(partner=make_partner())
    for card_id in (card.pk, uuid4(), "7"):
        answer = getattr(http, method)(f"/v2/external-payment-cards/{card_id}/{suffix}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    card.refresh_from_db()
    assert (card.status, card.push_checked_at) == (CardStatus.ACTIVE, LONG_AGO)


def test_notes_can_be_changed(card: PaymentCard) -> None:
    answer = call(card, "patch", {"nickname": "Payday", "postal_code": ""})
    assert answer.status_code == 200
    card.refresh_from_db()
    assert (card.nickname, card.postal_code, card.push_eligible) == ("Payday", "", True)
    assert answer.json()["nickname"] == "Payday"


def test_a_new_expiry_makes_the_networks_word_void(card: PaymentCard) -> None:
    answer = call(card, "patch", {"expiration_month": 1, "expiration_year": 2040})
    assert answer.json()["push"] == {"eligible": None, "speed": None, "checked_at": None}


def test_the_same_expiry_changes_nothing_about_it(card: PaymentCard) -> None:
    assert call(card, "patch", {"expiration_year": 2039}).json()["push"]["eligible"] is True


def test_an_expired_card_can_be_renewed() -> None:
    card = make_card(expires=date(2020, 1, 31))
    assert call(card, "patch", {"expiration_year": 2039}).json()["status"] == "active"


def test_what_was_read_can_be_sent_back_unchanged(card: PaymentCard) -> None:
    document = call(card, "get").json()
    answer = call(card, "patch", document)
    assert (answer.status_code, answer.json()) == (200, document)


def test_refuses_an_expiry_that_is_past(card: PaymentCard) -> None:
    answer = call(card, "patch", {"expiration_year": 2020})
    assert (answer.status_code, answer.json()["code"]) == (422, "card_expired")
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("expiration_year", "card_expired")
    before = card.expiration_year
    card.refresh_from_db()
    assert card.expiration_year == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"number": "4111111111111111"}, "number", "read_only"),
        ({"status": "inactive"}, "status", "read_only"),
        ({"push": {"eligible": True}}, "push", "read_only"),
        ({"expiration_month": 13}, "expiration_month", "max_value"),
        ({"nickname": None}, "nickname", "null"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_refuses_other_changes(
    card: PaymentCard, body: dict[str, Any], field: str, code: str
) -> None:
    answer = call(card, "patch", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    card.refresh_from_db()
    assert (card.expiration_month, card.expiration_year, card.nickname) == (12, 2039, "")


def test_a_card_out_of_use_does_not_change() -> None:
    card = make_card(status=CardStatus.INACTIVE)
    answer = call(card, "patch", {"nickname": "Payday"})
    assert (answer.status_code, answer.json()["code"]) == (422, "card_inactive")
    card.refresh_from_db()
    assert card.nickname == ""


def test_remembers_the_person_who_edited_last(card: PaymentCard) -> None:
    user = get_user_model().objects.create(username="maker")
    edit_card(card, by_user=user, nickname="Payday")
    call(card, "patch", {"nickname": "Other"})
    card.refresh_from_db()
    assert card.edited_by_user == user


def test_deleting_takes_it_out_of_use_and_keeps_it(card: PaymentCard) -> None:
    answer = call(card, "delete")
    assert (answer.status_code, answer.content) == (204, b"")
    assert call(card, "get").json()["status"] == "inactive"


def test_deleting_again_changes_nothing(card: PaymentCard) -> None:
    deactivate_card(card, reason="lost_card")
    assert call(card, "delete").status_code == 204
    card.refresh_from_db()
    assert card.deactivation_reason == "lost_card"


@pytest.mark.parametrize(
    ("source", "eligible", "speed"),
    [(FAST, True, "fast_funds"), (REFUSED, False, "not_supported")],
)
def test_a_check_asks_again_and_keeps_the_answer(
    card: PaymentCard, settings: Any, source: str, eligible: object, speed: str
) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = source
    answer = call(card, "post", suffix="check/")
    assert answer.status_code == 200
    push = answer.json()["push"]
    assert (push["eligible"], push["speed"]) == (eligible, speed)
    assert call(card, "get").json()["push"] == push
    card.refresh_from_db()
    assert card.push_checked_at is not None
    assert card.push_checked_at > LONG_AGO


def test_a_check_that_nobody_answers_changes_nothing(card: PaymentCard, settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = SILENT
    answer = call(card, "post", suffix="check/")
    assert (answer.status_code, answer.json()["code"]) == (422, "eligibility_unavailable")
    assert answer.headers["Retry-After"] == "60"
    card.refresh_from_db()
    assert (card.push_eligible, card.push_checked_at) == (True, LONG_AGO)


def test_a_card_out_of_use_is_not_asked_about(settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = FAST
    card = make_card(status=CardStatus.INACTIVE)
    answer = call(card, "post", suffix="check/")
    assert (answer.status_code, answer.json()["code"]) == (422, "card_inactive")
    card.refresh_from_db()
    assert card.push_checked_at is None


def test_a_check_takes_no_fields(card: PaymentCard, settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = FAST
    answer = call(card, "post", {"force": True}, suffix="check/")
    assert answer.json()["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize(
    ("method", "suffix", "body", "statements"),
    [
        ("get", "", None, 2),
        # Changes leave an entry in the trail and tell the partner; two more are the savepoint of
        # the test.
        ("patch", "", {"nickname": "a"}, 8),
        ("delete", "", None, 8),
        ("post", "check/", None, 5),
    ],
)
def test_needs_few_statements(
    card: PaymentCard,
    settings: Any,
    method: str,
    suffix: str,
    body: Any,
    statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = FAST
    http = make_http_client(partner=card.partner)
    with django_assert_num_queries(statements):
        getattr(http, method)(f"/v2/external-payment-cards/{card.pk}/{suffix}", body)
