"""An approver adds a passkey, signs in with it, and approves: the decision is signed by it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from payouts.models import Decision, Payment
from payouts.states import Status
from tests.back_office import page_address
from tests.browser.signing.conftest import SignIn, plug_in_passkey
from tests.payouts.commands.running import run_json
from tests.pushes import make_payee, push_for_approval, status_of

pytestmark = pytest.mark.django_db(transaction=True)


def add_passkey(page: Page, name: str) -> None:
    plug_in_passkey(page)
    page.goto("/admin/security/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("link", name=f"Remove {name}")).to_be_visible()


def approve_all(page: Page, reason: str) -> None:
    page.goto("/admin/approvals/")
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name="Approve…").click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Approve 2 pushes").click()


@pytest.mark.parametrize("screen", [{"width": 1440}, {"width": 390, "dark": True}], ids=str)
def test_an_approver_signs_what_is_approved(sign_in: SignIn, screen: dict[str, Any]) -> None:
    payments = [push_for_approval(make_payee()) for _ in range(2)]
    carla = sign_in("approver", name="carla", **screen)
    page = carla.page
    add_passkey(page, "Work laptop")

    page.get_by_role("button", name="Sign out everywhere, here too").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/admin/")

    approve_all(page, "Invoices seen")
    expect(page.get_by_role("heading", name="Sign your approval")).to_be_visible()
    assert {status_of(one) for one in payments} == {Status.PENDING_APPROVAL}
    page.get_by_role("button", name="Approve with your passkey").click()
    expect(page.get_by_role("heading", name="2 approved by you")).to_be_visible()

    assert {status_of(one) for one in payments} == {Status.PENDING}
    assert {one.signature is not None for one in Decision.objects.all()} == {True}
    assert run_json("verify_decisions", "--json")["wrong"] == 0
    page.goto(page_address(Payment.objects.latest("pk")))
    expect(page.get_by_text("signed by passkey Work laptop")).to_be_visible()
