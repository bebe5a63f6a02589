"""What a person's browser is called on pages, from what it says of itself."""

import re
from typing import Final

from django import template

register = template.Library()

# The first that fits counts: most browsers also name those that they descend from.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser_name(agent: str) -> str:
    """`Firefox on Windows`; what nobody knows as it came, and never more than a line of it."""
    browser = _first(_BROWSERS, agent)
    system = _first(_SYSTEMS, agent)
    if not browser:
        return agent[:80] or "Unknown browser"
    version = re.search(rf"(?:{browser}|Chrome|Version)[^/ ]*/([0-9]+)", agent)
    named = f"{browser} {version[1]}" if version else browser
    return f"{named} on {system}" if system else named


def _first(names: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((words for mark, words in names if mark in agent), "")
