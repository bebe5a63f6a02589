"""A page under the Tab key alone: what is not reached, not seen, trapped, or left to the mouse.

Every stop is measured in the page, as the key goes down that leaves it (keyboard.js says how), so
that a stop costs one press and no question.
"""

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, Locator, Page, expect

WHOLE_PAGE: Final = "body"
# The sidebar is the same everywhere: one page is walked with it.
BESIDE_SIDEBAR: Final = "#main"
MOST_STOPS: Final = 600
FEW_STOPS: Final = 60

_SCRIPT: Final = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
# Twice as fast as Playwright's own, which also lets the key go.
_TAB: Final = {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
_WITH_SHIFT: Final = 8
# The end, and a field or two with several fields inside.
_SOME_MORE: Final = 6


def obstacles(page: Page, *, root: str = BESIDE_SIDEBAR, backwards: bool = False) -> list[str]:
    """Walk from one end of the page to the other, and tell what was wrong; empty is good.

    A stop is what the platform makes one: shown, not disabled or inert, one of each group of radio
    buttons. Each must be reached once, lie in the window under nothing, show by a ring or a color
    with enough contrast that it has the focus, and let go of it. What a click works and no key does
    is told as well. Closed panels are opened on the way forwards, as Enter does.
    """
    page.evaluate(_SCRIPT)
    stops: int = page.evaluate(
        "asked => keyboardWalk.begin(asked)", {"root": root, "backwards": backwards}
    )
    # Not detached: a session that goes takes the page's virtual device with it, with its passkeys.
    keys = page.context.new_cdp_session(page)
    _press(keys, stops + 2, backwards=backwards)
    pressed = stops + 2
    while not page.evaluate("keyboardWalk.ended()") and pressed < MOST_STOPS:
        _press(keys, _SOME_MORE, backwards=backwards)
        pressed += _SOME_MORE
    found: list[str] = page.evaluate("keyboardWalk.found()")
    return found


def tabs_to(page: Page, wanted: Locator, *, backwards: bool = False) -> Locator:
    """Press Tab until the focus is on something that is to be seen; fails after a few dozen."""
    expect(wanted).to_be_visible()
    for _ in range(FEW_STOPS):
        if wanted.evaluate("one => one === document.activeElement"):
            return wanted
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{FEW_STOPS} times Tab do not lead to {wanted}")


def _press(keys: CDPSession, times: int, *, backwards: bool) -> None:
    event: dict[str, Any] = {**_TAB, "modifiers": _WITH_SHIFT if backwards else 0}
    for _ in range(times):
        keys.send("Input.dispatchKeyEvent", event)
