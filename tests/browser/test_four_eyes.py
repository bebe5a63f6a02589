"""A push that needs two people: issued by one, signed by another, paid before both their eyes."""

import re

from playwright.sync_api import Page, expect

from tests.browser.doorway import Enter
from tests.browser.keyboard import obstacles
from tests.browser.newcomer import Newcomer
from tests.browser.pages import APPROVER, MAKER

PUSH_PAGE = re.compile("/admin/payouts/payment/[0-9a-f-]{36}/change/")


def confirm_page(page: Page, address: str, *, payee: str, amount: str, reference: str) -> None:
    """Find somebody by name, fill in, and come to the page that asks once more."""
    page.goto(address)
    page.get_by_label("Consumer", exact=True).fill(payee)
    page.get_by_role("link", name=payee).first.click()
    page.get_by_label("Amount in US dollars").fill(amount)
    page.get_by_label("Reference").fill(reference)
    expect(page.get_by_text("Available after")).to_be_visible()
    page.get_by_role("button", name="Continue").click()


def listed(page: Page, address: str, text: str) -> int:
    """How many pushes the list finds."""
    page.goto(f"{address}?q={text}")
    return page.locator("#result_list tbody tr").count()


def test_is_issued_once_signed_by_another_and_paid_without_a_reload(enter: Enter) -> None:
    maker, approver = enter(MAKER), enter(APPROVER)
    page = maker.page
    confirm_page(
        page, maker.address_of("/admin/issue/"), payee="Bela", amount="5125", reference="TWO-EYES"
    )
    ask = page.get_by_role("button", name="Ask for approval of $5,125.00")
    expect(ask).to_be_visible()
    assert obstacles(page) == []
    ask.dblclick()
    page.wait_for_url(PUSH_PAGE)
    expect(page.locator(".po-status")).to_contain_text("approval")
    page.evaluate("window.wasNotLoadedAgain = true")

    approver.gets_a_device()
    approver.adds_passkey("Approver's laptop")
    desk = approver.goes_to("/admin/approvals/")
    desk.get_by_label("Choose $5,125.00 to Bela Okafor").check()
    desk.get_by_role("button", name="Approve…").click()
    desk.get_by_label("Reason").fill("The invoice is right")
    assert obstacles(desk) == []
    desk.get_by_role("button", name="Approve 1 push").click()
    sign = desk.get_by_role("button", name="Approve with your passkey")
    expect(sign).to_be_visible()
    assert obstacles(desk) == []
    sign.click()
    expect(desk.get_by_role("heading", name="1 approved by you")).to_be_visible()
    assert obstacles(desk) == []

    page.bring_to_front()
    expect(page.locator(".po-status")).to_contain_text("completed", timeout=30_000)
    assert page.evaluate("window.wasNotLoadedAgain")
    expect(page.get_by_text("signed by passkey")).to_be_visible()
    assert listed(page, maker.address_of("/admin/payouts/payment/"), "TWO-EYES") == 1


def test_nobody_approves_a_push_of_their_own_in_any_way(enter: Enter, kim: Newcomer) -> None:
    page = enter(kim.username).page
    address = enter(APPROVER).address_of("")
    confirm_page(page, f"{address}/admin/issue/", payee="Bela", amount="5250", reference="OWN")
    page.get_by_role("button", name="Ask for approval").click()
    page.wait_for_url(PUSH_PAGE)
    own = page.url

    expect(page.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
    page.goto(own.replace("/change/", "/approve/"))
    page.wait_for_url(own)
    expect(page.get_by_text("You issued this push")).to_be_visible()
    page.goto(f"{address}/admin/approvals/")
    expect(page.get_by_label("Choose $5,250.00 to Bela Okafor")).to_have_count(0)

    queue = enter(APPROVER).goes_to("/admin/approvals/")
    sent_by_hand(page, address, mark=mark_of("5,250.00", queue))
    expect(page.get_by_role("heading", name="None of them can be decided")).to_be_visible()
    page.goto(own)
    expect(page.locator(".po-status")).to_contain_text("approval")


def mark_of(amount: str, queue: Page) -> str:
    """What an approver's queue sends about a push."""
    return queue.get_by_label(f"Choose ${amount} to Bela Okafor").input_value()


def sent_by_hand(page: Page, address: str, *, mark: str) -> None:
    """Send what the form of the queue would send, with a push that it does not offer."""
    page.goto(f"{address}/admin/approvals/?view=all")
    page.evaluate(
        """mark => {
            const form = document.querySelector("#queue");
            for (const [name, value] of [["chosen", mark], ["verdict", "approve"]]) {
                const field = document.createElement("input");
                Object.assign(field, { type: "hidden", name, value });
                form.append(field);
            }
            form.submit();
        }""",
        mark,
    )
    page.wait_for_url("**/approvals/confirm/")
