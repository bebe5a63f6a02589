"""One product and one browser for all tests here; one window for each person in a test."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.bench.product import Product
from tests.browser import chromium
from tests.browser.newcomer import Newcomer, joins
from tests.browser.pages import ADMIN, APPROVER, MAKER
from tests.browser.person import Person, Watch, kept_session, sign_in, window
from tests.browser.stock import stock

HERE = Path(__file__).parent

Enter = Callable[..., Person]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product.started(tmp_path_factory.mktemp("product")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium.started() as running:
            yield running
    except chromium.ChromiumMissing as missing:
        pytest.skip(str(missing))


@dataclass(frozen=True)
class Sessions:
    """The cookies of people, who sign in once: a code of the second factor works once."""

    browser: Browser
    product: Product
    kept: dict[str, Any] = field(default_factory=dict)

    def __call__(self, role: str) -> Any:
        if role not in self.kept:
            page = window(self.browser, Watch())
            sign_in(page, self.product, role)
            self.kept[role] = kept_session(page.context)
            page.context.close()
        return self.kept[role]


@pytest.fixture(scope="session")
def sessions(browser: Browser, product: Product) -> Sessions:
    return Sessions(browser, product)


@contextmanager
def doorway(browser: Browser, product: Product, sessions: Sessions) -> Iterator[Enter]:
    """Let somebody of a role in: `enter("maker")`, with options of the window if they matter.

    Whatever their pages complained about fails the test at its end.
    """
    people: list[Person] = []

    def let_in(role: str, **options: Any) -> Person:
        watch = Watch()
        page = window(browser, watch, storage_state=sessions(role), **options)
        people.append(Person(role, page, watch, product))
        return people[-1]

    yield let_in
    for person in people:
        person.page.context.close()
    assert [one for person in people for one in person.watch.complaints] == []


@pytest.fixture
def enter(browser: Browser, product: Product, sessions: Sessions) -> Iterator[Enter]:
    with doorway(browser, product, sessions) as let_in:
        yield let_in


@pytest.fixture(scope="session")
def blanks(browser: Browser, product: Product, sessions: Sessions) -> dict[str, str]:
    """What fills the blanks in addresses: one of everything."""
    with doorway(browser, product, sessions) as let_in:
        return stock(product, let_in)


@pytest.fixture(scope="session")
def kim(browser: Browser, product: Product, sessions: Sessions) -> Newcomer:
    """Somebody new who both issues and approves; `enter(kim.username)` lets them in."""
    page = window(browser, Watch())
    with doorway(browser, product, sessions) as let_in:
        newcomer = joins(
            f"kim-{secrets.token_hex(2)}", MAKER, APPROVER, admin=let_in(ADMIN), page=page
        )
    sessions.kept[newcomer.username] = kept_session(page.context)
    page.context.close()
    return newcomer
