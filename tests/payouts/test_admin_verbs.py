"""Approve, reject and cancel: offered where they would work, asked before they are done."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from consumers.audit import Verb
from consumers.models import AuditEntry
from payouts import actors
from payouts.approvals import Source
from payouts.models import Decision, FeeSchedule, Payment
from payouts.states import Status
from tests.back_office import browser_of, page_address, text_of
from tests.decisions import reject_payment
from tests.pushes import (
    digest_of,
    history,
    make_payee,
    make_rule,
    make_staff,
    push,
    push_for_approval,
    status_of,
)

pytestmark = pytest.mark.django_db


def push_by(user: User, **asked: Any) -> Payment:
    """A push that a person issued in the back office."""
    actor = actors.staff(user.pk, user.get_username())
    return push(make_payee(), actor=actor, source=Source.BACK_OFFICE, **asked)


def offered(client: Client, payment: Payment) -> set[str]:
    html = client.get(page_address(payment)).content.decode()
    return set(re.findall(rf"/{payment.pk}/(approve|reject|cancel)/", html))


def seen(client: Client, payment: Payment, verb: str = "approve") -> str:
    """What the page that asks says that it is about."""
    html = client.get(page_address(payment, verb)).content.decode()
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', html)
    assert found is not None
    return found[1]


def decide(client: Client, payment: Payment, verb: str, *, reason: str = "Looked at it") -> str:
    """Press the button on the page that asks; return what the person is told then."""
    form = {"reason": reason, "seen": seen(client, payment, verb)}
    return text_of(client.post(page_address(payment, verb), form, follow=True))


def opened(client: Client, payment: Payment, verb: str) -> str:
    """What somebody is told who opens a page that would be refused; there is no form to send."""
    answer = client.get(page_address(payment, verb), follow=True)
    assert answer.redirect_chain
    return text_of(answer)


def sent_anyway(client: Client, payment: Payment) -> str:
    """Send the form by hand, as if it had been offered."""
    form = {"reason": "x", "seen": digest_of(payment).hex()}
    return text_of(client.post(page_address(payment, "approve"), form, follow=True))


@pytest.fixture
def approver() -> User:
    return make_staff("approver", "approver")


def test_approving_sends_the_push(approver: User) -> None:
    payment = push_for_approval(make_payee())
    client = browser_of(approver)
    assert offered(client, payment) == {"approve", "reject"}
    assert "Approved. The push goes out now." in decide(client, payment, "approve")
    assert status_of(payment) is Status.PENDING
    decision = Decision.objects.get()
    assert (decision.user, decision.reason) == (approver, "Looked at it")


def test_rejecting_ends_the_push(approver: User) -> None:
    payment = push_for_approval(make_payee())
    assert "Rejected." in decide(browser_of(approver), payment, "reject")
    assert status_of(payment) is Status.REJECTED


def test_one_of_two_approvals_leaves_it_waiting(approver: User) -> None:
    payment = push_for_approval(make_payee(), decisions=2)
    client = browser_of(approver)
    assert "still waits for somebody else" in decide(client, payment, "approve")
    assert status_of(payment) is Status.PENDING_APPROVAL
    assert offered(client, payment) == set()


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
def test_asking_does_nothing(approver: User, verb: str) -> None:
    approver.groups.add(*make_staff("maker", "maker").groups.all())
    payment = push_for_approval(make_payee())
    before = history(payment)
    assert browser_of(approver).get(page_address(payment, verb)).status_code in (200, 302)
    assert history(payment) == before


def test_the_page_that_asks_repeats_what_it_is_about(approver: User) -> None:
    payment = push_for_approval(make_payee(), amount="1250.00")
    page = text_of(browser_of(approver).get(page_address(payment, "approve")))
    for part in ("$1,250.00", "Ada Example", str(payment.pk), "sent at once"):
        assert part in page, part


def test_the_page_that_asks_shows_what_the_queue_shows(approver: User) -> None:
    card = make_payee()
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("0.50"))
    make_rule(name="treasury looks", decisions=2)
    given: dict[str, Any] = {"amount": "1250.00", "reference": "R-7", "description": "Claim 4711"}
    person = make_staff("mia", "maker")
    actor = actors.staff(person.pk, person.get_username())
    push(card, actor=actor, source=Source.BACK_OFFICE, **given)
    payment = push(card, actor=actor, source=Source.BACK_OFFICE, **given)
    html = browser_of(approver).get(page_address(payment, "approve"))
    page = text_of(html)
    for part in (
        "Total $1,250.50", "41111111 ···· 1111 First-time card", "0 of 2 treasury looks",
        "0 of 1 Possible duplicate · Compare", "Reference R-7", "Description Claim 4711",
        "mia in the back office", "It waits for more people after you.",
    ):  # fmt: skip
        assert part in page, part
    assert "?q=Ada%20Example%20%241%2C250.00" in html.content.decode()


def test_says_that_an_approval_would_not_count(approver: User) -> None:
    make_rule(name="treasury", group=Group.objects.create(name="treasury"))
    payment = push(make_payee())
    client = browser_of(approver)
    asked = text_of(client.get(page_address(payment, "approve")))
    assert "only treasury Blocked: nobody is left" in asked
    assert "Your approval would not count towards it" in asked
    assert "would not count" not in text_of(client.get(page_address(payment, "reject")))


@pytest.mark.parametrize("form", [{}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "yes"}])
def test_wants_a_reason_and_what_was_seen(approver: User, form: dict[str, str]) -> None:
    payment = push_for_approval(make_payee())
    answer = browser_of(approver).post(page_address(payment, "approve"), form)
    assert answer.status_code == 200
    assert not Decision.objects.exists()


def test_refuses_what_is_no_longer_what_was_seen(approver: User) -> None:
    payment = push_for_approval(make_payee())
    form = {"reason": "Fine", "seen": "0" * 64}
    answer = browser_of(approver).post(page_address(payment, "approve"), form, follow=True)
    assert "has changed since you saw it" in text_of(answer)
    assert status_of(payment) is Status.PENDING_APPROVAL


def test_somebody_else_may_be_first(approver: User) -> None:
    payment = push_for_approval(make_payee())
    client = browser_of(approver)
    form = {"reason": "Fine", "seen": seen(client, payment)}
    reject_payment(payment.pk, by=make_staff("other", "approver"), digest=digest_of(payment))
    answer = client.post(page_address(payment, "approve"), form, follow=True)
    assert "does not wait for a decision any more" in text_of(answer)
    assert status_of(payment) is Status.REJECTED


def test_its_maker_neither_sees_the_button_nor_gets_through(approver: User) -> None:
    approver.groups.add(*make_staff("maker", "maker").groups.all())
    make_rule()
    payment = push_by(approver)
    client = browser_of(approver)
    assert offered(client, payment) == {"cancel"}
    assert "somebody else has to decide" in opened(client, payment, "approve")
    assert "somebody else has to decide" in sent_anyway(client, payment)
    assert not Decision.objects.exists()


def test_the_last_editor_of_the_card_does_not_decide(approver: User) -> None:
    payment = push_for_approval(make_payee(edited_by_user=approver))
    client = browser_of(approver)
    assert offered(client, payment) == set()
    assert "You changed this card" in opened(client, payment, "approve")
    assert "You changed this card" in sent_anyway(client, payment)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_has_decided_is_told_so_on_opening(approver: User, verb: str) -> None:
    payment = push_for_approval(make_payee(), decisions=2)
    client = browser_of(approver)
    decide(client, payment, "approve")
    before = AuditEntry.objects.exclude(verb=Verb.VIEW).count()
    assert "You have decided about this push already." in opened(client, payment, verb)
    assert AuditEntry.objects.exclude(verb=Verb.VIEW).count() == before


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_what_is_decided_is_not_asked_about(approver: User, verb: str) -> None:
    payment = push_for_approval(make_payee())
    client = browser_of(approver)
    decide(client, payment, "reject")
    assert "does not wait for a decision any more" in opened(client, payment, verb)


@pytest.mark.parametrize("role", ["viewer", "maker", "operations", "admin", "auditor"])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_only_approvers_decide(role: str, verb: str) -> None:
    payment = push_for_approval(make_payee())
    client = browser_of(make_staff("somebody", role))
    assert offered(client, payment) == set()
    assert client.get(page_address(payment, verb)).status_code == 403
    form = {"reason": "x", "seen": digest_of(payment).hex()}
    assert client.post(page_address(payment, verb), form).status_code == 403
    assert status_of(payment) is Status.PENDING_APPROVAL


def test_a_maker_takes_back_what_waits(bell: Any) -> None:
    maker = make_staff("maker", "maker")
    payment = push_by(maker)
    client = browser_of(maker)
    assert offered(client, payment) == {"cancel"}
    answer = client.post(page_address(payment, "cancel"), {"reason": "Wrong card"}, follow=True)
    assert "The push is canceled." in text_of(answer)
    assert status_of(payment) is Status.CANCELED
    assert "Wrong card" in text_of(client.get(page_address(payment)))
    assert "Too late: this push is canceled." in opened(client, payment, "cancel")
    again = client.post(page_address(payment, "cancel"), {"reason": ""}, follow=True)
    assert "Too late: this push is canceled." in text_of(again)


def test_nobody_takes_back_the_push_of_another() -> None:
    payment = push_by(make_staff("maker", "maker"))
    other = browser_of(make_staff("other", "maker"))
    assert offered(other, payment) == set()
    answer = other.post(page_address(payment, "cancel"), {"reason": "x"}, follow=True)
    assert "Only whoever issued a push" in text_of(answer)
    assert status_of(payment) is Status.PENDING


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
def test_answers_404_where_there_is_no_push(verb: str) -> None:
    client = browser_of(make_staff("both", "approver", "maker"))
    for key in ("00000000-0000-7000-8000-000000000000", "x"):
        assert client.get(f"/admin/payouts/payment/{key}/{verb}/").status_code == 404


def test_a_form_from_another_site_is_refused(approver: User) -> None:
    payment = push_for_approval(make_payee())
    strict = Client(enforce_csrf_checks=True)
    browser_of(approver, client=strict)
    form = {"reason": "x", "seen": digest_of(payment).hex()}
    assert strict.post(page_address(payment, "approve"), form).status_code == 403
    assert not Decision.objects.exists()
