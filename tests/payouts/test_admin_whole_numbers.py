"""A whole card number in a search: its last four are looked for, and it is not kept."""

import pytest

from tests.back_office import LIST, browser, text_of
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "role", "address"),
    [
        ("4242424242424242", "viewer", LIST),
        (" 4242 4242-4242 4242", "viewer", LIST),
        ("4242424242424242", "viewer", "/admin/consumers/consumer/"),
        ("4242 4242 4242 4242", "viewer", "/admin/consumers/paymentcard/"),
        ("4242\u20134242\u20134242\u20134242", "maker", "/admin/issue/"),
    ],
)
def test_leaves_the_address_and_the_page(typed: str, role: str, address: str) -> None:
    answer = browser(role).get(address, {"q": typed, "partner": ""}, follow=True)
    assert answer.redirect_chain == [(f"{address}?q=4242&partner=", 302)]
    page = text_of(answer)
    assert "That was a whole card number." in page
    assert typed.strip() not in page


def test_other_digits_are_looked_for_as_they_are() -> None:
    payment = push(make_payee())
    client = browser("viewer")
    for text in ("4242424242424241", "632618000006", str(payment.pk)):
        assert client.get(LIST, {"q": text}).status_code == 200


def test_typed_while_hits_are_shown_it_opens_the_page_anew() -> None:
    client = browser("maker")
    part = client.get("/admin/issue/payees/", {"q": "4242424242424242"})
    assert part.content == b""
    assert part.headers["HX-Redirect"] == "/admin/issue/?q=4242"
    page = text_of(client.get(part.headers["HX-Redirect"]))
    assert "That was a whole card number." in page
    assert "Nobody matches “4242”." in page


def test_leaves_a_search_for_something_else_too() -> None:
    answer = browser("viewer").get(LIST, {"q": "ada 4242 4242 4242 4242"}, follow=True)
    assert answer.redirect_chain == [(f"{LIST}?q=ada+4242", 302)]
