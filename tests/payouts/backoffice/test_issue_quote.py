"""What stands beside the form while a push is filled in: cost, room, approvals, repetitions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from consumers.models import PaymentCard
from consumers.operations.consumers import update_consumer
from payouts.approvals import Source
from payouts.models import ApprovalRequirement, FeeSchedule, Limit, StaffSession
from payouts.states import Status
from tests.back_office import browser_of, text_of
from tests.books import available
from tests.builders import make_card
from tests.payouts.backoffice.pages import (
    ISSUE,
    QUOTE,
    confirm_page,
    filled,
    has_button,
    issue,
    nothing_happened,
    push_address,
)
from tests.pushes import make_funded_partner, make_payee, make_rule, make_staff, push

pytestmark = pytest.mark.django_db


# The quote


def test_quotes_what_the_push_will_cost_and_leave(client: Client, card: PaymentCard) -> None:
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("1.50"))
    Limit.objects.create(partner=card.partner, scope="card_day", max_amount=4000, max_count=3)
    page = client.get(QUOTE, filled(card, "1,250.00"))
    text = text_of(page)
    for part in ("Amount $1,250.00", "Fee $1.50", "Total $1,251.50", "Available after $8,748.50"):
        assert part in text
    assert "This card, today $4,000.00 3 pushes" in text
    assert "Nobody has to approve. It goes out at once." in text
    assert has_button(page, "Continue")


def test_the_create_does_what_the_quote_said(client: Client, card: PaymentCard) -> None:
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("1.50"))
    make_rule(name="by hand", source=Source.BACK_OFFICE.value)
    make_staff("carla", "approver")
    quoted = text_of(client.get(QUOTE, filled(card)))
    payment = issue(client, card)
    assert f"Fee ${payment.fee_amount}" in quoted
    assert f"Available after ${available(card.partner):,.2f}" in quoted
    for name in ApprovalRequirement.objects.values_list("name", flat=True):
        assert name in quoted
    assert payment.status == Status.PENDING_APPROVAL.value


def test_names_everything_against_it_and_offers_no_button(client: Client) -> None:
    card = make_payee(partner=make_funded_partner(dollars="10.00"), status="inactive")
    Limit.objects.create(partner=card.partner, scope="push", max_amount=50)
    page = client.get(QUOTE, filled(card, "60"))
    text = text_of(page)
    for part in (
        "This push cannot be done",
        "The card is deactivated.",
        "One push: at most $50.00, and $0.00 is used already.",
        "Amount and fee are $60.00, but the partner has only $10.00 available.",
    ):
        assert part in text
    assert not has_button(page, "Continue")


def test_counts_of_a_limit_are_said_in_pushes(client: Client, card: PaymentCard) -> None:
    Limit.objects.create(partner=card.partner, scope="card_day", max_count=1)
    push(card)
    text = text_of(client.get(QUOTE, filled(card)))
    assert "This card, today: at most 1 push, of which 1 is made already." in text
    assert "0 pushes" in text


def test_says_who_would_have_to_approve_and_why(client: Client, card: PaymentCard) -> None:
    treasury = Group.objects.create(name="treasury")
    make_rule(name="50 USD and more", amount_at_least=50)
    make_rule(name="Treasury looks", group=treasury, decisions=2)
    carla = make_staff("carla", "approver")
    dora = make_staff("dora", "approver")
    for person in (carla, dora):
        person.groups.add(treasury)
    text = text_of(client.get(QUOTE, filled(card)))
    assert "1 person, anybody who may approve 50 USD and more carla, dora" in text
    assert "2 people of treasury Treasury looks carla, dora" in text
    assert "Blocked" not in text


def test_does_not_count_its_maker_or_an_editor_among_approvers(mia: User) -> None:
    carla = make_staff("carla", "approver")
    mia.groups.add(Group.objects.get(name="approver"))
    card = make_payee(edited_by_user=carla)
    dora = make_staff("dora", "approver")
    update_consumer(card.consumer, by_user=dora, last_name="Sample")
    make_rule()
    text = text_of(browser_of(mia).get(QUOTE, filled(card)))
    assert "Blocked: nobody is left who may approve it." in text
    assert "carla" not in text
    assert "dora" not in text


def test_shows_what_it_may_be_a_repetition_of(client: Client, card: PaymentCard) -> None:
    earlier = push(card, reference="INV-1")
    other = make_card(consumer=card.consumer, number="5555555555554444")
    page = client.get(QUOTE, filled(card))
    assert "Possibly a duplicate." in text_of(page)
    assert "Possible duplicate" in text_of(page)
    assert push_address(earlier) in page.content.decode()
    # To another card of the same person nobody has to look, but it is worth a thought.
    page = client.get(QUOTE, filled(other))
    assert "Paid before?" in text_of(page)
    assert "Nobody has to approve" in text_of(page)
    assert push_address(earlier) not in client.get(QUOTE, filled(card, "99")).content.decode()


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("abc", "Write dollars and cents"),
        ("1.234", "at most two decimals"),
        ("0", "more than 0"),
        ("50000.01", "at most $50,000.00"),
    ],
)
def test_says_what_is_wrong_with_the_amount(
    client: Client, card: PaymentCard, amount: str, words: str
) -> None:
    for page in (
        client.get(QUOTE, filled(card, amount)),
        confirm_page(client, card, amount),
    ):
        assert words in text_of(page)
        assert not has_button(page, "Continue")
    nothing_happened(card)


def test_says_at_the_amount_too_what_is_wrong_with_it(client: Client, card: PaymentCard) -> None:
    def at_the_amount(amount: str) -> str:
        part = client.get(QUOTE, filled(card, amount)).content.decode()
        return part.split('hx-swap-oob="innerHTML:#id_amount_error">')[1].split("</div>")[0]

    assert "at most $50,000.00" in at_the_amount("60000")
    assert at_the_amount("600") == at_the_amount("") == ""


def test_waits_quietly_for_the_rest_of_the_form(client: Client, card: PaymentCard) -> None:
    page = client.get(QUOTE, filled(card, ""))
    assert "Choose a card and an amount." in text_of(page)
    assert "Say how much" not in text_of(page)


def test_a_quote_does_not_keep_an_idle_session_alive(client: Client, card: PaymentCard) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    StaffSession.objects.update(expire_date=soon)
    answer = client.get(QUOTE, filled(card))
    assert (answer.status_code, len(answer.cookies)) == (200, 0)
    assert StaffSession.objects.get().expire_date == soon
    client.get(ISSUE)
    assert StaffSession.objects.get().expire_date > soon


@pytest.mark.parametrize("many", [1, 6])
def test_the_quote_asks_a_fixed_number_of_statements(
    client: Client, card: PaymentCard, many: int, django_assert_num_queries: Any
) -> None:
    for number in range(many):
        make_rule(name=f"rule {number}", group=Group.objects.create(name=f"group {number}"))
        make_staff(f"approver {number}", "approver")
        push(card)
    # Session, person, two for permissions, payee, editor of the card; facts, names of groups,
    # approvers and their groups, similar pushes.
    with django_assert_num_queries(11):
        client.get(QUOTE, filled(card))
