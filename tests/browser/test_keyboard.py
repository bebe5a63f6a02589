"""Nothing needs a mouse: menus, panels and sheets open, keep the focus where it belongs, and close.

That every stop of every page is reached and seen is asked of each page in test_every_page.py.
"""

import re
from typing import Literal

from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from tests.browser.doorway import Enter
from tests.browser.keyboard import obstacles, tabs_to
from tests.browser.pages import ADMIN, APPROVER, MAKER, OPERATIONS, VIEWER
from tests.browser.person import PHONE

# How pages go wrong, put into one that is right, and what is said about each.
_BROKEN = {
    "<span class=po-button x-on:click='1'>A</span>": "only a mouse can use it",
    "<button style='outline: none'>B</button>": "it looks as it does without the focus",
    "<button style='outline-color: #eee; color: #000'>C</button>": "its ring has a contrast of 1.2",
    "<div style='overflow: hidden; width: 40px'><button style='width: 40px'>D</button></div>": (
        "its ring is cut off"
    ),
    "<div style='position: relative'><button>E</button>"
    "<p style='position: absolute; inset: 0; background: #fff'>over it</p></div>": (
        "it is covered by <p></p>over it"
    ),
    "<button style='position: fixed; left: -500px'>F</button>": "it is outside of the window",
}
_TRAP = "<button x-data x-on:keydown.tab.prevent>G</button><a href='/after'>After</a>"
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
_HAS_FOCUS = "one => one.contains(document.activeElement)"
_IS_DARK = re.compile(r"\bdark\b")


def test_the_first_stop_skips_the_sidebar(enter: Enter) -> None:
    page = enter(MAKER).goes_to("/admin/batches/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#content').contains(document.activeElement)")


def test_a_walk_tells_what_is_broken(enter: Enter) -> None:
    page = enter(VIEWER).goes_to("/admin/batches/")
    assert obstacles(page) == []
    _put(page, "".join(_BROKEN))
    said = obstacles(page)
    for broken in _BROKEN.values():
        assert [one for one in said if one.endswith(broken)], (broken, said)
    assert len(said) == len(_BROKEN)


def test_a_walk_tells_where_it_is_trapped(enter: Enter) -> None:
    page = enter(VIEWER).goes_to("/admin/batches/")
    _put(page, _TRAP)
    for backwards in (False, True):
        said = obstacles(page, backwards=backwards)
        assert [one for one in said if one.endswith("Tab does not leave it")]
        assert [one for one in said if one.endswith("Tab does not reach it")]


