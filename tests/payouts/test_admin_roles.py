"""Who gets to which page: a table of every page of the admin site and every role."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from consumers.models import APIClient, AuditEntry, Consumer, Partner, PaymentCard
from payouts.models import (
    Account,
    ApprovalRule,
    FeeSchedule,
    Journal,
    Limit,
    NetworkNotification,
    Payment,
    WebhookEndpoint,
)
from payouts.staff import ROLES
from tests.back_office import browser, browser_of, superuser_browser, text_of

pytestmark = pytest.mark.django_db

EVERYBODY = frozenset(role.name for role in ROLES)
LEDGER = frozenset({"operations", "admin", "auditor"})
TERMS = frozenset({"approver", "admin", "auditor"})
ADMIN_AND_AUDITOR = frozenset({"admin", "auditor"})
ADMIN = frozenset({"admin"})
NOBODY: frozenset[str] = frozenset()

# Who sees the list, and who gets to the page that adds.
TABLE = {
    Payment: (EVERYBODY, NOBODY),
    Consumer: (EVERYBODY, ADMIN),
    PaymentCard: (EVERYBODY, NOBODY),
    Partner: (EVERYBODY, NOBODY),
    Account: (LEDGER, NOBODY),
    Journal: (LEDGER, NOBODY),
    FeeSchedule: (TERMS, NOBODY),
    Limit: (TERMS, NOBODY),
    ApprovalRule: (TERMS, NOBODY),
    APIClient: (ADMIN_AND_AUDITOR, NOBODY),
    WebhookEndpoint: (LEDGER, NOBODY),
    NetworkNotification: (LEDGER, NOBODY),
    AuditEntry: (ADMIN_AND_AUDITOR, NOBODY),
    User: (ADMIN_AND_AUDITOR, NOBODY),
    Group: (ADMIN_AND_AUDITOR, ADMIN),
}


def address(model: type, page: str) -> str:
    meta = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}")


def test_the_table_names_every_registered_model() -> None:
    assert set(TABLE) == set(admin.site._registry)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_gets_where_the_table_says_and_nowhere_else(role: str) -> None:
    client = browser(role)
    for model, (seers, adders) in TABLE.items():
        expected = 200 if role in seers else 403
        assert client.get(address(model, "changelist")).status_code == expected, model
        expected = 200 if role in adders else 403
        assert client.get(address(model, "add")).status_code == expected, model


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_the_sidebar_offers_what_opens(role: str) -> None:
    client = browser(role)
    html = client.get("/admin/").content.decode()
    for model, (seers, _) in TABLE.items():
        is_offered = f'href="{address(model, "changelist")}"' in html
        assert is_offered == (role in seers), model


@pytest.mark.parametrize("model", [Payment, Account, Journal, PaymentCard])
def test_a_superuser_adds_nothing_by_hand_either(model: type) -> None:
    assert superuser_browser().get(address(model, "add")).status_code == 403


def test_somebody_without_a_role_sees_nothing() -> None:
    client = browser()
    assert "Nothing here is yours to see" in text_of(client.get("/admin/"))
    for model in TABLE:
        assert client.get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("switched_off", ["is_active", "is_staff"])
def test_who_is_switched_off_is_not_let_in(switched_off: str) -> None:
    user = User.objects.create_user("gone", is_staff=True)
    client = browser_of(user)
    setattr(user, switched_off, False)
    user.save(update_fields=[switched_off])
    answer = client.get("/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/?next=/admin/")


def test_the_old_address_of_the_sign_in_leads_to_the_new_one() -> None:
    answer = Client().get("/admin/login/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/sign-in/")


def test_a_stranger_is_asked_to_sign_in_everywhere() -> None:
    for model in TABLE:
        answer = Client().get(address(model, "changelist"))
        assert answer.headers["Location"].startswith("/admin/login/?next=")


def test_models_that_are_not_registered_have_no_page() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:payouts_event_changelist")
