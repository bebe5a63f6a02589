"""Somebody signed in at a server that shares the test's own database, for journeys with rows.

The server is Django's live server in a thread of the test, so tests use `transaction=True`, and see
and make its rows. Every page is watched: an error on the
console, or anything that the content security policy has stopped, fails the test at its end.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from payouts.operations.check_factor import usable_code
from tests.staff_factors import PASSWORD, give_app, make_member

# The sync API runs a loop in this thread, which Django would take for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture
def address(live_server: LiveServer, settings: Any) -> str:
    """Where the product answers, under a name to which a passkey can be bound."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return re.sub(r"//[^:]+", "//localhost", str(live_server.url))


@dataclass
class Watched:
    """A page, and everything that went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(message.text)


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Open a page of its own browser: `width` in pixels, `dark` or light."""
    watched: list[Watched] = []

    def opened(*, width: int = 1440, dark: bool = False) -> Page:
        context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        one = Watched(context.new_page())
        one.page.on("console", one.hear)
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        watched.append(one)
        return one.page

    yield opened
    for one in watched:
        one.page.context.close()
    assert [one.complaints for one in watched] == [[] for _ in watched]


@dataclass(frozen=True)
class Person:
    """Somebody in front of a browser."""

    user: User
    page: Page

    @property
    def name(self) -> str:
        return self.user.get_username()


SignIn = Callable[..., Person]


@pytest.fixture
def sign_in(open_page: OpenPage) -> SignIn:
    """Sign a new member of staff with these roles in, by password and code, as people do."""

    def signed_in(*roles: str, name: str = "", **how: Any) -> Person:
        user = make_member(name or roles[0], *roles)
        app = give_app(user)
        page = open_page(**how)
        page.goto("/admin/")
        page.get_by_label("User name").fill(user.get_username())
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_label("Code").fill(usable_code(app))
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url("**/admin/")
        return Person(user, page)

    return signed_in


def plug_in_passkey(page: Page) -> None:
    """Give the browser a device that keeps passkeys and always says who holds it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
