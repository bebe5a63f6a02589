"""One product and one browser for all tests here; one window for each person in a test."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.bench.product import Product
from tests.browser import chromium
from tests.browser.doorway import Enter, Sessions, doorway
from tests.browser.newcomer import Newcomer, joins
from tests.browser.pages import ADMIN, APPROVER, MAKER
from tests.browser.person import PATIENCE_MS, Watch, kept_session, window
from tests.browser.stock import stock

# Everybody signs in once for all tests: on a slow machine that must not be too long ago.
LONG_FRESH_SECONDS = "3600"
HERE = Path(__file__).parent

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """After the browser: without one nothing has to be started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEP_UP_SECONDS", LONG_FRESH_SECONDS)
        with Product.started(tmp_path_factory.mktemp("product")) as running:
            yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium.started() as running:
            yield running
    except chromium.ChromiumMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def sessions(browser: Browser, product: Product) -> Sessions:
    return Sessions(browser, product)


@pytest.fixture
def enter(sessions: Sessions) -> Iterator[Enter]:
    with doorway(sessions) as let_in:
        yield let_in


@pytest.fixture(scope="session")
def blanks(product: Product, sessions: Sessions) -> dict[str, str]:
    """What fills the blanks in addresses: one of everything."""
    with doorway(sessions) as let_in:
        return stock(product, let_in)


@pytest.fixture(scope="session")
def kim(browser: Browser, sessions: Sessions) -> Newcomer:
    """Somebody new who both issues and approves; `enter(kim.username)` lets them in."""
    page = window(browser, Watch())
    with doorway(sessions) as let_in:
        newcomer = joins(
            f"kim-{secrets.token_hex(2)}", MAKER, APPROVER, admin=let_in(ADMIN), page=page
        )
    sessions.kept[newcomer.username] = kept_session(page.context)
    page.context.close()
    return newcomer
