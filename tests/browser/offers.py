"""What pages offer: where their links and their buttons lead."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_LEADS_TO: Final = re.compile(
    r'\b(?:href|action|formaction|hx-get|hx-post)="(/admin/[^"#]*|\?[^"#]*)"'
)
_FORM: Final = re.compile(r"<form.*?</form>", re.DOTALL)
_AN_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9]+(?=/)")


def kind_of(address: str) -> str:
    """The path with a blank for each id: of many rows one tells about all."""
    return _AN_ID.sub("<id>", urlsplit(address).path)


def offered_on(pages: Iterable[str]) -> dict[str, str]:
    """By their kinds the addresses to which something on the pages leads that one can click."""
    found: dict[str, str] = {}
    for html in pages:
        clickable = _FORM.sub(lambda form: form[0] if "<button" in form[0] else "", html)
        for address in _LEADS_TO.findall(clickable):
            if address.startswith("/admin/"):
                found.setdefault(kind_of(address), address.replace("&amp;", "&"))
    return found
