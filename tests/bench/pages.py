"""How long single pages take: the API's list and the admin's, as for a person alone."""

import time
from collections.abc import Callable
from functools import partial

import httpx

from tests.bench.product import Product
from tests.demo_staff import sign_in

Ask = Callable[[], float]


def api_page(product: Product, path: str, *, token: str) -> Ask:
    """A call that asks the API for a page and returns the milliseconds that it took."""
    http = _client(product)
    http.headers["Authorization"] = f"Bearer {token}"
    return lambda: _milliseconds(http, path)


def admin_pages(product: Product) -> Callable[[str], Ask]:
    """The same for pages of the admin, signed in once as its administrator: a code counts once."""
    http = _client(product)
    sign_in(http, "admin", product.staff["admin"])
    return lambda path: partial(_milliseconds, http, path)


def side_by_side(pages: dict[str, Ask], *, times: int) -> dict[str, list[float]]:
    """The milliseconds of each page, asked for in turn, so that noise meets all of them alike."""
    for ask in pages.values():
        for _ in range(20):  # every thread of the server has to prepare its statements once
            ask()
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(times):
        for name, ask in pages.items():
            taken[name].append(ask())
    return taken


def _client(product: Product) -> httpx.Client:
    return httpx.Client(base_url=product.address, trust_env=False, timeout=60)


def _milliseconds(http: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = http.get(path)
    taken = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, (path, answer.status_code)
    return taken
