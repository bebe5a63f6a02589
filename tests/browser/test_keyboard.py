"""Nothing needs a mouse: Tab reaches everything, the focus is seen, the sidebar can be skipped."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.doorway import Enter
from tests.browser.pages import APPROVER, MAKER

MOST_STOPS = 150

_FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    window.seen ??= new Set();
    if (window.seen.has(one)) return null;
    window.seen.add(one);
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const ringed = style.outlineStyle !== "none" || style.boxShadow !== "none";
    return { name: one.outerHTML.slice(0, 120), ringed, shown: box.width > 0 && box.height > 0 };
}"""
_MISSED = """() => [...document.querySelectorAll(
        "#content a[href], #content button, #content input:not([type=hidden]), #content select, " +
        "#content textarea, #content summary")]
    .filter(one => one.offsetParent && !one.disabled && !window.seen.has(one))
    .filter(one => one.type !== "radio" ||
        ![...window.seen].some(other => other.name === one.name))
    .map(one => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(
    ("role", "path"),
    [
        (MAKER, "/admin/issue/?consumer={consumer}"),
        (MAKER, "/admin/batches/new/"),
        (APPROVER, "/admin/approvals/"),
        (APPROVER, "/admin/changes/{change}/"),
    ],
    ids=["issue", "upload", "approve", "decide about a change"],
)
def test_everything_is_reached_and_seen(
    role: str, path: str, enter: Enter, blanks: dict[str, str]
) -> None:
    page = enter(role).goes_to(path.format(**blanks))
    stops = _walked(page)
    assert [one["name"] for one in stops if not one["ringed"]] == []
    assert page.evaluate(_MISSED) == []


def test_the_first_stop_skips_the_sidebar(enter: Enter) -> None:
    page = enter(MAKER).goes_to("/admin/batches/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#content').contains(document.activeElement)")


def _walked(page: Page) -> list[dict[str, str]]:
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop is None:
            break
        stops.append(stop)
    return stops
