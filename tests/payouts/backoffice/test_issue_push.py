"""Issuing a push by hand: what is said before the button, and that one click or ten pay once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from consumers.models import Consumer, PaymentCard
from payouts.models import FeeSchedule, Payment
from payouts.staff import ROLES
from tests.back_office import browser, browser_of, text_of
from tests.payouts.backoffice.pages import (
    CONFIRM_PUSH,
    ISSUE,
    QUOTE,
    SEND,
    confirm_page,
    filled,
    has_button,
    issue,
    nothing_happened,
    push_address,
    send,
    shown_again,
    ticket_for,
    ticket_in,
)
from tests.pushes import history, make_payee, make_staff

pytestmark = pytest.mark.django_db


# Who may


@pytest.mark.parametrize("role", sorted({role.name for role in ROLES} - {"maker"}))
def test_only_makers_issue(role: str, card: PaymentCard, client: Client) -> None:
    ticket = ticket_for(client, card)
    other = browser(role)
    for address in (ISSUE, f"{ISSUE}?consumer={card.consumer_id}", f"{ISSUE}payees/?q=ada"):
        assert other.get(address).status_code == 403
    assert other.get(QUOTE, filled(card)).status_code == 403
    assert other.post(CONFIRM_PUSH, filled(card)).status_code == 403
    assert other.post(f"{ISSUE}ask-network/", {"ask": str(card.pk)}).status_code == 403
    assert other.post(SEND, {"ticket": ticket}).status_code == 403
    assert "Issue a push" not in text_of(other.get("/admin/"))
    nothing_happened(card)


def test_a_stranger_is_asked_to_sign_in(card: PaymentCard) -> None:
    for address in (ISSUE, CONFIRM_PUSH, SEND):
        answer = Client().get(address)
        assert answer.headers["Location"].startswith("/admin/login/?next=")
    # What a page asks for by itself makes the page load anew, and so leads there too.
    assert Client().get(QUOTE, filled(card)).headers["HX-Refresh"] == "true"


def test_the_sidebar_offers_it_to_makers(client: Client) -> None:
    assert f'href="{ISSUE}"' in client.get("/admin/").content.decode()


def test_a_form_of_another_site_is_refused(mia: User, card: PaymentCard) -> None:
    ticket = ticket_for(browser_of(mia), card)
    strict = Client(enforce_csrf_checks=True)
    browser_of(mia, client=strict)
    assert strict.post(SEND, {"ticket": ticket}).status_code == 403
    nothing_happened(card)


# Confirm


def test_the_confirm_page_repeats_what_will_happen(client: Client, card: PaymentCard) -> None:
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("1.50"))
    page = confirm_page(client, card, "1250", reference="INV-7", description="November")
    text = text_of(page)
    for part in (
        "Push $1,250.00 to Ada Example?",
        card.consumer.pcid,
        "Visa 41111111 ···· 1111",
        card.partner.name,
        "Fee $1.50",
        "Total $1,251.50",
        "INV-7",
        "November",
        "cannot be taken back",
    ):
        assert part in text, part
    assert has_button(page, "Push $1,250.00")
    nothing_happened(card)


def test_the_way_back_keeps_what_was_typed(client: Client, card: PaymentCard) -> None:
    page = confirm_page(client, card, "12.5", reference="INV-7").content.decode()
    address = page.split('href="/admin/issue/?consumer=')[1].split('"')[0].replace("&amp;", "&")
    back = client.get(f"{ISSUE}?consumer={address}").content.decode()
    assert 'value="12.50"' in back
    assert 'value="INV-7"' in back


def test_a_push_that_cannot_be_done_gets_no_confirm_page(client: Client, card: PaymentCard) -> None:
    page = confirm_page(client, card, "20000")
    assert "the partner has only $10,000.00 available" in text_of(page)
    assert 'name="ticket"' not in page.content.decode()


def test_a_card_of_somebody_else_cannot_be_named(client: Client, card: PaymentCard) -> None:
    stranger = make_payee(partner=card.partner)
    form = {**filled(card), "card": str(stranger.pk)}
    assert "The consumer has no such card." in text_of(client.post(CONFIRM_PUSH, form, follow=True))


@pytest.mark.parametrize("field", ["description", "reference"])
@pytest.mark.parametrize("number", ["card 5555-5555 5555 4444, thanks", "3 4111111111111111"])
def test_a_card_number_cannot_hide_in_a_note(
    client: Client, card: PaymentCard, field: str, number: str
) -> None:
    page = client.post(CONFIRM_PUSH, filled(card, **{field: number}))
    assert "Leave the card number out" in text_of(page)
    assert 'name="ticket"' not in page.content.decode()


def test_long_numbers_that_are_no_cards_are_fine(client: Client, card: PaymentCard) -> None:
    assert ticket_for(client, card, reference="4111111111111112")


# Send


def test_sending_issues_the_push(client: Client, mia: User, card: PaymentCard) -> None:
    payment = issue(client, card, "1250.00", reference="INV-7", description="November")
    assert (payment.amount, payment.card_id) == (Decimal("1250.00"), card.pk)
    assert (payment.reference, payment.description) == ("INV-7", "November")
    assert (payment.source, payment.maker_user_id) == ("back_office", mia.pk)
    assert payment.request_id.startswith("req_")
    assert history(payment) == ["created"]
    assert "Issued." in text_of(client.get(push_address(payment)))


def test_ten_clicks_issue_one_push(client: Client, card: PaymentCard) -> None:
    ticket = ticket_for(client, card)
    addresses = {send(client, ticket).headers["Location"] for _ in range(10)}
    assert addresses == {push_address(Payment.objects.get())}


def test_a_late_click_finds_the_push_of_the_first(
    client: Client, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_for(client, card)
    send(client, ticket)
    monkeypatch.setattr("payouts.backoffice.ticket.GOOD_FOR", timedelta(0))
    assert send(client, ticket).headers["Location"] == push_address(Payment.objects.get())


def test_a_page_of_long_ago_is_shown_again_first(
    client: Client, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_for(client, card)
    with monkeypatch.context() as patch:
        patch.setattr("payouts.backoffice.ticket.GOOD_FOR", timedelta(0))
        page = shown_again(client, ticket)
    assert "more than an hour ago" in text_of(page)
    nothing_happened(card)
    answer = send(client, ticket_in(page))
    assert answer.headers["Location"] == push_address(Payment.objects.get())


def test_another_fee_than_shown_is_shown_before_it_is_paid(
    client: Client, card: PaymentCard
) -> None:
    ticket = ticket_for(client, card)
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("9.00"))
    page = shown_again(client, ticket)
    assert "Something has changed since you looked." in text_of(page)
    assert "Fee $9.00" in text_of(page)
    nothing_happened(card)
    # Both pages lead to one push, whichever is sent how often.
    addresses = {send(client, one).headers["Location"] for one in (ticket_in(page), ticket)}
    assert addresses == {push_address(Payment.objects.get())}
    assert Payment.objects.get().fee_amount == Decimal("9.00")


def test_another_name_than_shown_is_shown_before_it_is_paid(
    client: Client, card: PaymentCard
) -> None:
    ticket = ticket_for(client, card)
    Consumer.objects.filter(pk=card.consumer_id).update(last_name="Mallory")
    page = shown_again(client, ticket)
    assert "to Ada Mallory?" in text_of(page)
    nothing_happened(card)


def test_what_cannot_be_done_any_more_leads_back_to_the_form(
    client: Client, card: PaymentCard
) -> None:
    ticket = ticket_for(client, card, reference="INV-7")
    PaymentCard.objects.filter(pk=card.pk).update(status="inactive")
    page = shown_again(client, ticket)
    assert "The card is deactivated." in text_of(page)
    assert 'value="INV-7"' in page.content.decode()
    nothing_happened(card)


@pytest.mark.parametrize("ticket", ["", "x", "eyJrIjoxfQ:1abc:xyz"])
def test_takes_no_ticket_that_it_did_not_make(
    client: Client, card: PaymentCard, ticket: str
) -> None:
    answer = client.post(SEND, {"ticket": ticket}, follow=True)
    assert "cannot be sent any more" in text_of(answer)
    nothing_happened(card)


def test_takes_nobody_else_s_ticket(client: Client, card: PaymentCard) -> None:
    ticket = ticket_for(client, card)
    other = browser_of(make_staff("moritz", "maker"))
    assert "cannot be sent any more" in text_of(other.post(SEND, {"ticket": ticket}, follow=True))
    nothing_happened(card)


def test_two_makers_of_one_push_are_noticed(client: Client, card: PaymentCard) -> None:
    other = browser_of(make_staff("moritz", "maker"))
    mine, theirs = ticket_for(client, card), ticket_for(other, card)
    assert send(client, mine).status_code == 302
    page = shown_again(other, theirs)
    assert "Possibly a duplicate." in text_of(page)
    assert "1 person, anybody who may approve Possible duplicate" in text_of(page)
    assert send(other, ticket_in(page)).status_code == 302
    statuses = Payment.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["pending", "pending_approval"]
