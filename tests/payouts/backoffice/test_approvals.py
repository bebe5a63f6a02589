"""What waits for people, for whom it waits, and how far it is; in the order in which it expires."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from consumers.models import Consumer, PaymentCard
from consumers.operations.consumers import update_consumer
from payouts import actors
from payouts.approvals import Source, bar_to_deciding
from payouts.backoffice import queue
from payouts.deciding.approvers import approver_of, editors_of, matter_of, open_to
from payouts.models import ApprovalRule, Decision, Payment
from payouts.operations.record_outcome import record_outcome
from payouts.staff import ROLES
from tests.back_office import browser, browser_of, text_of
from tests.books import execute
from tests.builders import make_card, make_consumer
from tests.decisions import approve_payment, reject_payment
from tests.payouts.backoffice.pages import APPROVALS, listed, offered
from tests.pushes import (
    APPROVED,
    digest_of,
    make_funded_partner,
    make_payee,
    make_rule,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
)

pytestmark = pytest.mark.django_db

# Session, person, two for permissions; keys, rows, requirements, decisions; approvers and people
# who have decided, both with their groups; two counts; partners and their names; then the session
# is written anew (begin, update, commit as a savepoint here).
STATEMENTS = 20


@pytest.fixture
def carla() -> User:
    return make_staff("carla", "approver")


@pytest.fixture
def client(carla: User) -> Client:
    return browser_of(carla)


def push_by(user: User, card: PaymentCard | None = None, **asked: Any) -> Payment:
    """A push that a person issued, and that others have to approve."""
    ApprovalRule.objects.get_or_create(name="everything")
    actor = actors.staff(user.pk, user.get_username())
    return push(card or make_payee(), actor=actor, source=Source.BACK_OFFICE, **asked)


def everybodys(client: Client, **query: str) -> Any:
    return client.get(APPROVALS, {"view": "all", **query})


def ids(*payments: Payment) -> list[str]:
    return [str(payment.pk) for payment in payments]


# Who sees what


@pytest.mark.parametrize("role", sorted({role.name for role in ROLES} - {"approver"}))
def test_others_see_what_waits_and_no_control(role: str) -> None:
    payment = push_for_approval(make_payee())
    page = browser(role).get(APPROVALS)
    assert listed(page) == ids(payment)
    assert offered(page) == []
    assert "For me" not in text_of(page)
    assert "Approve…" not in text_of(page)
    assert 'type="checkbox"' not in page.content.decode()


def test_somebody_without_a_role_sees_nothing() -> None:
    client = browser()
    assert client.get(APPROVALS).status_code == 403
    assert APPROVALS not in client.get("/admin/").content.decode()


def test_the_sidebar_leads_there(client: Client) -> None:
    assert f'href="{APPROVALS}"' in client.get("/admin/").content.decode()


# A row


def test_shows_what_a_decision_is_about(client: Client) -> None:
    partner = make_funded_partner(name="Northwind")
    consumer = make_consumer(partner=partner, first_name="Grace", last_name="Hopper")
    make_rule(name="1,000 USD and more", amount_at_least=1000)
    card = make_card(consumer=consumer)
    push(card, amount="1250.00", reference="INV-1", description="After the flood")
    text = text_of(client.get(APPROVALS))
    for part in (
        "Grace Hopper", "Visa ···· 1111", "First-time card", "Northwind · INV-1", "After the flood",
        "$1,250.00", "fee $0.00", "0 of 1", "1,000 USD and more", "by API",
        "Expires in 2 days, 23 hours",
    ):  # fmt: skip
        assert part in text, part


def test_leads_from_a_possible_duplicate_to_what_it_may_repeat(client: Client) -> None:
    card = make_payee()
    push(card, amount="75.00")
    push(card, amount="75.00", key=None)
    page = client.get(APPROVALS).content.decode()
    found = re.search(r'href="(/admin/payouts/payment/\?q=[^"]+)"', page)
    assert found is not None
    assert client.get(found[1]).context["cl"].result_count == 2


def test_marks_what_expires_soon(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    push_for_approval(make_payee())
    mark = 'class="po-warned po-strong">Expires in'
    assert mark not in client.get(APPROVALS).content.decode()
    monkeypatch.setattr(queue, "URGENT_WITHIN", timedelta(days=3))
    assert mark in client.get(APPROVALS).content.decode()


def test_names_the_person_who_asked(client: Client) -> None:
    mia = make_staff("mia", "maker")
    User.objects.filter(pk=mia.pk).update(first_name="Mia", last_name="Okoro")
    push_by(mia)
    assert "Mia Okoro in the back office" in text_of(client.get(APPROVALS))


def test_a_card_that_was_paid_is_no_first_time_card(client: Client) -> None:
    card = make_payee()
    record_outcome(push_submitted(card).pk, APPROVED)
    push_for_approval(card, amount="7.00")
    push_for_approval(make_payee())
    page = client.get(APPROVALS).content.decode()
    assert page.count("First-time card</span>") == 1


def test_says_how_many_have_approved_and_who(client: Client) -> None:
    dora = make_staff("dora", "approver")
    payment = push_for_approval(make_payee(), decisions=2)
    approve_payment(payment.pk, by=dora, digest=digest_of(payment))
    text = text_of(client.get(APPROVALS))
    assert "1 of 2" in text
    assert "Approved by dora" in text


def test_an_approval_of_something_else_does_not_count(client: Client) -> None:
    dora = make_staff("dora", "approver")
    payment = push_for_approval(make_payee(), decisions=2)
    approve_payment(payment.pk, by=dora, digest=digest_of(payment))
    Consumer.objects.filter(pk=payment.consumer_id).update(last_name="Mallory")
    text = text_of(client.get(APPROVALS))
    assert "0 of 2" in text
    # Dora may decide anew, so there are two.
    assert "Blocked" not in text
    Consumer.objects.filter(pk=payment.consumer_id).update(edited_by_user=dora)
    assert "Blocked: nobody is left who may approve it." in text_of(client.get(APPROVALS))


def test_says_when_nobody_is_left_who_may(client: Client) -> None:
    make_rule(name="Treasury looks", group=Group.objects.create(name="treasury"))
    push(make_payee())
    text = text_of(client.get(APPROVALS))
    assert "Treasury looks · only treasury" in text
    assert "Blocked" in text
    assert "Your approval would not count towards it" in text


def test_says_nothing_of_the_kind_when_somebody_is(client: Client) -> None:
    push_for_approval(make_payee())
    text = text_of(client.get(APPROVALS))
    assert "Blocked" not in text
    assert "would not count" not in text


# For me, and everybody's


def test_mine_leaves_out_what_i_may_not_decide_and_everybody_s_says_why(
    client: Client, carla: User
) -> None:
    open_ = push_for_approval(make_payee(), decisions=2)
    own = push_by(carla)
    edited = push_for_approval(make_payee(edited_by_user=carla), decisions=2)
    decided = push_for_approval(make_payee(), decisions=2)
    approve_payment(decided.pk, by=carla, digest=digest_of(decided))

    mine = client.get(APPROVALS)
    assert listed(mine) == offered(mine) == ids(open_)
    page = everybodys(client)
    assert listed(page) == ids(open_, own, edited, decided)
    assert offered(page) == ids(open_)
    text = text_of(page)
    for words in ("You issued this push", "You changed this card", "You have decided"):
        assert text.count(words) == 1
    assert "For me 1 Everybody's 4" in text


def test_the_condition_of_my_queue_is_the_rule() -> None:
    people = [make_staff(name, "approver") for name in ("carla", "dora", "emil")]
    make_rule(name="two", decisions=2)
    payments = [push_by(people[0]), push(make_payee(edited_by_user=people[1]))]
    payments += [push(make_payee()) for _ in range(6)]
    update_consumer(payments[5].consumer, by_user=people[0], last_name="Sample")
    approve_payment(payments[2].pk, by=people[2], digest=digest_of(payments[2]))
    # Edited since by two of whom only the second is the last, and decided about before an edit.
    for editor in (people[2], people[1]):
        update_consumer(payments[6].consumer, by_user=editor, last_name=editor.username)
    approve_payment(payments[7].pk, by=people[0], digest=digest_of(payments[7]))
    update_consumer(payments[7].consumer, last_name="Edited")
    reject_payment(payments[3].pk, by=people[1], digest=digest_of(payments[3]))
    execute(
        "UPDATE payouts_payment SET due_at = now(), approval_expires_at = now()"
        f" WHERE id = '{payments[4].pk}'"
    )
    at = timezone.now()
    for person in people:
        found = set(open_to(person.pk, Payment.objects.all(), at=at))
        for payment in Payment.objects.select_related("card"):
            matter = matter_of(
                payment,
                digest=digest_of(payment),
                decisions=Decision.objects.filter(payment=payment),
                editors=editors_of([payment])[payment.pk],
                at=at,
            )
            bar = bar_to_deciding(approver_of(person), matter)
            assert (payment in found) == (bar is None), (person, bar)


def test_what_is_over_does_not_wait(client: Client, carla: User) -> None:
    rejected = push_for_approval(make_payee())
    reject_payment(rejected.pk, by=carla, digest=digest_of(rejected))
    push_for_approval(make_payee())
    execute("UPDATE payouts_payment SET due_at = now(), approval_expires_at = now()")
    assert listed(everybodys(client)) == []
    assert "Nothing waits for approval" in text_of(everybodys(client))


def test_says_that_what_waits_is_for_others(client: Client, carla: User) -> None:
    push_by(carla)
    text = text_of(client.get(APPROVALS))
    assert "Nothing waits for you" in text
    assert "Show everybody's" in text


# Sums, filter, pages


def test_sums_up_what_waits(client: Client) -> None:
    card = make_payee()
    push_for_approval(card, amount="100.00")
    push_for_approval(card, amount="250.50")
    push_for_approval(make_payee(), amount="1.00")
    text = text_of(client.get(APPROVALS))
    # Two of them go to one card.
    assert "Waiting for me 3 In all $351.50 Largest $250.50 To first-time cards 2" in text


def test_counts_no_further_than_its_bound(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "COUNTED_AT_MOST", 2)
    monkeypatch.setattr("payouts.backoffice.approvals.COUNTED_AT_MOST", 2)
    card = make_payee()
    for dollars in range(1, 5):
        push_for_approval(card, amount=str(dollars))
    assert "first 2" in text_of(client.get(APPROVALS))
    assert "more than 2" in text_of(client.get(APPROVALS))


def test_one_partner_s_only(client: Client) -> None:
    ours, theirs = push_for_approval(make_payee()), push_for_approval(make_payee())
    page = client.get(APPROVALS, {"partner": str(ours.partner_id)})
    assert listed(page) == ids(ours)
    assert "For me 1 Everybody's 1" in text_of(page)
    assert f"{theirs.partner.name} (1)" in text_of(page)


@pytest.mark.parametrize("query", ["partner=x", "after=x", "before=1"])
def test_an_address_that_means_nothing_is_not_found(client: Client, query: str) -> None:
    assert client.get(f"{APPROVALS}?{query}").status_code == 404


def test_pages_there_and_back_by_what_expires_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ROWS_SHOWN", 2)
    patient = make_payee(partner=make_funded_partner(approval_hours=100))
    last = push_for_approval(patient)
    card = make_payee()
    p1, p2, p3, p4 = (push_for_approval(card, amount=str(dollars)) for dollars in range(1, 5))
    assert listed(client.get(APPROVALS)) == ids(p1, p2)
    assert listed(client.get(APPROVALS, {"after": str(p2.pk)})) == ids(p3, p4)
    assert listed(client.get(APPROVALS, {"after": str(p4.pk)})) == ids(last)
    assert listed(client.get(APPROVALS, {"before": str(last.pk)})) == ids(p3, p4)
    assert listed(client.get(APPROVALS, {"before": str(p3.pk)})) == ids(p1, p2)
    # Whoever was at the edge of a page may be gone by now.
    reject_payment(p2.pk, by=make_staff("dora", "approver"), digest=digest_of(p2))
    assert listed(client.get(APPROVALS, {"after": str(p2.pk)})) == ids(p3, p4)


def test_expiring_at_one_instant_is_no_reason_to_be_left_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ROWS_SHOWN", 1)
    card = make_payee()
    twins = [push_for_approval(card, amount=str(dollars)) for dollars in range(1, 4)]
    at = timezone.now() + timedelta(hours=1)
    execute(f"UPDATE payouts_payment SET due_at = '{at}', approval_expires_at = '{at}'")
    assert listed(client.get(APPROVALS)) == ids(twins[0])
    assert listed(client.get(APPROVALS, {"after": str(twins[0].pk)})) == ids(twins[1])
    assert listed(client.get(APPROVALS, {"before": str(twins[2].pk)})) == ids(twins[1])


@pytest.mark.parametrize("rows", [1, 7])
def test_asks_a_fixed_number_of_statements(
    client: Client, rows: int, django_assert_num_queries: Any
) -> None:
    dora = make_staff("dora", "approver")
    for _ in range(rows):
        payment = push_for_approval(make_payee(), decisions=2)
        approve_payment(payment.pk, by=dora, digest=digest_of(payment))
    with django_assert_num_queries(STATEMENTS):
        assert len(listed(client.get(APPROVALS))) == rows
    with django_assert_num_queries(STATEMENTS):
        assert len(listed(everybodys(client))) == rows
