"""POST /v2/consumers/"""

from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from consumers.models import Consumer, Partner
from consumers.vault import key_ring_from_settings, unseal_text
from tests.builders import VISA_NUMBER, make_consumer, make_http_client, make_partner

pytestmark = pytest.mark.django_db

WHOLE = {
    "pcid": "abc123",
    "first_name": "Ada",
    "last_name": "O'Example",
    "email": "ada@example.com",
    "phone_number": "+14155550123",
    "date_of_birth": "1990-02-28",
    "tax_id_type": "SSN",
    "tax_identifier": "123-45-6789",
    "address_line1": "1 Example Street",
    "address_line2": "Flat 2",
    "address_city": "Springfield",
    "address_state": "IL",
    "address_zip": "62701",
}


@pytest.fixture
def partner() -> Partner:
    return make_partner()


def create(partner: Partner, body: Any) -> Any:
    return make_http_client(partner=partner).post("/v2/consumers/", body)


def wrong_fields(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_answers_every_published_field(partner: Partner) -> None:
    answer = create(partner, WHOLE)
    assert answer.status_code == 201
    document = answer.json()
    assert UUID(document.pop("id"))
    assert document.pop("created_at").endswith("Z")
    assert document == {
        **WHOLE,
        "tax_identifier": "***-**-6789",
        "kyc_status": "NotStarted",
        "is_active": True,
    }


def test_needs_a_pcid_only(partner: Partner) -> None:
    answer = create(partner, {"pcid": "abc123"})
    assert answer.status_code == 201
    consumer = Consumer.objects.get()
    assert (str(consumer.pk), consumer.partner) == (answer.json()["id"], partner)
    assert consumer.date_of_birth is None
    assert consumer.tax_identifier_sealed is None


def test_seals_the_tax_identifier_for_its_row(partner: Partner) -> None:
    create(partner, WHOLE)
    consumer = Consumer.objects.get()
    sealed = bytes(consumer.tax_identifier_sealed or b"")
    assert b"6789" not in sealed
    assert consumer.tax_identifier_last4 == "6789"
    place = f"consumer|{consumer.pk}|{partner.pk}|tax_identifier"
    opened = unseal_text(sealed, bound_to=place, ring=key_ring_from_settings())
    assert opened == "123-45-6789"


def test_a_taken_pcid_answers_the_existing_consumer(partner: Partner) -> None:
    existing = make_consumer(partner=partner, pcid="abc123", first_name="First")
    answer = create(partner, WHOLE)
    assert answer.status_code == 409
    document = answer.json()
    assert (document["code"], document["id"]) == ("consumer_exists", str(existing.pk))
    assert list(Consumer.objects.values_list("first_name", flat=True)) == ["First"]


def test_partners_may_use_the_same_pcid(partner: Partner) -> None:
    make_consumer(pcid="abc123")
    assert create(partner, WHOLE).status_code == 201


def test_names_everything_that_is_wrong_at_once(partner: Partner) -> None:
    body = {
        "first_name": 7,
        "last_name": "x" * 101,
        "email": "nobody",
        "phone_number": "0171 5550123",
        "date_of_birth": "1990-02-30",
        "tax_identifier": "***-**-6789",
        "address_zip": "a\nb",
        "kyc_status": "Complete",
        "colour": "red",
    }
    assert wrong_fields(create(partner, body)) == {
        "pcid": "required",
        "first_name": "invalid",
        "last_name": "max_length",
        "email": "invalid_email",
        "phone_number": "invalid_format",
        "date_of_birth": "invalid",
        "tax_identifier": "invalid_format",
        "address_zip": "control_characters",
        "kyc_status": "read_only",
        "colour": "unknown_field",
    }
    assert not Consumer.objects.exists()


@pytest.mark.parametrize("name", ["pcid", "first_name", "address_line2", "tax_id_type"])
def test_refuses_a_card_number_in_what_is_kept_and_shown(partner: Partner, name: str) -> None:
    answer = create(partner, {**WHOLE, name: VISA_NUMBER})
    assert wrong_fields(answer) == {name: "card_number"}
    assert VISA_NUMBER not in answer.content.decode()
    assert not Consumer.objects.exists()


def test_takes_a_phone_number_whose_digits_look_like_a_card_number(partner: Partner) -> None:
    phone = "+4915123450996"
    assert create(partner, {**WHOLE, "phone_number": phone}).json()["phone_number"] == phone


@pytest.mark.parametrize("pcid", ["", " ", " a", "a ", "a\0", "a\tb", "x" * 129, 7, None, True, []])
def test_refuses_a_pcid_that_is_no_text_or_no_address(partner: Partner, pcid: Any) -> None:
    assert "pcid" in wrong_fields(create(partner, {"pcid": pcid})) or isinstance(pcid, str)
    assert not Consumer.objects.exists()


@pytest.mark.parametrize("pcid", ["a b", "a/b", "ü", "a" * 128, "😀", "50%", "a'; DROP", "..."])
def test_takes_any_other_pcid_and_finds_it_again(partner: Partner, pcid: str) -> None:
    http = make_http_client(partner=partner)
    created = http.post("/v2/consumers/", {"pcid": pcid}).json()
    assert http.get(f"/v2/consumers/pcid/{pcid.replace('%', '%25')}/").json() == created


def test_refuses_a_security_code_and_stores_nothing(partner: Partner) -> None:
    answer = create(partner, {**WHOLE, "card": {"cvv2": "739"}})
    assert answer.json()["code"] == "sensitive_authentication_data"
    assert not Consumer.objects.exists()


def test_needs_four_statements(
    partner: Partner, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    http = make_http_client(partner=partner)
    # The token, the row, its entry in the trail, its event, and the savepoint that stands for BEGIN
    # and COMMIT inside of a test.
    with django_assert_num_queries(6):
        http.post("/v2/consumers/", WHOLE)
