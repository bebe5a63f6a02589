"""Coming in: without a mouse, not after ten wrong tries, and once by a recovery code."""

import re
import secrets

from playwright.sync_api import Browser, Page, expect

from tests.bench.product import Product
from tests.browser.keyboard import obstacles, tabs_to
from tests.browser.newcomer import Newcomer, give_password
from tests.browser.pages import VIEWER
from tests.browser.person import Watch, window

TRIES = 10


def test_ten_wrong_passwords_lock_and_say_until_when(browser: Browser, product: Product) -> None:
    page = window(browser, Watch())
    address, name = f"{product.localhost}/admin/", f"somebody-{secrets.token_hex(4)}"
    for _ in range(TRIES - 1):
        give_password(page, address, name, "wrong")
        expect(page.get_by_text("User name or password is wrong.")).to_be_visible()
    give_password(page, address, name, "wrong")
    expect(
        page.get_by_text(re.compile("10 wrong tries. Nothing is looked at until"))
    ).to_be_visible()
    page.context.close()


def test_the_way_in_needs_no_mouse(browser: Browser, product: Product) -> None:
    page = window(browser, Watch())
    page.goto(f"{product.localhost}/admin/")
    assert obstacles(page) == []
    page.get_by_label("User name").fill(VIEWER)
    tabs_to(page, page.get_by_label("Password"))
    page.keyboard.type(product.staff[VIEWER])
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_be_focused()
    assert obstacles(page) == []
    page.context.close()


def test_a_recovery_code_lets_in_once(browser: Browser, product: Product, kim: Newcomer) -> None:
    first, second = _shown(browser, product, kim), _shown(browser, product, kim)
    expect(first).to_have_url(f"{product.localhost}/admin/")
    expect(second.get_by_text("That is not right, or was used before.")).to_be_visible()
    for page in (first, second):
        page.context.close()


def _shown(browser: Browser, product: Product, kim: Newcomer) -> Page:
    page = window(browser, Watch())
    give_password(page, f"{product.localhost}/admin/", kim.username, kim.password)
    page.get_by_label("Code").fill(kim.recovery_codes[0])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_load_state()
    return page
