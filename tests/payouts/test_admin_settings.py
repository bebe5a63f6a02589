"""Partners, fee schedules, limits and approval rules: set by the admin role, by nobody else."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consumers.models import Partner
from payouts.models import Account, ApprovalRule, FeeSchedule, Limit
from tests.back_office import browser, page_address, superuser_browser, text_of
from tests.builders import make_partner
from tests.pushes import make_funded_partner, make_payee, push

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return browser("admin")


def add_address(model: type) -> str:
    meta = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_add")


def list_address(model: type) -> str:
    return add_address(model).removesuffix("add/")


def make_schedule(*, starts_in: timedelta) -> FeeSchedule:
    return FeeSchedule.objects.create(
        partner=make_partner(), valid_from=timezone.now() + starts_in, fixed=Decimal("0.25")
    )


def schedule_form(schedule: FeeSchedule, *, fixed: str) -> dict[str, str]:
    return {
        "partner": str(schedule.partner_id),
        "valid_from_0": f"{schedule.valid_from:%Y-%m-%d}",
        "valid_from_1": f"{schedule.valid_from:%H:%M:%S}",
        "fixed": fixed, "basis_points": "0", "minimum": "0", "maximum": "",
    }  # fmt: skip


def test_adding_a_partner_opens_its_accounts(admin: Client) -> None:
    form = {"name": "Mistral Freight", "is_active": "on", "approval_hours": "24"}
    answer = admin.post(add_address(Partner), form)
    assert answer.status_code == 302
    partner = Partner.objects.get(name="Mistral Freight")
    assert (partner.approval_hours, partner.is_active) == (24, True)
    assert Account.objects.filter(partner=partner).count() == 2


def test_a_second_partner_of_a_name_is_refused(admin: Client) -> None:
    make_partner(name="Northwind")
    answer = admin.post(add_address(Partner), {"name": "Northwind", "approval_hours": "24"})
    assert "already exists" in text_of(answer)
    assert Partner.objects.count() == 1


def test_changing_a_partner_changes_its_terms_only(admin: Client) -> None:
    partner = make_funded_partner(name="Northwind", dollars="500.00")
    form = {"name": "Northwind", "approval_hours": "48", "requires_idempotency_key": "on"}
    assert admin.post(page_address(partner), form).status_code == 302
    partner.refresh_from_db()
    assert (partner.approval_hours, partner.is_active) == (48, False)
    assert partner.requires_idempotency_key


def test_partners_are_listed_with_what_they_have(admin: Client) -> None:
    partner = make_funded_partner(name="Northwind", dollars="500.00")
    push(make_payee(partner=partner), amount="120.00")
    assert "Northwind active 380.00 120.00" in text_of(admin.get(list_address(Partner)))


def test_a_fee_schedule_that_has_begun_stays_as_it_is(admin: Client) -> None:
    schedule = make_schedule(starts_in=timedelta(seconds=-1))
    form = schedule_form(schedule, fixed="9.00")
    assert admin.post(page_address(schedule), form).status_code == 403
    schedule.refresh_from_db()
    assert schedule.fixed == Decimal("0.25")


def test_a_fee_schedule_of_the_future_can_be_changed(admin: Client) -> None:
    schedule = make_schedule(starts_in=timedelta(days=2))
    form = schedule_form(schedule, fixed="9.00")
    assert admin.post(page_address(schedule), form).status_code == 302
    schedule.refresh_from_db()
    assert schedule.fixed == Decimal("9.00")


def test_a_limit_is_added(admin: Client) -> None:
    form = {"partner": str(make_partner().pk), "scope": "push", "max_amount": "5000"}
    assert admin.post(add_address(Limit), form).status_code == 302
    limit = Limit.objects.get()
    assert limit.max_amount == Decimal("5000")
    assert admin.post(page_address(limit, "delete"), {"post": "yes"}).status_code == 403


def test_a_limit_that_bounds_nothing_is_refused(admin: Client) -> None:
    form = {"partner": str(make_partner().pk), "scope": "push"}
    assert admin.post(add_address(Limit), form).status_code == 200
    assert not Limit.objects.exists()


def test_an_approval_rule_is_read_as_a_sentence(admin: Client) -> None:
    form = {
        "name": "Large", "is_active": "on", "amount_at_least": "1000", "decisions": "2",
        "first_push_to_card": "true", "source": "back_office",
    }  # fmt: skip
    assert admin.post(add_address(ApprovalRule), form).status_code == 302
    rule = ApprovalRule.objects.get()
    assert (rule.first_push_to_card, rule.partner) == (True, None)
    page = text_of(admin.get(list_address(ApprovalRule)))
    assert "$1,000.00 or more, source is back office, first push to the card" in page
    assert "2 of anybody who may approve" in page


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "operations", "auditor"])
def test_only_admins_set_terms(role: str) -> None:
    schedule = make_schedule(starts_in=timedelta(days=2))
    client = browser(role)
    for model in (Partner, FeeSchedule, Limit, ApprovalRule):
        assert client.post(add_address(model), {"name": "x"}).status_code == 403
    answer = client.post(page_address(schedule), schedule_form(schedule, fixed="9"))
    assert answer.status_code == 403
    schedule.refresh_from_db()
    assert schedule.fixed == Decimal("0.25")


@pytest.mark.parametrize("model", [Partner, FeeSchedule])
def test_nobody_deletes_what_history_rests_on(model: type) -> None:
    row = make_schedule(starts_in=timedelta(days=2))
    target = row if model is FeeSchedule else row.partner
    answer = superuser_browser().post(page_address(target, "delete"), {"post": "yes"})
    assert answer.status_code == 403


def test_nothing_is_deleted_in_bulk(admin: Client) -> None:
    limit = Limit.objects.create(partner=make_partner(), scope="push", max_count=1)
    form = {"action": "delete_selected", "_selected_action": [str(limit.pk)], "post": "yes"}
    admin.post(list_address(Limit), form)
    assert Limit.objects.exists()
