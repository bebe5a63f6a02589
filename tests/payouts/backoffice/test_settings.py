"""The settings pages: every term of a partner, and what a push would cost and need."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consumers.models import Partner
from payouts.models import FeeSchedule, Limit
from tests.back_office import browser, text_of
from tests.builders import make_api_client, make_partner
from tests.changes import set_fees
from tests.pushes import make_funded_partner, make_rule, make_staff

pytestmark = pytest.mark.django_db

HOME = "/admin/settings/"


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner(name="Northwind", dollars="500.00")


@pytest.fixture
def admin() -> Client:
    return browser("admin", username="adam")


def page_of(partner: Partner) -> str:
    return reverse("backoffice:partner_settings", args=[partner.pk])


def tried(client: Client, partner: Partner, amount: str = "250.00", **push: str) -> str:
    asked = {"amount": amount, "source": "api", "first": "no", "age": "30", "twin": "no", **push}
    return text_of(client.get(page_of(partner), asked))


def test_lists_partners_and_finds_one(admin: Client, partner: Partner) -> None:
    make_partner(name="Mistral")
    assert "Northwind" in text_of(admin.get(HOME))
    found = text_of(admin.get(HOME, {"q": "mist"}))
    assert ("Mistral" in found, "Northwind" in found) == (True, False)
    assert "No partner is called" in text_of(admin.get(HOME, {"q": "<b>zz"}))


def test_pages_through_many_partners(admin: Client) -> None:
    for number in range(30):
        make_partner(name=f"P {number:02}")
    first = text_of(admin.get(HOME))
    assert ("P 24" in first, "P 25" in first) == (True, False)
    assert "P 29" in text_of(admin.get(HOME, {"after": "P 24"}))


def test_shows_all_terms_of_a_partner(admin: Client, partner: Partner) -> None:
    FeeSchedule.objects.create(
        partner=partner, valid_from=timezone.now(), fixed=Decimal("0.25"), basis_points=25
    )
    Limit.objects.create(partner=partner, scope="card_day", max_count=7)
    make_rule(name="Everybody", amount_at_least=Decimal(1000))
    make_rule(name="Only here", partner=partner, possible_duplicate=True)
    make_rule(name="Elsewhere", partner=make_partner())
    make_api_client(partner=partner, name="Payroll")
    text = text_of(admin.get(page_of(partner)))
    for said in (
        "$500.00", "$0.25 25 (0.25 %) $0.00", "One card, one day no limit 7", "$1,000.00 or more",
        "Only here", "Possible duplicate: 1 person", "Payroll",
    ):  # fmt: skip
        assert said in text, said
    assert "Elsewhere" not in text


def test_works_out_what_a_push_costs_today_later_and_as_proposed(
    admin: Client, partner: Partner
) -> None:
    now = timezone.now()
    FeeSchedule.objects.create(partner=partner, valid_from=now, fixed=Decimal("0.25"))
    later = now + timedelta(days=3)
    FeeSchedule.objects.create(partner=partner, valid_from=later, fixed=Decimal("0.75"))
    set_fees(partner, by=make_staff("ada", "admin"))
    text = tried(admin, partner)
    assert "Today $0.25 + 0.00 % $0.25 $250.25" in text
    assert "$0.75 $250.75" in text
    assert "As proposed $0.50 + 1.00 % $3.00 $253.00" in text


def test_a_partner_without_a_schedule_pays_nothing(admin: Client, partner: Partner) -> None:
    assert "Today no fees $0.00 $250.00" in tried(admin, partner)


def test_works_out_who_would_have_to_approve(admin: Client, partner: Partner) -> None:
    carla = make_staff("carla", "approver")
    treasury = Group.objects.create(name="treasury")
    make_rule(name="Large", amount_at_least=Decimal(100), decisions=1)
    make_rule(name="Treasury looks", group=treasury, decisions=1, first_push_to_card=True)
    assert "Nobody's approval. It goes out at once." in tried(admin, partner, "99.99")
    text = tried(admin, partner)
    assert "It would wait for 1 person" in text
    assert "1 person, anybody who may approve Large carla" in text
    assert "Blocked: there are not enough" in tried(admin, partner, first="yes")
    carla.groups.add(treasury)
    assert "Blocked" not in tried(admin, partner, first="yes")
    assert "Possible duplicate" in tried(admin, partner, twin="yes")


def test_says_when_a_push_would_be_refused(admin: Client, partner: Partner) -> None:
    Limit.objects.create(partner=partner, scope="push", max_amount=Decimal(200))
    assert "one push may be $200.00 at most" in tried(admin, partner)
    assert "would be refused" not in tried(admin, partner, "200.00")


@pytest.mark.parametrize("amount", ["0", "x", "", "1e30"])
def test_says_what_is_wrong_with_an_amount(admin: Client, partner: Partner, amount: str) -> None:
    text = tried(admin, partner, amount)
    assert "would cost" not in text


def test_one_person_switches_a_partner_off(admin: Client, partner: Partner) -> None:
    address = reverse("backoffice:switch_off_partner", args=[partner.pk])
    admin.post(address, {"reason": ""})
    partner.refresh_from_db()
    assert partner.is_active
    text = text_of(admin.post(address, {"reason": "Looks wrong"}, follow=True))
    partner.refresh_from_db()
    assert not partner.is_active
    assert "Northwind is switched off." in text
    assert "Switch off now" not in text


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("viewer", 403), ("maker", 403), ("operations", 403), ("approver", 200),
        ("auditor", 200), ("admin", 200),
    ],
)  # fmt: skip
def test_who_gets_where(role: str, status: int, partner: Partner) -> None:
    client = browser(role)
    assert client.get(HOME).status_code == status
    page = client.get(page_of(partner))
    assert page.status_code == status
    offers = "/admin/settings/propose/" in page.content.decode()
    assert offers == (role == "admin")
    stop = client.post(
        reverse("backoffice:switch_off_partner", args=[partner.pk]), {"reason": "Because"}
    )
    assert stop.status_code == (302 if role == "admin" else 403)
    partner.refresh_from_db()
    assert partner.is_active == (role != "admin")


@pytest.mark.parametrize("rows", [1, 6])
def test_asks_a_fixed_number_of_statements(
    admin: Client, partner: Partner, rows: int, statements: Any
) -> None:
    for number in range(rows):
        make_rule(name=f"Rule {number}", amount_at_least=Decimal(1))
        make_api_client(partner=partner)
        make_staff(f"approver {number}", "approver")
    for address in (HOME, f"{page_of(partner)}?amount=250&source=api&first=no&age=3&twin=no"):
        admin.get(address)
        with statements() as log:
            admin.get(address)
        assert len(log) <= 22, log
