"""Consumers and cards on the admin site: found quickly, shown masked, changed by nobody's form."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from consumers.models import CardStatus, Consumer, PaymentCard
from tests.back_office import browser, page_address, superuser_browser, text_of
from tests.builders import MASTERCARD_NUMBER, VISA_NUMBER, make_card, make_consumer, make_partner

pytestmark = pytest.mark.django_db

CONSUMERS = reverse("admin:consumers_consumer_changelist")
CARDS = reverse("admin:consumers_paymentcard_changelist")


@pytest.fixture
def viewer() -> Client:
    return browser("viewer")


@pytest.fixture
def grace() -> Consumer:
    return make_consumer(
        partner=make_partner(name="Northwind"), first_name="Grace", last_name="Hopper",
        pcid="cust-0042", email="grace@example.com", tax_id_type="SSN",
        tax_identifier_last4="6789", tax_identifier_sealed=b"sealed", kyc_status="InProgress",
    )  # fmt: skip


def shown(client: Client, address: str, query: dict[str, str]) -> list[str]:
    html = client.get(address, query).content.decode()
    return list(dict.fromkeys(re.findall(rf"{address}([0-9a-f-]{{36}})/change", html)))


@pytest.mark.parametrize("text", ["grace", "hopp", "grace@ex", "cust-0042", "CUST-0042"])
def test_finds_a_consumer_by(viewer: Client, grace: Consumer, text: str) -> None:
    make_consumer(first_name="Bob")
    assert shown(viewer, CONSUMERS, {"q": text}) == [str(grace.pk)]


def test_finds_within_a_partner(viewer: Client, grace: Consumer) -> None:
    other = make_consumer(first_name="Grace")
    query = {"q": "grace", "partner": str(other.partner_id)}
    assert shown(viewer, CONSUMERS, query) == [str(other.pk)]


def test_a_search_is_no_scan_of_texts(viewer: Client, grace: Consumer) -> None:
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        viewer.get(CONSUMERS, {"q": "grace"})
        viewer.get(CARDS, {"q": "1111"})
        viewer.get(CARDS, {"q": "grace"})
    log = "\n".join(statements)
    assert " LIKE " not in log
    assert "OFFSET" not in log
    assert "search_vector @@" in log


def test_a_consumer_is_shown_with_a_masked_tax_id_and_cards(
    viewer: Client, grace: Consumer
) -> None:
    make_card(consumer=grace, push_eligible=True, push_speed="fast_funds")
    make_card(consumer=grace, number=MASTERCARD_NUMBER, status=CardStatus.INACTIVE)
    page = text_of(viewer.get(page_address(grace)))
    for part in (
        "Grace Hopper", "cust-0042", "SSN ***-**-6789", "in progress", "Northwind",
        "41111111 ···· 1111", "55555555 ···· 4444", "fast funds", "inactive", "12/2039",
    ):  # fmt: skip
        assert part in page, part


@pytest.mark.parametrize("role", ["viewer", "admin", "auditor"])
def test_a_number_is_never_read_or_shown(role: str) -> None:
    card = make_card()
    client = browser(role)
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        pages = [client.get(a) for a in (CARDS, page_address(card), page_address(card.consumer))]
    html = "".join(page.content.decode() for page in pages)
    assert VISA_NUMBER not in html
    assert bytes(card.fingerprint).hex() not in html
    assert not re.search("ciphertext|wrapped_key|fingerprint|sealed", "".join(statements))


def test_finds_cards_by_last_four_and_by_person(viewer: Client, grace: Consumer) -> None:
    visa = make_card(consumer=grace)
    mastercard = make_card(number=MASTERCARD_NUMBER)
    assert shown(viewer, CARDS, {"q": "1111"}) == [str(visa.pk)]
    assert shown(viewer, CARDS, {"q": "4444"}) == [str(mastercard.pk)]
    assert shown(viewer, CARDS, {"q": "hopper"}) == [str(visa.pk)]
    assert shown(viewer, CARDS, {"q": "nobody"}) == []


def test_an_admin_takes_a_card_out_of_use() -> None:
    card, client = make_card(), browser("admin")
    assert "cannot be activated again" in text_of(client.get(page_address(card, "deactivate")))
    assert PaymentCard.objects.get().status == CardStatus.ACTIVE
    typed = {"reason": "lost"}
    page = client.post(page_address(card, "deactivate"), typed, follow=True)
    assert "The card is deactivated." in text_of(page)
    card.refresh_from_db()
    assert (card.status, card.deactivation_reason) == (CardStatus.INACTIVE, "removed_by_staff")
    assert "/deactivate/" not in client.get(page_address(card)).content.decode()


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "operations", "auditor"])
def test_nobody_else_does(role: str) -> None:
    card, client = make_card(), browser(role)
    assert "/deactivate/" not in client.get(page_address(card)).content.decode()
    assert client.post(page_address(card, "deactivate")).status_code == 403
    assert PaymentCard.objects.get().status == CardStatus.ACTIVE


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_no_form_writes_a_consumer_or_card(verb: str) -> None:
    card, root = make_card(), superuser_browser()
    form = {"first_name": "Eve", "last4": "0000", "status": "inactive", "post": "yes"}
    for row in (card, card.consumer):
        assert root.post(page_address(row, verb), form).status_code == 403
    assert PaymentCard.objects.get().last4 == "1111"
    assert Consumer.objects.get().first_name == "Ada"


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize(
    ("address", "query", "statements"),
    [
        (CONSUMERS, {}, 9),
        (CARDS, {}, 9),
        (CONSUMERS, {"q": "ada"}, 10),
        (CARDS, {"q": "1111"}, 10),
    ],
)
def test_lists_ask_a_fixed_number_of_statements(
    viewer: Client,
    rows: int,
    address: str,
    query: dict[str, str],
    statements: int,
    django_assert_num_queries: Any,
) -> None:
    for _ in range(rows):
        make_card()
    with django_assert_num_queries(statements):
        assert len(shown(viewer, address, query)) == rows


@pytest.mark.parametrize("cards", [0, 3])
def test_the_page_of_a_consumer_asks_a_fixed_number_of_statements(
    viewer: Client, grace: Consumer, cards: int, django_assert_num_queries: Any
) -> None:
    for number in (VISA_NUMBER, MASTERCARD_NUMBER, "4012888888881881")[:cards]:
        make_card(consumer=grace, number=number)
    # Session, person, permissions (two), the consumer, its cards, the entry about who looked; then
    # the session (three).
    with django_assert_num_queries(10):
        viewer.get(page_address(grace))
