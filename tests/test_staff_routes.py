"""Every address of the back office has its row in `tests/browser/pages.py`: who may open it.

What the table says is tried out in a browser (`make browser`); that nothing is missing from it is
seen here, by everybody who adds a page.
"""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from tests.browser.pages import EVERYTHING


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert set(_routes(get_resolver())) == {one.route for one in EVERYTHING}


def _routes(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[str]:
    """The names of all routes below /admin/; those without a name lead to one that has one."""
    for one in resolver.url_patterns:
        address = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one, address, f"{space}{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern) and address.startswith("admin/") and one.name:
            yield f"{space}{one.name}"
