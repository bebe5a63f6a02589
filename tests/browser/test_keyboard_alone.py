"""A day's work with the hands on the keyboard: issue, approve, look for, upload."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.doorway import Enter
from tests.browser.keyboard import tabs_to
from tests.browser.pages import APPROVER, MAKER, VIEWER

PUSH_PAGE = re.compile("/admin/payouts/payment/[0-9a-f-]{36}/change/")


def test_a_push_is_issued_once_and_approved(enter: Enter) -> None:
    page = enter(MAKER).goes_to("/admin/issue/")
    _finds_payee(page, "Bela")
    tabs_to(page, page.get_by_label("Amount in US dollars"))
    page.keyboard.type("5375")
    tabs_to(page, page.get_by_label("Reference"))
    page.keyboard.type("BY-KEYS")
    expect(page.get_by_text("Available after")).to_be_visible()
    tabs_to(page, page.get_by_role("button", name="Continue"))
    page.keyboard.press("Enter")
    tabs_to(page, page.get_by_role("button", name="Ask for approval of $5,375.00"))
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url(PUSH_PAGE)

    approver = enter(APPROVER)
    approver.gets_a_device()
    approver.adds_passkey("Approver's keyboard")
    desk = approver.goes_to("/admin/approvals/")
    box = tabs_to(desk, desk.get_by_label("Choose $5,375.00 to Bela Okafor"))
    desk.keyboard.press("Space")
    expect(box).to_be_checked()
    expect(desk.get_by_text("1 chosen · $5,375.00 in all")).to_be_visible()
    tabs_to(desk, desk.get_by_role("button", name="Approve…"))
    desk.keyboard.press("Enter")
    tabs_to(desk, desk.get_by_label("Reason"))
    desk.keyboard.type("The invoice is right")
    tabs_to(desk, desk.get_by_role("button", name="Approve 1 push"))
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Approve with your passkey")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="1 approved by you")).to_be_visible()


def test_a_push_is_found_and_opened(enter: Enter, blanks: dict[str, str]) -> None:
    page = enter(VIEWER).goes_to("/admin/payouts/payment/")
    # The key for the search field, as the sign in it says.
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.type("Verna $100.00")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=Verna**")
    tabs_to(page, page.locator(f'#result_list a[href*="{blanks["payment"]}"]').first)
    page.keyboard.press("Enter")
    expect(page.locator(".po-head")).to_contain_text("Ada Verna")


def test_a_batch_is_uploaded(enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "by-keys.csv"
    file.write_text("consumer,card,amount,reference,description\ndemo-ada,,11.25,KEYS-1,\n")
    page = enter(MAKER).goes_to("/admin/batches/new/")
    with page.expect_file_chooser() as asked:
        tabs_to(page, page.get_by_label("File", exact=True))
        page.keyboard.press("Space")
    asked.value.set_files(file)
    tabs_to(page, page.get_by_role("button", name="Upload and check"))
    page.keyboard.press("Enter")
    issue = page.get_by_role("button", name="Issue 1 push")
    issue.wait_for(timeout=60_000)
    tabs_to(page, issue)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=60_000)


def _finds_payee(page: Page, name: str) -> None:
    """Type, walk down into what is found and back up, and choose the first."""
    field = page.get_by_label("Consumer", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type(name)
    found = page.locator("#hits a").first
    expect(found).to_contain_text(name)
    page.keyboard.press("ArrowDown")
    expect(found).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**consumer=**")
