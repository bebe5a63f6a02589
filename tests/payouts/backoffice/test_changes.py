"""Proposing and deciding about changes in the browser: pages, refusals, who gets where."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from consumers.models import APIClient, AuditEntry, Partner
from consumers.operations.api_clients import READ, client_with_credentials
from payouts.models import ApprovalRule, ChangeRequest, FeeSchedule, Limit
from tests.back_office import browser, browser_of, text_of
from tests.books import available
from tests.builders import make_partner
from tests.changes import (
    GRACE,
    RULE,
    approve,
    fund,
    propose,
    set_fees,
    set_limit,
    state_of,
    two_admins,
)
from tests.pushes import make_rule, make_staff

pytestmark = pytest.mark.django_db

QUEUE = "/admin/changes/"


@pytest.fixture
def people() -> tuple[User, User]:
    return two_admins()


@pytest.fixture
def partner() -> Partner:
    return make_partner(name="Northwind")


def page_of(change: ChangeRequest, act: str = "") -> str:
    return f"{QUEUE}{change.pk}/{act}"


def decide(client: Client, change: ChangeRequest, verdict: str = "approve", **form: str) -> Any:
    seen = {"seen": bytes(change.digest).hex(), "reason": "Looked at it", "verdict": verdict}
    return client.post(page_of(change, "decide/"), {**seen, **form}, follow=True)


def proposal(kind: str, **query: str) -> str:
    return reverse("backoffice:propose", args=[kind], query=query)


def test_fees_are_proposed_and_approved_in_the_browser(
    partner: Partner, people: tuple[User, User]
) -> None:
    ada, bea = map(browser_of, people)
    form = {
        "fixed": "0.50", "basis_points": "1 %", "minimum": "0", "maximum": "", "valid_from": "",
        "reason": "The new contract",
    }  # fmt: skip
    page = ada.post(proposal("fee_schedule", partner=str(partner.pk)), form, follow=True)
    change = ChangeRequest.objects.get()
    text = text_of(page)
    assert "Nothing has changed yet" in text
    assert "Fixed part - $0.50" in text
    assert "1.00 % (100 basis points)" in text
    assert "$250.00 $0.00 $3.00" in text
    assert "You proposed this" in text
    assert not FeeSchedule.objects.exists()
    assert "Approve and do it" in text_of(bea.get(page_of(change)))
    assert "Approved and done." in text_of(decide(bea, change))
    assert FeeSchedule.objects.get().basis_points == 100


def test_says_beforehand_whether_somebody_else_decides() -> None:
    ada = browser("admin", username="ada")
    assert "so it is done at once" in text_of(ada.get(proposal("staff_member")))
    assert "Somebody else decides" in text_of(ada.get(proposal("partner")))
    make_staff("bea", "admin")
    assert "Somebody else decides" in text_of(ada.get(proposal("staff_member")))


@pytest.mark.parametrize(
    ("scope", "words"), [("push", "One push"), ("card_day", "One card, one day")]
)
def test_says_which_limit_it_is(
    scope: str, words: str, partner: Partner, people: tuple[User, User]
) -> None:
    address = proposal("limit", partner=str(partner.pk), subject=scope)
    assert words in text_of(browser_of(people[0]).get(address))


def test_says_why_a_limit_would_do_nothing(partner: Partner, people: tuple[User, User]) -> None:
    address = proposal("limit", partner=str(partner.pk), subject="push")
    answer = browser_of(people[0]).post(address, {"max_amount": "50000.01", "reason": "Why not"})
    assert "No push is above $50,000.00" in text_of(answer)
    assert not ChangeRequest.objects.exists()


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("fund_partner", {"amount": "250.00", "reference": "W-1"}),
    ("limit", {"max_amount": "900", "max_count": ""}),
    (
        "approval_rule",
        {
            "name": "Large", "is_active": "on", "decisions": "2", "amount_at_least": "1000",
            "card_younger_than": "48", "possible_duplicate": "yes", "group": "approver",
        },
    ),
    ("api_client", {"name": "Payroll", "scopes": ["api:read"]}),
    (
        "partner",
        {"name": "Northwind", "requires_idempotency_key": "on", "approval_hours": "24"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=[kind for kind, _ in FORMS])
def test_every_form_proposes_what_it_says(
    kind: str, form: dict[str, Any], partner: Partner, people: tuple[User, User]
) -> None:
    ada = browser_of(people[0])
    address = proposal(kind, partner=str(partner.pk), subject="push" if kind == "limit" else "")
    assert ada.get(address).status_code == 200
    assert "Say why." in text_of(ada.post(address, {**form, "reason": ""}))
    assert not ChangeRequest.objects.exists()
    ada.post(address, {**form, "reason": "It is time"})
    change = ChangeRequest.objects.get()
    assert (change.kind, change.partner, change.reason) == (kind, partner, "It is time")
    approve(change, people[1])
    assert browser_of(people[1]).get(page_of(change)).status_code == 200
    done = {
        "fund_partner": available(partner) == Decimal("250.00"),
        "limit": Limit.objects.filter(max_amount=900, scope="push").exists(),
        "approval_rule": ApprovalRule.objects.filter(
            partner=partner, group__name="approver", possible_duplicate=True, decisions=2
        ).exists(),
        "api_client": APIClient.objects.filter(name="Payroll", scopes=[READ]).exists(),
        "partner": Partner.objects.filter(approval_hours=24, is_active=False).exists(),
    }
    assert done[kind]


def test_a_form_shows_what_is_there(people: tuple[User, User]) -> None:
    rule = make_rule(name="Large", amount_at_least=Decimal(1000), decisions=2)
    html = browser_of(people[0]).get(proposal("approval_rule", subject=str(rule.pk))).content
    assert b'value="Large"' in html
    assert b'value="1000.00"' in html


def test_a_form_says_what_is_wrong(partner: Partner, people: tuple[User, User]) -> None:
    ada = browser_of(people[0])
    address = proposal("fund_partner", partner=str(partner.pk))
    for amount in ("0", "1e30", "0.001", "x"):
        form = {"amount": amount, "reference": "W-1", "reason": "Arrived"}
        page = ada.post(address, form)
        assert (page.status_code, "po-error" in page.content.decode()) == (200, True)
    assert not ChangeRequest.objects.exists()


@pytest.mark.parametrize("amount", ["25000", "25,000", "$25,000.00", " 25,000.00 "])
def test_dollars_are_taken_as_people_paste_them(
    amount: str, partner: Partner, people: tuple[User, User]
) -> None:
    form = {"amount": amount, "reference": "W-1", "reason": "Arrived"}
    browser_of(people[0]).post(proposal("fund_partner", partner=str(partner.pk)), form)
    assert ChangeRequest.objects.get().after["amount"] == "25000.00"


@pytest.mark.parametrize("amount", ["25,00", "1,0000", "$", "$-5", "2,5.00"])
def test_dollars_that_may_mean_something_else_are_not_taken(
    amount: str, partner: Partner, people: tuple[User, User]
) -> None:
    form = {"amount": amount, "reference": "W-1", "reason": "Arrived"}
    browser_of(people[0]).post(proposal("fund_partner", partner=str(partner.pk)), form)
    assert not ChangeRequest.objects.exists()


def test_a_webhook_without_types_hears_everything(
    partner: Partner, people: tuple[User, User]
) -> None:
    hook = {"url": "https://hooks.example.com/x", "types": [], "is_active": "on"}
    address = proposal("webhook", partner=str(partner.pk))
    page = browser_of(people[0]).post(address, {**hook, "reason": "New"}, follow=True)
    assert "Hears - everything" in text_of(page)


@pytest.mark.parametrize(("role", "is_promised"), [("maker", False), ("admin", True)])
def test_the_only_admin_hears_whether_that_has_changed(role: str, is_promised: bool) -> None:  # noqa: FBT001
    form = {"username": "grace", "groups": [role], "is_active": "on", "reason": "Starts"}
    only = browser_of(make_staff("ada", "admin"))
    text = text_of(only.post(proposal("staff_member"), form, follow=True))
    assert "Done at once" in text
    assert ("From now on" in text) is is_promised


def test_a_member_is_taken_on_and_fetches_a_way_in(people: tuple[User, User]) -> None:
    ada, bea = map(browser_of, people)
    form = {
        "username": "grace", "first_name": "Grace", "groups": ["maker"], "is_active": "on",
        "reason": "Starts on Monday",
    }  # fmt: skip
    ada.post(proposal("staff_member"), form)
    change = ChangeRequest.objects.get()
    decide(bea, change)
    assert "Fetch the secret" not in text_of(bea.get(page_of(change)))
    assert "Fetch the secret" in text_of(ada.get(page_of(change)))
    page = ada.post(page_of(change, "secret/"))
    assert "no-store" in page.headers["Cache-Control"]
    password = re.findall(r'po-copy">([^<]+)<', page.content.decode())[1]
    assert User.objects.get(username="grace").check_password(password)
    again = ada.post(page_of(change, "secret/"), follow=True)
    assert "nothing for you to fetch" in text_of(again)
    assert password not in again.content.decode()


def test_a_client_s_secret_is_shown_once(partner: Partner, people: tuple[User, User]) -> None:
    payroll = {"name": "Payroll", "scopes": [READ]}
    change = propose("api_client", payroll, by=people[0], partner_id=partner.pk)
    approve(change, people[1])
    page = browser_of(people[0]).post(page_of(change, "secret/"))
    client_id, secret = re.findall(r'po-copy">([^<]+)<', page.content.decode())
    assert client_with_credentials(client_id, secret).name == "Payroll"
    assert secret not in str(list(AuditEntry.objects.values()))


def test_the_proposer_s_own_yes_is_refused_by_every_way_in(
    partner: Partner, people: tuple[User, User]
) -> None:
    change, ada = fund(partner, by=people[0]), browser_of(people[0])
    assert "Approve and do it" not in text_of(ada.get(page_of(change)))
    for verdict in ("approve", "reject"):
        text = text_of(decide(ada, change, verdict))
        assert "You proposed this, so somebody else has to decide" in text
    assert (state_of(change), available(partner)) == ("proposed", Decimal(0))
    refused = AuditEntry.objects.filter(result="refused", subject_id=str(change.pk))
    assert refused.count() == 2


def test_a_decision_needs_a_second_factor_just_now(
    partner: Partner, people: tuple[User, User]
) -> None:
    change = fund(partner, by=people[0])
    client = Client()
    client.force_login(people[1])
    decide(client, change)
    assert state_of(change) == "proposed"


def test_a_forged_digest_is_refused(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    text = text_of(decide(browser_of(people[1]), change, seen="0" * 64))
    assert "What you saw is not what was proposed" in text
    assert available(partner) == 0


def test_a_decision_needs_a_reason(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    assert "Say why." in text_of(decide(browser_of(people[1]), change, reason=""))
    assert state_of(change) == "proposed"


def test_what_moved_is_said_before_anybody_tries(
    partner: Partner, people: tuple[User, User]
) -> None:
    high = set_limit(partner, by=people[0], max_amount=Decimal(900))
    approve(set_limit(partner, by=people[0], max_amount=Decimal(100)), people[1])
    bea = browser_of(people[1])
    text = text_of(bea.get(page_of(high)))
    assert "has been changed since" in text
    assert "Approve and do it" not in text
    assert "has been changed since" in text_of(decide(bea, high))
    assert Limit.objects.get().max_amount == Decimal(100)


def test_says_when_nobody_is_left_to_decide(partner: Partner) -> None:
    change = fund(partner, by=make_staff("ada", "admin"))
    vera = browser("auditor")
    for address in (QUEUE, page_of(change)):
        assert "Blocked: nobody is left who may decide" in text_of(vera.get(address))


def test_warns_of_a_rule_that_nobody_could_ever_satisfy(people: tuple[User, User]) -> None:
    group = Group.objects.create(name="treasury")
    make_staff("tim", "approver").groups.add(group)
    make_staff("zoe", "approver")
    change = propose("approval_rule", {**RULE, "group": group}, by=people[0])
    seen_by_ada, seen_by_bea = (browser_of(person).get(page_of(change)) for person in people)
    warning = "It asks for 2 people of treasury, and there is only one person."
    assert warning in text_of(seen_by_ada)
    assert warning in text_of(seen_by_bea)
    approve(change, people[1])
    assert warning in text_of(browser_of(people[0]).get(reverse("backoffice:settings")))
    User.objects.get(username="zoe").groups.add(group)
    assert "It asks for" not in text_of(browser_of(people[0]).get(reverse("backoffice:settings")))


def test_lists_what_is_mine_to_decide(partner: Partner, people: tuple[User, User]) -> None:
    own = fund(partner, by=people[1])
    funding = fund(partner, by=people[0], reference="W-2")
    about_bea = propose(
        "staff_member", {**GRACE, "username": "bea"}, by=people[0], subject=str(people[1].pk)
    )
    staff = propose("staff_member", GRACE, by=people[0])

    def listed(client: Client, view: str) -> set[str]:
        html = client.get(QUEUE, {"view": view}).content.decode()
        return set(re.findall(r"/admin/changes/([0-9a-f-]{36})/", html))

    bea, carla = browser_of(people[1]), browser("approver")
    assert listed(bea, "mine") == {str(funding.pk), str(staff.pk)}
    assert listed(bea, "own") == {str(own.pk)}
    assert listed(carla, "mine") == {str(own.pk), str(funding.pk)}
    assert listed(carla, "all") == {str(row.pk) for row in (own, funding, about_bea, staff)}


def test_takes_a_proposal_back(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    assert browser_of(people[1]).post(page_of(change, "withdraw/")).status_code == 403
    page = browser_of(people[0]).post(page_of(change, "withdraw/"), follow=True)
    assert "Taken back." in text_of(page)
    assert state_of(change) == "withdrawn"


@pytest.mark.parametrize(
    ("role", "sees", "decides"),
    [
        ("viewer", 403, False), ("maker", 403, False), ("operations", 403, False),
        ("auditor", 200, False), ("approver", 200, True), ("admin", 200, True),
    ],
)  # fmt: skip
def test_who_gets_where(role: str, sees: int, decides: bool, partner: Partner) -> None:  # noqa: FBT001
    change = fund(partner, by=make_staff("ada", "admin"))
    client = browser(role, username="otto")
    for address in (QUEUE, page_of(change)):
        assert client.get(address).status_code == sees
    for kind in ("fund_partner", "fee_schedule", "staff_member", "api_client"):
        expected = 200 if role == "admin" else 403
        assert client.get(proposal(kind, partner=str(partner.pk))).status_code == expected
    assert client.post(page_of(change, "withdraw/")).status_code == 403
    client.post(page_of(change, "secret/"))
    assert decide(client, change, "reject").status_code == (200 if decides else 403)
    assert state_of(change) == ("rejected" if decides else "proposed")


@pytest.mark.parametrize(
    "address",
    ["?after=x", "?view=x", "00000000-0000-0000-0000-000000000000/"],
)
def test_what_is_not_there_is_not_found(address: str) -> None:
    assert browser("admin").get(QUEUE + address).status_code == 404
    for kind, query in (("nothing", {}), ("limit", {"partner": "x"}), ("staff_password", {})):
        assert browser("admin", username=kind).get(proposal(kind, **query)).status_code == 404


@pytest.mark.parametrize("rows", [1, 6])
def test_asks_a_fixed_number_of_statements(
    rows: int, people: tuple[User, User], statements: Any
) -> None:
    for number in range(rows):
        fund(make_partner(), by=people[0], reference=f"W-{number}")
        set_fees(make_partner(), by=people[0])
    client = browser_of(people[1])
    client.get(QUEUE)
    with statements() as log:
        client.get(QUEUE)
    assert len(log) <= 14, log
