"""What stands in somebody's way on a page: what axe finds, what no key reaches, too much width.

Axe is asked by ourselves, once loaded and for what is serious only: its front for Playwright loads
it for every question and brings everything back, which takes longer than looking.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser.keyboard import BESIDE_SIDEBAR, obstacles
from tests.browser.person import DESKTOP, PHONE

# What of axe's rules a dark and narrow page may break that a light and wide one keeps.
_OF_COLOR_AND_SIZE: Final = ("color-contrast", "link-in-text-block", "scrollable-region-focusable")
_ASK: Final = """async rules => {
    const options = { resultTypes: ["violations"], preload: false };
    if (rules.length) options.runOnly = rules;
    const found = await axe.run(document, options);
    return found.violations
        .filter(one => one.impact === "serious" || one.impact === "critical")
        .map(one => `${one.id} (${one.help}): `
            + one.nodes.slice(0, 3).map(node => node.target.join(" ")).join("; "));
}"""
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def findings(page: Page, *, walked: str = BESIDE_SIDEBAR) -> list[str]:
    """All of it: light at a desk, then dark on a phone, with Tab there and Shift+Tab back.

    `walked` is the selector of what is walked through by keyboard. Empty is good.
    """
    page.evaluate(AXE_SCRIPT)
    desktop = [*_of_window(page), *obstacles(page, root=walked)]
    with _as_a_phone_in_the_dark(page):
        phone = [*_of_window(page, *_OF_COLOR_AND_SIZE)]
        phone += obstacles(page, root=walked, backwards=True)
    return [f"desktop: {one}" for one in desktop] + [f"phone: {one}" for one in phone]


def _of_window(page: Page, *rules: str) -> list[str]:
    wider = page.evaluate(_WIDER)
    said: list[Any] = page.evaluate(_ASK, list(rules))
    return [*map(str, said), *([f"{wider} px too wide"] if wider > 0 else [])]


@contextmanager
def _as_a_phone_in_the_dark(page: Page) -> Iterator[None]:
    """The same page, without loading it again: the theme follows a class, the layout the width."""
    page.set_viewport_size(PHONE)
    page.evaluate("document.documentElement.classList.add('dark')")
    yield
    page.set_viewport_size(DESKTOP)
