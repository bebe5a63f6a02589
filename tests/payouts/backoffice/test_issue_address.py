"""What was typed stands in addresses: Back, loading anew and a sign-in in the middle find it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from consumers.models import PaymentCard
from payouts.models import Payment
from tests.back_office import browser_of, text_of
from tests.payouts.backoffice.pages import (
    CONFIRM_PUSH,
    ISSUE,
    SEND,
    confirm_page,
    filled,
    nothing_happened,
    push_address,
    send,
    ticket_for,
    ticket_in,
)
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db


def address_for(client: Client, card: PaymentCard, amount: str = "100.00", **more: str) -> str:
    """Where the filled-in form leads."""
    answer = client.post(CONFIRM_PUSH, filled(card, amount, **more))
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def asked_for(address: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def shows_the_form(answer: Any, **values: str) -> bool:
    html = answer.content.decode()
    return 'name="ticket"' not in html and all(f'value="{one}"' in html for one in values.values())


# The confirm page has an address


def test_says_what_was_typed_and_no_name(client: Client, card: PaymentCard) -> None:
    address = address_for(client, card, "$1,250", reference="INV-7", description="November")
    values = asked_for(address)
    assert values.pop("key").startswith("back-office:")
    assert values == filled(card, "1250.00", reference="INV-7", description="November")
    nothing_happened(card)


def test_can_be_loaded_anew_and_still_sends_once(client: Client, card: PaymentCard) -> None:
    address = address_for(client, card)
    tickets = [ticket_in(client.get(address)) for _ in range(3)]
    places = {send(client, ticket).headers["Location"] for ticket in tickets}
    assert places == {push_address(Payment.objects.get())}


def test_leads_to_the_push_once_there_is_one(client: Client, card: PaymentCard) -> None:
    address = address_for(client, card)
    send(client, ticket_in(client.get(address)))
    assert client.get(address).headers["Location"] == push_address(Payment.objects.get())


def test_shows_what_has_changed_since(client: Client, card: PaymentCard) -> None:
    address = address_for(client, card, reference="INV-7")
    PaymentCard.objects.filter(pk=card.pk).update(status="inactive")
    page = client.get(address, follow=True)
    assert shows_the_form(page, reference="INV-7")
    assert "The card is deactivated." in text_of(page)


@pytest.mark.parametrize(
    ("old", "new"),
    [("amount=100.00", "amount=900.00"), ("key=back", "key=Back"), ("&key=", "&was=")],
)
def test_changed_by_hand_it_only_fills_in_the_form(
    client: Client, card: PaymentCard, old: str, new: str
) -> None:
    address = address_for(client, card, reference="INV-7").replace(old, new)
    page = client.get(address, follow=True)
    assert shows_the_form(page, reference="INV-7", amount=asked_for(address)["amount"])


def test_given_to_somebody_else_it_only_fills_in_the_form(
    client: Client, card: PaymentCard
) -> None:
    address = address_for(client, card, reference="INV-7")
    page = browser_of(make_staff("moritz", "maker")).get(address, follow=True)
    assert shows_the_form(page, reference="INV-7")


# The form has one too


def test_a_form_that_is_wrong_has_an_address(client: Client, card: PaymentCard) -> None:
    page = confirm_page(client, card, "1.234", reference="INV-7")
    ((address, _),) = page.redirect_chain
    assert asked_for(address)["amount"] == "1.234"
    assert shows_the_form(client.get(address), reference="INV-7", amount="1.234")


@pytest.mark.parametrize("field", ["amount", "reference", "description"])
def test_no_address_takes_a_card_number(client: Client, card: PaymentCard, field: str) -> None:
    form = {**filled(card), field: "4111 1111 1111 1111"}
    assert client.post(CONFIRM_PUSH, form).status_code == 200
    by_hand = client.get(CONFIRM_PUSH, form).headers["Location"]
    left = Client().post(CONFIRM_PUSH, form).headers["Location"]
    assert "1111+1111" not in by_hand
    assert "1111%2B1111" not in left


# A session that ends in the middle


def after_sign_in(address: str) -> str:
    assert address.startswith("/admin/login/?next=")
    return asked_for(address)["next"]


def test_a_form_sent_too_late_comes_back_filled_in(client: Client, card: PaymentCard) -> None:
    answer = Client().post(CONFIRM_PUSH, filled(card, "12.50", reference="A & B"))
    address = after_sign_in(answer.headers["Location"])
    assert urlsplit(address).path == ISSUE
    assert shows_the_form(client.get(address), reference="A &amp; B", amount="12.50")


def test_a_confirm_page_sent_too_late_is_shown_again(client: Client, card: PaymentCard) -> None:
    ticket = ticket_for(client, card)
    address = after_sign_in(send(Client(), ticket).headers["Location"])
    nothing_happened(card)
    places = {
        send(client, one).headers["Location"] for one in (ticket_in(client.get(address)), ticket)
    }
    assert places == {push_address(Payment.objects.get())}


def test_what_we_did_not_make_is_not_come_back_to() -> None:
    answer = Client().post(SEND, {"ticket": "x"})
    assert after_sign_in(answer.headers["Location"]) == SEND
