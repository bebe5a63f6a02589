"""Somebody new on the staff, made by an admin, and in for the first time."""

import re
import time
from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page

from tests.browser.person import Person

CODE_SECONDS = 30
OWN_PASSWORD = "own words of 7 newcomers"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a new member of the staff holds after the first day, with the secrets."""

    username: str
    password: str
    recovery_codes: tuple[str, ...]


def joins(username: str, *roles: str, admin: Person, page: Page) -> Newcomer:
    """Bring somebody in with these roles; `page` is signed in as them afterwards.

    The demo has one admin, so nobody could check the proposal, and it is done at once.
    """
    change = _proposed(username, roles, admin)
    password = _fetched(change, admin)
    give_password(page, admin.address_of("/admin/"), username, password)
    page.get_by_label("New password").fill(OWN_PASSWORD)
    page.get_by_label("The same again").fill(OWN_PASSWORD)
    page.get_by_role("button", name="Use this password").click()
    return Newcomer(username, OWN_PASSWORD, _set_up(page))


def give_password(page: Page, address: str, username: str, password: str) -> None:
    page.goto(address)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _proposed(username: str, roles: tuple[str, ...], admin: Person) -> str:
    page = admin.goes_to("/admin/settings/propose/staff_member/")
    page.get_by_label("User name").fill(username)
    for role in roles:
        page.get_by_label(role, exact=True).check()
    page.get_by_label("Reason").fill("Begins today")
    page.get_by_role("button", name="Propose").click()
    page.wait_for_url(re.compile("/admin/changes/[0-9a-f-]{36}/"))
    return page.url


def _fetched(change: str, admin: Person) -> str:
    page = admin.page
    page.goto(change)
    page.get_by_role("button", name="Fetch the secret").click()
    return page.locator(".po-copy").last.inner_text()


def _set_up(page: Page) -> tuple[str, ...]:
    page.get_by_role("link", name="Authenticator app").click()
    secret = page.locator("code.po-copy").inner_text()
    code = format_hotp_value(hotp_value(secret, int(time.time()) // CODE_SECONDS))
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Use this app").click()
    codes = page.locator(".si-codes code")
    codes.first.wait_for()
    return tuple(codes.all_inner_texts())
