"""What an admin does about another person's way in, and who may not."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client

from consumers.models import AuditEntry
from payouts.models import SignInTries
from tests.back_office import browser, browser_of, page_address, text_of
from tests.staff_factors import (
    SET_UP,
    give_app,
    give_password,
    is_in,
    make_member,
)

pytestmark = pytest.mark.django_db

WHY = {"reason": "She called from her desk"}


@pytest.fixture
def grace() -> User:
    member = make_member()
    give_app(member)
    return member


@pytest.fixture
def adam() -> Client:
    return browser("admin", username="adam")


def newest() -> tuple[str, str, str]:
    entry = AuditEntry.objects.latest("id")
    return entry.verb, entry.subject_label, entry.reason


def test_signs_somebody_out_everywhere(adam: Client, grace: User) -> None:
    there = browser_of(grace)
    assert is_in(there)
    assert adam.post(page_address(grace, "end-sessions"), WHY).status_code == 302
    assert not is_in(there)
    assert newest() == ("end_session", "grace", WHY["reason"])
    assert is_in(adam)


def test_resets_a_second_factor(adam: Client, grace: User) -> None:
    there = browser_of(grace)
    assert adam.post(page_address(grace, "reset-factor"), WHY).status_code == 302
    assert newest() == ("reset_factor", "grace", WHY["reason"])
    assert not Authenticator.objects.filter(user=grace).exists()
    assert not is_in(there)
    give_password(there)
    assert there.get("/admin/").headers["Location"] == SET_UP


def test_unlocks(adam: Client, grace: User) -> None:
    for _ in range(10):
        give_password(Client(), "grace", "wrong")
    assert SignInTries.objects.exists()
    assert adam.post(page_address(grace, "unlock"), WHY).status_code == 302
    assert newest() == ("unlock", "grace", WHY["reason"])
    assert give_password(Client()).status_code == 302


@pytest.mark.parametrize("verb", ["end-sessions", "reset-factor", "unlock"])
class TestEach:
    def test_asks_first(self, adam: Client, grace: User, verb: str) -> None:
        page = adam.get(page_address(grace, verb))
        assert "Stays in the audit trail" in text_of(page)
        assert adam.post(page_address(grace, verb), {"reason": ""}).status_code == 200
        assert Authenticator.objects.filter(user=grace).exists()

    def test_needs_the_admins_own_fresh_factor(self, adam: Client, grace: User, verb: str) -> None:
        session = adam.session
        session["account_authentication_methods"][-1]["at"] -= 301
        session.save()
        page = adam.post(page_address(grace, verb), WHY)
        assert "Show your second factor" in text_of(page)
        assert Authenticator.objects.filter(user=grace).exists()

    @pytest.mark.parametrize("role", ["viewer", "maker", "approver", "operations", "auditor"])
    def test_is_for_admins(self, grace: User, verb: str, role: str) -> None:
        client = browser(role)
        assert client.post(page_address(grace, verb), WHY).status_code == 403
        assert Authenticator.objects.filter(user=grace).exists()

    def test_is_not_for_superusers_accounts(self, adam: Client, verb: str) -> None:
        root = User.objects.create_superuser("root")
        give_app(root)
        assert adam.post(page_address(root, verb), WHY).status_code == 403
        assert Authenticator.objects.filter(user=root).exists()
