"""Deciding about one push or many: asked first, about what was seen, each with its own result."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from consumers.models import Consumer
from payouts.models import Decision, Payment
from payouts.operations.cancel_payment import cancel_payment
from payouts.staff import ROLES
from payouts.states import Status
from tests.back_office import browser, browser_of, text_of
from tests.books import assert_books_are_right
from tests.builders import make_card, make_consumer
from tests.decisions import approve_payment
from tests.payouts.backoffice.pages import (
    APPROVALS,
    CONFIRM,
    DECIDE,
    decide,
    has_button,
    issue,
    mark,
)
from tests.pushes import (
    CLIENT,
    digest_of,
    make_funded_partner,
    make_payee,
    make_rule,
    make_staff,
    push_for_approval,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def carla() -> User:
    return make_staff("carla", "approver")


@pytest.fixture
def approver(carla: User) -> Client:
    return browser_of(carla)


def ask(client: Client, *payments: Payment, verdict: str = "approve") -> Any:
    """The page that asks about pushes as they are now."""
    return client.post(
        CONFIRM, {"chosen": [mark(payment) for payment in payments], "verdict": verdict}
    )


def waiting(*dollars: str) -> list[Payment]:
    return [push_for_approval(make_payee(), amount=one) for one in dollars]


def nothing_happened(*payments: Payment) -> None:
    assert not Decision.objects.exists()
    assert {status_of(payment) for payment in payments} == {Status.PENDING_APPROVAL}


# Who may


@pytest.mark.parametrize("role", sorted({role.name for role in ROLES} - {"approver"}))
def test_only_approvers_decide(role: str) -> None:
    (payment,) = waiting("100.00")
    client = browser(role)
    assert ask(client, payment).status_code == 403
    assert decide(client, payment).status_code == 403
    nothing_happened(payment)


def test_a_form_of_another_site_is_refused(carla: User) -> None:
    (payment,) = waiting("100.00")
    strict = Client(enforce_csrf_checks=True)
    browser_of(carla, client=strict)
    assert decide(strict, payment).status_code == 403
    nothing_happened(payment)


def test_nobody_decides_about_a_push_of_their_own() -> None:
    both = make_staff("both", "maker", "approver")
    client = browser_of(both)
    make_rule()
    payment = issue(client, make_payee())
    page = ask(client, payment)
    assert "You issued this push, so somebody else has to decide about it." in text_of(page)
    assert not has_button(page, "Approve")
    assert "You issued this push" in text_of(decide(client, payment))
    nothing_happened(payment)


def test_nobody_decides_about_a_push_to_a_card_that_they_changed(
    approver: Client, carla: User
) -> None:
    payment = push_for_approval(make_payee(edited_by_user=carla))
    for page in (ask(approver, payment), decide(approver, payment)):
        assert "You changed this card, so somebody else has to decide." in text_of(page)
    nothing_happened(payment)


# Asked first


def test_asks_with_totals_the_largest_and_first_time_cards(approver: Client) -> None:
    payments = waiting("100.00", "250.50", "1.00")
    page = ask(approver, *payments)
    text = text_of(page)
    assert "Approve 3 pushes of $351.50?" in text
    assert "In all $351.50 Fees $0.00 Largest $250.50 To first-time cards 3" in text
    assert "all of them are sent at once" in text
    assert has_button(page, "Approve 3 pushes")
    nothing_happened(*payments)


def test_says_how_many_are_sent_with_this_yes(approver: Client) -> None:
    make_rule(name="large", decisions=2, amount_at_least=500)
    make_rule(name="everything")
    large = push_for_approval(make_payee(), amount="500.00")
    small = push_for_approval(make_payee(), amount="1.00")
    assert "1 of them is sent at once; the others wait" in text_of(ask(approver, large, small))
    assert "It waits for more people after you." in text_of(ask(approver, large))
    assert "With your approval it is sent at once." in text_of(ask(approver, small))
    assert "cannot be undone" in text_of(ask(approver, small, verdict="reject"))


def test_wants_something_to_be_chosen(approver: Client) -> None:
    answer = approver.post(CONFIRM, {"verdict": "approve", "view": "all"}, follow=True)
    assert "Choose at least one push first." in text_of(answer)
    assert answer.redirect_chain[-1][0] == f"{APPROVALS}?view=all"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "card 4111 1111 1111 1111"])
def test_wants_a_reason(approver: Client, reason: str) -> None:
    payments = waiting("100.00", "2.00")
    page = decide(approver, *payments, reason=reason)
    assert has_button(page, "Approve 2 pushes")
    nothing_happened(*payments)


@pytest.mark.parametrize(
    "form",
    [
        {"verdict": "maybe", "chosen": []},
        {"verdict": "approve", "chosen": ["x"]},
        {"verdict": "approve", "chosen": ["00000000-0000-7000-8000-000000000000"]},
    ],
)
def test_takes_nothing_that_no_page_has_offered(approver: Client, form: dict[str, Any]) -> None:
    assert approver.post(DECIDE, {**form, "reason": "x"}).status_code == 404
    if form["chosen"]:
        assert approver.post(CONFIRM, form).status_code == 404


def test_keeps_the_place_in_the_queue(approver: Client) -> None:
    (payment,) = waiting("100.00")
    partner = str(payment.partner_id)
    form = {"chosen": mark(payment), "verdict": "approve", "view": "all", "partner": partner}
    address = f'href="{APPROVALS}?view=all&amp;partner={partner}"'
    assert address in approver.post(CONFIRM, form).content.decode()
    assert address in approver.post(DECIDE, {**form, "reason": "x"}).content.decode()


# About what was seen


def test_leaves_out_what_has_changed_since_it_was_chosen(approver: Client) -> None:
    changed, fine = waiting("100.00", "2.00")
    chosen = [mark(changed), mark(fine)]
    Consumer.objects.filter(pk=changed.consumer_id).update(last_name="Mallory")
    page = approver.post(CONFIRM, {"chosen": chosen, "verdict": "approve"})
    text = text_of(page)
    assert "Approve 1 push of $2.00?" in text
    assert "Left out $100.00 to Ada Mallory" in text
    assert "Something about this push has changed since you saw it." in text
    assert page.content.decode().count('name="chosen"') == 1


def test_each_has_its_own_result(approver: Client) -> None:
    changed, canceled, fine = waiting("100.00", "2.00", "3.00")
    chosen = [mark(payment) for payment in (changed, canceled, fine)]
    Consumer.objects.filter(pk=changed.consumer_id).update(last_name="Mallory")
    cancel_payment(canceled, actor=CLIENT)
    form = {"chosen": chosen, "verdict": "approve", "reason": "Looked at them"}
    text = text_of(approver.post(DECIDE, form))
    assert "2 not approved" in text
    assert "Something about this push has changed since you saw it." in text
    assert "This push does not wait for a decision any more." in text
    assert "1 approved by you $3.00 to Ada Example" in text
    assert [status_of(one) for one in (changed, canceled, fine)] == [
        Status.PENDING_APPROVAL,
        Status.CANCELED,
        Status.PENDING,
    ]
    decision = Decision.objects.get()
    assert (decision.payment_id, decision.reason) == (fine.pk, "Looked at them")
    assert bytes(decision.digest) == digest_of(fine)


def test_a_push_that_is_chosen_twice_is_decided_once(approver: Client) -> None:
    (payment,) = waiting("100.00")
    assert "1 approved by you" in text_of(decide(approver, payment, payment))


def test_a_second_click_says_the_same(approver: Client) -> None:
    payments = waiting("100.00", "2.00")
    first = text_of(decide(approver, *payments))
    assert text_of(decide(approver, *payments)) == first
    assert Decision.objects.count() == 2


def test_rejecting_frees_the_money(approver: Client) -> None:
    payments = waiting("100.00", "2.00")
    text = text_of(decide(approver, *payments, verdict="reject", reason="Not him"))
    assert "2 rejected by you" in text
    assert {status_of(payment) for payment in payments} == {Status.REJECTED}
    assert_books_are_right()


def test_one_of_two_approvals_leaves_it_waiting(approver: Client) -> None:
    payment = push_for_approval(make_payee(), decisions=2)
    assert "pending approval" in text_of(decide(approver, payment))
    other = make_staff("dora", "approver")
    assert "1 of 2" in text_of(browser_of(other).get(APPROVALS))
    assert approve_payment(payment.pk, by=other, digest=digest_of(payment)) is Status.PENDING


# Cost


@pytest.mark.parametrize("pushes", [1, 7])
def test_asking_takes_a_fixed_number_of_statements(
    approver: Client, pushes: int, django_assert_num_queries: Any
) -> None:
    partner = make_funded_partner()
    cards = [make_card(consumer=make_consumer(partner=partner)) for _ in range(pushes)]
    payments = [push_for_approval(card) for card in cards]
    chosen = [mark(payment) for payment in payments]
    # Session, person, two for permissions; pushes, requirements, decisions, editors, approvers with
    # groups; the session is written anew.
    with django_assert_num_queries(13):
        approver.post(CONFIRM, {"chosen": chosen, "verdict": "approve"})