def test_the_account_menu_opens_leads_on_and_gives_the_focus_back(enter: Enter) -> None:
    page = enter(VIEWER).goes_to("/admin/")
    account = tabs_to(page, page.get_by_role("button", name="Demo Viewer"))
    menu = page.get_by_role("navigation", name="Your account")
    page.keyboard.press("Enter")
    expect(tabs_to(page, menu.get_by_role("button", name="Log out"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(account).to_be_focused()
    page.keyboard.press("Enter")
    tabs_to(page, menu.get_by_role("link", name="Change password"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/password_change/")


def test_dark_is_chosen_by_keyboard_and_follows_the_system_everywhere(
    enter: Enter, blanks: dict[str, str]
) -> None:
    person = enter(APPROVER)
    page = person.goes_to("/admin/")
    push = f"/admin/payouts/payment/{blanks['waiting']}"
    for path in ("/admin/", "/admin/approvals/", f"{push}/approve/", "/admin/security/"):
        person.goes_to(path)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            _is_dark(page, is_so=scheme == "dark")
    tabs_to(page, page.get_by_role("button", name="Demo Approver"), backwards=True)
    page.keyboard.press("Enter")
    tabs_to(page, page.get_by_role("button", name="Dark"))
    page.keyboard.press("Enter")
    person.goes_to(f"{push}/approve/")
    _is_dark(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        _is_dark(page)


def test_a_phone_opens_the_sidebar_and_the_verbs(enter: Enter, blanks: dict[str, str]) -> None:
    person = enter(ADMIN, viewport=PHONE)
    page = person.goes_to(f"/admin/consumers/consumer/{blanks['consumer']}/change/")
    opener = tabs_to(page, page.get_by_role("button", name="Menu", exact=True))
    sidebar = page.locator("#nav-sidebar")
    page.keyboard.press("Enter")
    _comes_into(sidebar)
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
    expect(opener).to_be_focused()

    more = tabs_to(page, page.get_by_role("button", name="What can be done"))
    page.keyboard.press("Enter")
    edit = tabs_to(page, page.get_by_role("link", name="Edit"))
    page.keyboard.press("Escape")
    expect(edit).to_be_hidden()
    expect(more).to_be_focused()


def test_the_sheet_of_filters_holds_the_focus_and_gives_it_back(enter: Enter) -> None:
    page = enter(ADMIN).goes_to("/admin/consumers/consumer/")
    opener = tabs_to(page, page.get_by_role("button", name="Filters"))
    sheet = page.get_by_role("dialog", name="Filters")
    page.keyboard.press("Enter")
    _comes_into(sheet)
    for key in ("Tab", "Shift+Tab"):
        for _ in range(12):
            page.keyboard.press(key)
            assert sheet.evaluate(_HAS_FOCUS)
    # Its list opens, and Escape closes the list alone.
    tabs_to(page, sheet.get_by_role("combobox"))
    page.keyboard.press("Enter")
    found = page.get_by_role("option", name="Demo Partner")
    expect(found).to_be_visible()
    page.keyboard.press("Escape")
    expect(found).to_be_hidden()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    tabs_to(page, sheet.get_by_placeholder("From"))
    page.keyboard.type("2020-01-01")
    page.keyboard.press("Enter")
    page.wait_for_url("**day_from=2020-01-01**")


def test_a_panel_is_worked_by_keys_and_closes_behind_the_focus(enter: Enter) -> None:
    page = enter(OPERATIONS).goes_to("/admin/payouts/payment/")
    opener = tabs_to(page, page.locator("summary", has_text="Columns"))
    panel = page.locator("form.po-panel", has_text="Show these")
    for leaves in ("Escape", "Shift+Tab"):
        page.keyboard.press("Enter")
        expect(panel).to_be_visible()
        if leaves == "Escape":
            tabs_to(page, panel.get_by_label("Fee"))
            page.keyboard.press("Escape")
            expect(opener).to_be_focused()
        page.keyboard.press(leaves)
        expect(panel).to_be_hidden()
    fee = page.locator("th.column-fee_shown")
    was_shown = fee.count()
    tabs_to(page, opener)
    page.keyboard.press("Enter")
    tabs_to(page, panel.get_by_label("Fee"))
    page.keyboard.press("Space")
    tabs_to(page, panel.get_by_role("button", name="Show these"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(fee).to_have_count(1 - was_shown)


def test_facets_are_reached_in_their_panel(enter: Enter) -> None:
    page = enter(VIEWER).goes_to("/admin/payouts/payment/")
    tabs_to(page, page.locator("summary", has_text="Narrow down"))
    page.keyboard.press("Enter")
    tabs_to(page, page.locator(".po-facets a").first)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Narrowed to")).to_be_visible()


def test_the_palette_gives_the_focus_back(enter: Enter) -> None:
    page = enter(VIEWER).goes_to("/admin/batches/")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+k")
    field = page.locator("#search-input-command")
    expect(field).to_be_focused()
    page.keyboard.type("cards")
    tabs_to(page, page.locator("#command-results a").first)
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


def test_an_update_leaves_the_focus_where_it_is_and_open_what_was(
    enter: Enter, blanks: dict[str, str]
) -> None:
    page = enter(VIEWER).goes_to(f"/admin/payouts/payment/{blanks['payment']}/change/")
    raw = page.locator("#push summary").first
    raw.evaluate("one => { one.dataset.old = 'yes'; }")
    tabs_to(page, raw)
    page.keyboard.press("Enter")
    live = reverse("backoffice:push_live", args=[blanks["payment"]], query={"version": 0})
    page.evaluate("asked => htmx.ajax('GET', asked, { target: '#push', swap: 'outerHTML' })", live)
    expect(raw).not_to_have_attribute("data-old", "yes")
    expect(raw).to_be_focused()
    expect(page.locator("#push details").first).to_have_attribute("open", "")


def _put(page: Page, html: str) -> None:
    """At the beginning of the page's content."""
    page.evaluate(
        "html => document.querySelector('#content').insertAdjacentHTML('afterbegin', html)", html
    )


def _is_dark(page: Page, *, is_so: bool = True) -> None:
    html = expect(page.locator("html"))
    (html.to_have_class if is_so else html.not_to_have_class)(_IS_DARK)


def _comes_into(root: Locator) -> None:
    """Wait until the focus is somewhere in there."""
    handle = root.element_handle()
    root.page.wait_for_function(_HAS_FOCUS, arg=handle)
