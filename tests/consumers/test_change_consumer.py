"""PUT and PATCH /v2/consumers/{id}/, POST …/cancel-account/"""

from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from consumers.models import Consumer, Partner
from consumers.operations.consumers import register_consumer
from tests.builders import make_consumer, make_http_client, make_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_partner()


@pytest.fixture
def consumer(partner: Partner) -> Consumer:
    return register_consumer(
        partner.pk, pcid="abc", first_name="Ada", email="a@example.com", tax_identifier="123456789"
    )


def change(consumer: Consumer, method: str, body: Any, *, partner: Partner | None = None) -> Any:
    http = make_http_client(partner=partner or consumer.partner)
    return getattr(http, method)(f"/v2/consumers/{consumer.pk}/", body)


def test_patch_changes_what_is_named_and_nothing_else(consumer: Consumer) -> None:
    answer = change(consumer, "patch", {"email": "b@example.com"})
    assert answer.status_code == 200
    document = answer.json()
    assert (document["email"], document["first_name"]) == ("b@example.com", "Ada")
    consumer.refresh_from_db()
    assert (consumer.email, consumer.tax_identifier_last4) == ("b@example.com", "6789")


def test_put_empties_what_is_left_out(consumer: Consumer) -> None:
    answer = change(consumer, "put", {"pcid": "abc", "last_name": "Example"})
    assert answer.status_code == 200
    consumer.refresh_from_db()
    assert (consumer.first_name, consumer.last_name, consumer.email) == ("", "Example", "")
    assert consumer.tax_identifier_sealed is None
    assert answer.json()["tax_identifier"] == ""


def test_put_needs_the_pcid(consumer: Consumer) -> None:
    answer = change(consumer, "put", {"first_name": "Eve"})
    assert answer.json()["errors"][0]["field"] == "pcid"
    consumer.refresh_from_db()
    assert consumer.first_name == "Ada"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_was_read_can_be_sent_back_unchanged(consumer: Consumer, method: str) -> None:
    http = make_http_client(partner=consumer.partner)
    document = http.get(f"/v2/consumers/{consumer.pk}/").json()
    sealed = bytes(consumer.tax_identifier_sealed or b"")
    answer = change(consumer, method, document)
    assert (answer.status_code, answer.json()) == (200, document)
    consumer.refresh_from_db()
    assert bytes(consumer.tax_identifier_sealed or b"") == sealed


@pytest.mark.parametrize(
    "body",
    [
        {"id": "00000000-0000-0000-0000-000000000000"},
        {"kyc_status": "Complete"},
        {"is_active": False},
        {"created_at": "2020-01-01T00:00:00Z"},
    ],
)
def test_refuses_to_change_what_is_ours(consumer: Consumer, body: dict[str, Any]) -> None:
    answer = change(consumer, "patch", body)
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == ["read_only"]


def test_a_new_tax_identifier_replaces_the_old(consumer: Consumer) -> None:
    before = bytes(consumer.tax_identifier_sealed or b"")
    answer = change(consumer, "patch", {"tax_identifier": "98-7654321"})
    assert answer.json()["tax_identifier"] == "***-**-4321"
    consumer.refresh_from_db()
    assert bytes(consumer.tax_identifier_sealed or b"") != before


def test_a_pcid_may_change_but_not_to_anothers(consumer: Consumer, partner: Partner) -> None:
    other = make_consumer(partner=partner, pcid="taken")
    assert change(consumer, "patch", {"pcid": "new"}).json()["pcid"] == "new"
    answer = change(consumer, "patch", {"pcid": "taken", "first_name": "Eve"})
    assert answer.status_code == 409
    assert answer.json()["id"] == str(other.pk)
    consumer.refresh_from_db()
    assert (consumer.pcid, consumer.first_name) == ("new", "Ada")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_another_partners_consumer_is_not_there(consumer: Consumer, method: str) -> None:
    answer = change(consumer, method, {"pcid": "mine"}, partner=make_partner())
    assert answer.status_code == 404
    consumer.refresh_from_db()
    assert consumer.pcid == "abc"


def test_a_canceled_account_does_not_change(consumer: Consumer) -> None:
    Consumer.objects.update(is_active=False)
    answer = change(consumer, "patch", {"first_name": "Eve"})
    assert (answer.status_code, answer.json()["code"]) == (422, "consumer_inactive")
    consumer.refresh_from_db()
    assert consumer.first_name == "Ada"


def test_patch_needs_six_statements(
    consumer: Consumer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    http = make_http_client(partner=consumer.partner)
    # Token, read, update, its entry in the trail, its event, read again; and the savepoint of the
    # test.
    with django_assert_num_queries(8):
        http.patch(f"/v2/consumers/{consumer.pk}/", {"first_name": "Eve"})


def cancel(consumer: Consumer, body: Any, *, partner: Partner | None = None) -> Any:
    http = make_http_client(partner=partner or consumer.partner)
    return http.post(f"/v2/consumers/{consumer.pk}/cancel-account/", body)


def test_canceling_closes_the_account_and_keeps_the_reason(consumer: Consumer) -> None:
    answer = cancel(consumer, {"cancellation_reason": "left", "details": "in May\nby mail"})
    assert (answer.status_code, answer.json()["is_active"]) == (200, False)
    consumer.refresh_from_db()
    assert (consumer.is_active, consumer.cancellation_reason) == (False, "left")
    assert consumer.cancellation_details == "in May\nby mail"


def test_canceling_again_changes_nothing(consumer: Consumer) -> None:
    cancel(consumer, {"cancellation_reason": "left"})
    assert cancel(consumer, {"cancellation_reason": "other"}).status_code == 200
    consumer.refresh_from_db()
    assert consumer.cancellation_reason == "left"


def test_canceling_needs_no_body_but_refuses_a_wrong_one(consumer: Consumer) -> None:
    assert cancel(consumer, {"why": "x"}).status_code == 400
    consumer.refresh_from_db()
    assert consumer.is_active
    http = make_http_client(partner=consumer.partner)
    assert http.post(f"/v2/consumers/{consumer.pk}/cancel-account/").status_code == 200


def test_canceling_another_partners_consumer_is_not_found(consumer: Consumer) -> None:
    assert cancel(consumer, {}, partner=make_partner()).status_code == 404
    consumer.refresh_from_db()
    assert consumer.is_active
