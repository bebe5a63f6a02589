"""An approver on a phone, in the dark: signs in with a passkey, and it signs what is approved."""

import json
import subprocess
import sys
from typing import Any

from playwright.sync_api import Page, expect

from tests.bench.product import ROOT, Product, environment
from tests.browser.doorway import Enter, Sessions
from tests.browser.pages import APPROVER
from tests.browser.person import PHONE, Person, kept_session
from tests.browser.stock import Caller

AMOUNTS = ("6,100.01", "6,100.02")


def test_an_approver_signs_two_at_once_and_anybody_can_verify_it(
    enter: Enter, sessions: Sessions, product: Product
) -> None:
    with Caller(product) as api:
        pushes = [api.push(amount.replace(",", ""))["id"] for amount in AMOUNTS]
    approver = enter(APPROVER, viewport=PHONE, color_scheme="dark")
    page = _comes_in_with_a_passkey(approver)
    sessions.kept[APPROVER] = kept_session(page.context)

    approver.goes_to("/admin/approvals/")
    for amount in AMOUNTS:
        page.get_by_label(f"Choose ${amount} to").check()
    expect(page.get_by_text("2 chosen · $12,200.03 in all")).to_be_visible()
    page.get_by_role("button", name="Approve…").click()
    page.get_by_label("Reason").fill("Invoices seen")
    page.get_by_role("button", name="Approve 2 pushes").click()
    expect(page.get_by_role("heading", name="Sign your approval")).to_be_visible()
    with Caller(product) as api:
        assert {api.status_of(push) for push in pushes} == {"pending_approval"}
    page.get_by_role("button", name="Approve with your passkey").click()
    expect(page.get_by_role("heading", name="2 approved by you")).to_be_visible()

    approver.goes_to(f"/admin/payouts/payment/{pushes[0]}/change/")
    expect(page.get_by_text("signed by passkey Phone")).to_be_visible()
    said = _verified(product)
    assert (said["wrong"], said["signed"] >= 2) == (0, True)


def _comes_in_with_a_passkey(approver: Person) -> Page:
    approver.gets_a_device()
    page = approver.adds_passkey("Phone")
    page.get_by_role("button", name="Sign out everywhere, here too").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/admin/")
    return page


def _verified(product: Product) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_decisions", "--json"],
        cwd=ROOT,
        env=environment(product.folder),
        capture_output=True,
        text=True,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said
