"""Finding whom to pay, and what is said of each card before one is chosen."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consumers.models import PaymentCard
from consumers.operations.cards import CardEligibility, EligibilityUnavailable
from tests.back_office import text_of
from tests.builders import make_card, make_consumer, make_partner
from tests.payouts.backoffice.pages import (
    CONFIRM_PUSH,
    ISSUE,
    QUOTE,
    confirm_page,
    form_page,
)
from tests.pushes import make_payee

pytestmark = pytest.mark.django_db


# Whom


def test_finds_the_payee_by_what_is_typed(client: Client) -> None:
    payee = make_card(
        consumer=make_consumer(
            first_name="Grace", last_name="Hopper", email="gh@example.com", pcid="emp-9"
        )
    )
    make_card(consumer=make_consumer(first_name="Linus"), number="5555555555554444")
    for text in ("grace", "hopp", "gh@exam", "emp-9", "1111", str(payee.consumer_id)):
        for address in (ISSUE, f"{ISSUE}payees/"):
            page = client.get(address, {"q": text})
            assert f"?consumer={payee.consumer_id}" in page.content.decode(), text
            assert "Linus" not in page.content.decode(), text


def test_shows_a_few_and_says_that_there_are_more(client: Client) -> None:
    partner = make_partner()
    for number in range(9):
        make_consumer(partner=partner, first_name=f"Ada {number}")
    page = client.get(f"{ISSUE}payees/", {"q": "ada"})
    assert page.content.decode().count("?consumer=") == 8
    assert "More match" in text_of(page)
    assert "Nobody matches “zoe”" in text_of(client.get(ISSUE, {"q": "zoe"}))


def test_looks_among_one_partner_s_if_told_to(client: Client) -> None:
    ours, theirs = make_consumer(), make_consumer()
    page = client.get(ISSUE, {"q": "ada", "partner": str(ours.partner_id)}).content.decode()
    assert f"?consumer={ours.pk}" in page
    assert f"?consumer={theirs.pk}" not in page
    assert f'value="{theirs.partner_id}"' in page


def test_does_not_offer_whose_account_is_closed(client: Client) -> None:
    closed = make_consumer(is_active=False)
    page = client.get(ISSUE, {"q": "ada"})
    assert "account closed" in text_of(page)
    assert f"?consumer={closed.pk}" not in page.content.decode()


@pytest.mark.parametrize("people", [1, 9])
def test_the_search_asks_a_fixed_number_of_statements(
    client: Client, people: int, django_assert_num_queries: Any
) -> None:
    partner = make_partner()
    for _ in range(people):
        make_consumer(partner=partner)
    # Session, person, two for permissions, the search, the rows.
    with django_assert_num_queries(6):
        client.get(f"{ISSUE}payees/", {"q": "ada"})


# Which card


def test_says_of_each_card_what_the_network_said_and_when(client: Client) -> None:
    asked_at = timezone.now() - timedelta(hours=3)
    card = make_payee(push_eligible=True, push_speed="standard", push_checked_at=asked_at)
    make_card(consumer=card.consumer, number="5555555555554444", nickname="For the rent")
    page = text_of(form_page(client, card))
    for part in ("Visa ···· 1111", "two business days", "asked 3 hours ago", "For the rent"):
        assert part in page
    for part in ("Mastercard ···· 4444", "Not asked yet", "First-time card"):
        assert part in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "inactive"}, "Deactivated"),
        ({"expiration_year": 2020}, "Expired"),
        ({"push_eligible": False}, "Takes no pushes"),
    ],
)
def test_a_card_that_cannot_be_pushed_to_cannot_be_chosen(
    client: Client, fields: dict[str, Any], words: str
) -> None:
    card = make_payee(**fields)
    page = form_page(client, card)
    assert words in text_of(page)
    (radio,) = [tag for tag in page.content.decode().split("<") if 'type="radio"' in tag]
    assert "disabled" in radio


def test_the_only_card_is_chosen_already(client: Client, card: PaymentCard) -> None:
    page = form_page(client, card).content.decode()
    assert page.count(" checked>") == 1


def test_never_reads_what_is_sealed(client: Client, card: PaymentCard, statements: Any) -> None:
    with statements() as log:
        form_page(client, card)
        confirm_page(client, card)
    assert not any(name in str(log) for name in ("ciphertext", "wrapped_key", "fingerprint"))


@pytest.mark.parametrize("key", ["x", "00000000-0000-7000-8000-000000000000"])
def test_answers_404_for_a_payee_that_is_not_there(client: Client, key: str) -> None:
    assert client.get(ISSUE, {"consumer": key}).status_code == 404
    assert client.get(QUOTE, {"consumer": key}).status_code == 404
    assert client.post(CONFIRM_PUSH, {"consumer": key}).status_code == 404


def test_asks_the_network_when_told_to(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    card = make_payee()
    fast = CardEligibility(eligible=True, speed="fast_funds")
    monkeypatch.setattr("payouts.backoffice.issue.eligibility_of", lambda _: fast)
    form = {"consumer": str(card.consumer_id), "ask": str(card.pk)}
    page = client.post(f"{ISSUE}ask-network/", form, headers={"HX-Request": "true"})
    assert "Fast: within 30 minutes" in text_of(page)
    assert page.headers["HX-Trigger"] == "cards-asked"
    # Without scripts it leads back to the form.
    page = client.post(f"{ISSUE}ask-network/", form, follow=True)
    assert "Fast: within 30 minutes" in text_of(page)


def test_says_when_the_network_could_not_say(
    client: Client, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_: PaymentCard) -> CardEligibility:
        raise EligibilityUnavailable

    monkeypatch.setattr("payouts.backoffice.issue.eligibility_of", unavailable)
    form = {"consumer": str(card.consumer_id), "ask": str(card.pk)}
    page = client.post(f"{ISSUE}ask-network/", form, headers={"HX-Request": "true"})
    assert "The network could not say." in text_of(page)
    assert "Fast: within 30 minutes" in text_of(page)


def test_asks_about_no_card_of_somebody_else(client: Client, card: PaymentCard) -> None:
    form = {"consumer": str(card.consumer_id), "ask": str(make_payee().pk)}
    assert client.post(f"{ISSUE}ask-network/", form).status_code == 404
