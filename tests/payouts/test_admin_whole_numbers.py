"""A whole card number in the search of pushes: its last four are looked for, and it is not kept."""

import pytest

from tests.back_office import LIST, browser, text_of
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["4242424242424242", " 4242 4242-4242 4242"])
def test_leaves_the_address_and_the_page(typed: str) -> None:
    answer = browser("viewer").get(LIST, {"q": typed, "status": "failed"}, follow=True)
    assert answer.redirect_chain == [(f"{LIST}?q=4242&status=failed", 302)]
    page = text_of(answer)
    assert "That was a whole card number." in page
    assert typed.strip() not in page


def test_other_digits_are_looked_for_as_they_are() -> None:
    payment = push(make_payee())
    client = browser("viewer")
    for text in ("4242424242424241", "632618000006", str(payment.pk)):
        assert client.get(LIST, {"q": text}).status_code == 200
