"""The first page: what waits, counted without reading a payment."""

from typing import Any

import pytest

from tests.back_office import browser, text_of
from tests.pushes import make_payee, push, push_for_approval, push_unknown

pytestmark = pytest.mark.django_db


def test_counts_what_waits_and_leads_there() -> None:
    card = make_payee()
    push_unknown(card, amount="100.00")
    push_for_approval(card, amount="1250.00")
    answer = browser("viewer").get("/admin/")
    page = text_of(answer)
    assert "Waiting for approval 1 $1,250.00" in page
    assert "In doubt 1 $100.00" in page
    assert "With the network 0 $0.00" in page
    assert "?status=pending_approval" in answer.content.decode()


@pytest.mark.parametrize("rows", [0, 3])
def test_asks_a_fixed_number_of_statements(rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        push(make_payee())
    client = browser("viewer")
    # Session, person, permissions (two), counts; then the session (three).
    with django_assert_num_queries(8):
        client.get("/admin/")
