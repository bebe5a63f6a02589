"""Partners and their terms on the admin site: looked up, never changed."""

from decimal import Decimal

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consumers.models import Partner
from payouts.models import ApprovalRule, FeeSchedule, Limit
from tests.back_office import browser, page_address, superuser_browser, text_of
from tests.builders import make_partner
from tests.pushes import make_funded_partner, make_payee, make_rule, push

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return browser("admin")


def list_address(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def terms() -> list[Model]:
    partner = make_partner(name="Northwind")
    return [
        partner,
        FeeSchedule.objects.create(partner=partner, valid_from=timezone.now(), fixed=1),
        Limit.objects.create(partner=partner, scope="push", max_amount=Decimal(5000)),
        make_rule(name="Large", amount_at_least=Decimal(1000), decisions=2),
    ]


def test_partners_are_listed_with_what_they_have(admin: Client) -> None:
    partner = make_funded_partner(name="Northwind", dollars="500.00")
    push(make_payee(partner=partner), amount="120.00")
    assert "Northwind active 380.00 120.00" in text_of(admin.get(list_address(Partner)))


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("auditor", 200)])
def test_terms_are_offered_to_whom_they_open(role: str, status: int) -> None:
    partner, reader = make_partner(), browser(role)
    terms_address = reverse("backoffice:partner_settings", args=[partner.pk])
    assert reader.get(terms_address).status_code == status
    is_offered = terms_address in reader.get(page_address(partner)).content.decode()
    assert is_offered == (status == 200)


def test_an_approval_rule_is_read_as_a_sentence(admin: Client) -> None:
    make_rule(
        name="Large", decisions=2, amount_at_least=Decimal(1000), source="back_office",
        first_push_to_card=True, possible_duplicate=True,
    )  # fmt: skip
    page = text_of(admin.get(list_address(ApprovalRule)))
    said = "$1,000.00 or more, source is back office, first push to the card, possible duplicate"
    assert said in page
    assert "2 of anybody who may approve" in page


@pytest.mark.parametrize("role", ["admin", "superuser"])
@pytest.mark.parametrize("verb", ["change", "delete"])
def test_nobody_changes_terms_by_a_form(role: str, verb: str) -> None:
    client = superuser_browser() if role == "superuser" else browser(role)
    form = {"name": "Other", "fixed": "9", "max_amount": "9", "decisions": "1", "post": "yes"}
    rows = terms()
    for row in rows:
        before = type(row)._default_manager.filter(pk=row.pk).values().get()
        assert client.post(page_address(row, verb), form).status_code == 403
        assert type(row)._default_manager.filter(pk=row.pk).values().get() == before
        assert client.post(list_address(type(row)) + "add/", form).status_code == 403


def test_the_pages_are_there_to_be_read(admin: Client) -> None:
    for row in terms():
        assert admin.get(page_address(row)).status_code == 200


def test_lists_lead_to_the_partner_s_settings(admin: Client) -> None:
    partner, *_ = terms()
    settings = reverse("backoffice:partner_settings", args=[partner.pk])
    for model in (FeeSchedule, Limit):
        assert settings in admin.get(list_address(model)).content.decode()


def test_nothing_is_deleted_in_bulk(admin: Client) -> None:
    limit = Limit.objects.create(partner=make_partner(), scope="push", max_count=1)
    form = {"action": "delete_selected", "_selected_action": [str(limit.pk)], "post": "yes"}
    admin.post(list_address(Limit), form)
    assert Limit.objects.exists()
