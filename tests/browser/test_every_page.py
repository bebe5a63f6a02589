"""Every page as every role: opens or is refused, fits, complains about nothing, passes axe."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page

from tests.bench.product import Product
from tests.browser.conftest import Enter, Sessions
from tests.browser.pages import EVERYTHING, PAGES, ROLES, PageOf
from tests.browser.person import DESKTOP, PHONE

SERIOUS = {"serious", "critical"}
# What of axe's rules a dark and narrow page may break that a light and wide one keeps.
OF_COLOR_AND_SIZE = ("color-contrast", "link-in-text-block", "scrollable-region-focusable")
ASKING_AT_ONCE = 4

# Those of one role are looked at one after the other, in one window.
_LOOKERS = sorted({one.looker for one in PAGES})


def test_every_route_of_the_staff_has_its_row() -> None:
    assert set(_routes(get_resolver())) == {one.route for one in EVERYTHING}


def _routes(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[str]:
    """The names of all routes below /admin/; those without a name lead to one that has one."""
    for one in resolver.url_patterns:
        address = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one, address, f"{space}{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern) and address.startswith("admin/") and one.name:
            yield f"{space}{one.name}"


@pytest.mark.parametrize("role", ROLES)
def test_opens_for_each_role_what_is_theirs_and_nothing_else(
    role: str, product: Product, sessions: Sessions, blanks: dict[str, str]
) -> None:
    cookies = {one["name"]: one["value"] for one in sessions(role)["cookies"]}
    with (
        httpx.Client(
            base_url=product.localhost, cookies=cookies, trust_env=False, timeout=30
        ) as client,
        ThreadPoolExecutor(ASKING_AT_ONCE) as pool,
    ):
        statuses = pool.map(lambda one: client.get(one.path(blanks)).status_code, EVERYTHING)
        wrong = [
            f"{one.name}: {status}"
            for one, status in zip(EVERYTHING, statuses, strict=True)
            if status >= 500 or (status == 200) != (role in one.roles)
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", _LOOKERS)
def test_fits_and_can_be_used_by_everybody(role: str, enter: Enter, blanks: dict[str, str]) -> None:
    person = enter(role)
    found = []
    for one in PAGES:
        if one.looker == role:
            page = person.goes_to(one.path(blanks))
            found += _findings(one, page, "desktop")
            with _as_a_phone_in_the_dark(page):
                found += _findings(one, page, "phone")
    assert not found, "\n".join(found)


@contextmanager
def _as_a_phone_in_the_dark(page: Page) -> Iterator[None]:
    """The same page, without loading it again: the theme follows a class, the layout the width."""
    page.set_viewport_size(PHONE)
    page.evaluate("document.documentElement.classList.add('dark')")
    yield
    page.set_viewport_size(DESKTOP)


def _findings(one: PageOf, page: Page, size: str) -> list[str]:
    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if size == "phone":
        options["runOnly"] = [*OF_COLOR_AND_SIZE]
    said = Axe().run(page, options=options).response["violations"]
    found = [f"{what['id']} ({what['help']}): {_where(what)}" for what in said if _is_bad(what)]
    if wider > 0:
        found.append(f"{wider} px too wide")
    return [f"{one.name}, {size}: {words}" for words in found]


def _is_bad(violation: dict[str, Any]) -> bool:
    return violation["impact"] in SERIOUS


def _where(violation: dict[str, Any]) -> str:
    return "; ".join(str(node["target"]) for node in violation["nodes"][:3])
