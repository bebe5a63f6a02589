"""A session is told by the name of its browser, not by what the browser says of itself."""

import pytest

from payouts.templatetags.browsers import browser_name

_X11 = "Mozilla/5.0 (X11; Linux x86_64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{_X11} AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36", "Chrome 156 on Linux"),
        (f"{_WINDOWS} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.1.2", "Edge 150 on Windows"),
        (f"{_WINDOWS.replace(')', '; rv:140.0)')} Firefox/140.0", "Firefox 140 on Windows"),
        (f"{_MAC} Version/19.1 Safari/605.1.15", "Safari 19 on macOS"),
        ("Firefox", "Firefox"),
        ("a program of somebody's", "a program of somebody's"),
        ("", "Unknown browser"),
    ],
)
def test_names_browser_and_system(agent: str, name: str) -> None:
    assert browser_name(agent) == name
