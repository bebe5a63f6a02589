"""No page offers what its reader may not do: every link and every button of it leads somewhere."""

import re

import httpx
import pytest

from tests.bench.product import Product
from tests.browser.conftest import Sessions
from tests.browser.pages import AUDITOR, MAKER, PAGES, VIEWER, PageOf

_LEADS_TO = re.compile(r'\b(?:href|action|formaction|hx-get|hx-post)="(/admin/[^"#]*|\?[^"#]*)"')
_FORM = re.compile(r"<form.*?</form>", re.DOTALL)
_AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9]+(?=/)")


@pytest.mark.parametrize("role", [VIEWER, MAKER, AUDITOR])
def test_nothing_offered_is_refused(
    role: str, product: Product, sessions: Sessions, blanks: dict[str, str]
) -> None:
    cookies = {one["name"]: one["value"] for one in sessions(role)["cookies"]}
    with httpx.Client(
        base_url=product.localhost, cookies=cookies, trust_env=False, timeout=30
    ) as client:
        offered: dict[str, tuple[PageOf, str]] = {}
        for one in PAGES:
            if role in one.roles:
                for address in _offered_on(client.get(one.path(blanks)).text):
                    # One of each kind: what ids and queries stand in it is not the point.
                    offered.setdefault(
                        _AN_ID.sub("<id>", address).partition("?")[0], (one, address)
                    )
        # A button's address answers a GET with 405 where its deed is allowed.
        refused = [
            f"{page.name} offers {address}"
            for page, address in offered.values()
            if client.get(address).status_code == 403
        ]
    assert not refused, "\n".join(refused)


def _offered_on(html: str) -> set[str]:
    html = _FORM.sub(lambda form: form[0] if "<button" in form[0] else "", html)
    found = (address.replace("&amp;", "&") for address in _LEADS_TO.findall(html))
    return {address for address in found if address.startswith("/admin/")}
