"""Every page as every role: opens or is refused, fits, complains about nothing, passes axe."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.bench.product import Product
from tests.browser.conftest import Enter
from tests.browser.pages import PAGES, ROLES, addresses
from tests.browser.person import DESKTOP, PHONE

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="session")
def blanks(product: Product) -> dict[str, str]:
    return addresses(product)


@pytest.mark.parametrize("role", ROLES)
def test_shows_each_role_its_pages_and_no_other(
    role: str, enter: Enter, blanks: dict[str, str]
) -> None:
    person = enter(role)
    wrong = []
    for one in PAGES:
        answer = person.page.request.get(person.address_of(one.path.format(**blanks)))
        if (answer.status == 200) != (role in one.roles):
            wrong.append(f"{one.name}: {answer.status}")
    assert wrong == []


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_fits_and_can_be_used_by_everybody(
    size: dict[str, int], scheme: str, enter: Enter, blanks: dict[str, str]
) -> None:
    found = []
    for role in ("admin", "maker"):
        person = enter(role, viewport=size, color_scheme=scheme)
        for one in (one for one in PAGES if role in one.roles):
            page = person.goes_to(one.path.format(**blanks))
            page.wait_for_load_state("networkidle")
            wider = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            found += [f"{one.name}: {wider} px too wide"] if wider > 0 else []
            found += [f"{one.name}: {what}" for what in _violations(Axe().run(page).response)]
    assert found == []


def _violations(response: dict[str, list[dict[str, object]]]) -> list[str]:
    return [
        f"{one['id']} ({one['help']}): {_where(one)}"
        for one in response["violations"]
        if one["impact"] in SERIOUS
    ]


def _where(violation: dict[str, object]) -> str:
    nodes = violation["nodes"]
    assert isinstance(nodes, list)
    return "; ".join(str(node["target"]) for node in nodes[:3])
