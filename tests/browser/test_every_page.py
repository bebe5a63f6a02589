"""Every page as every role: opens or is refused, fits, complains about nothing, needs no mouse."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.bench.product import Product
from tests.browser.accessibility import findings
from tests.browser.doorway import Enter, Sessions
from tests.browser.keyboard import BESIDE_SIDEBAR, WHOLE_PAGE
from tests.browser.offers import kind_of, offered_on
from tests.browser.pages import EVERYTHING, PAGES, ROLES

ASKING_AT_ONCE = 4

# Those of one role are looked at one after the other, in one window.
_LOOKERS = sorted({one.looker for one in PAGES})
# Histories look alike, whatever they are of.
_LOOKED_AT = [
    one for one in PAGES if not one.name.endswith(" history") or one.name == "consumer history"
]


@pytest.mark.parametrize("role", ROLES)
def test_opens_what_is_theirs_and_offers_nothing_else(
    role: str, product: Product, sessions: Sessions, blanks: dict[str, str]
) -> None:
    with (
        httpx.Client(
            base_url=product.localhost, cookies=sessions.cookies(role), trust_env=False, timeout=30
        ) as client,
        ThreadPoolExecutor(ASKING_AT_ONCE) as pool,
    ):
        answers = list(pool.map(lambda one: client.get(one.path(blanks)), EVERYTHING))
        wrong = [
            f"{one.name}: {answer.status_code}"
            for one, answer in zip(EVERYTHING, answers, strict=True)
            if answer.status_code >= 500 or (answer.status_code == 200) != (role in one.roles)
        ]
        seen = {kind_of(str(answer.url)): answer.status_code for answer in answers}
        offered = offered_on(one.text for one in answers if one.status_code == 200)
        # A button's address answers a GET with 405 where its deed is allowed.
        refused = [
            address
            for kind, address in offered.items()
            if (seen.get(kind) or client.get(address).status_code) == 403
        ]
    assert not wrong, "\n".join(wrong)
    assert not refused, f"Offered and refused: {refused}"


@pytest.mark.parametrize("role", _LOOKERS)
def test_fits_and_can_be_used_by_everybody(role: str, enter: Enter, blanks: dict[str, str]) -> None:
    person = enter(role)
    found = []
    for one in _LOOKED_AT:
        if one.looker == role:
            page = person.goes_to(one.path(blanks))
            walked = WHOLE_PAGE if one.name == "home" else BESIDE_SIDEBAR
            found += [f"{one.name}, {words}" for words in findings(page, walked=walked)]
    assert not found, "\n".join(found)
