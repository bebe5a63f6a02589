"""Funding a partner: what can be booked, and what is refused before anything is."""

from decimal import Decimal

import pytest

from payouts.actors import COMMAND_LINE
from payouts.models import Journal
from payouts.operations.partners import NotAFundingAmount, fund_partner
from tests.books import assert_books_are_right, available
from tests.builders import make_partner

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "amount",
    ["0", "-1", "0.001", "1e-400", "1000000000000", "1e30", "1e999999", "NaN", "sNaN", "Infinity"],
)
def test_refuses_what_no_bank_sends(amount: str) -> None:
    partner = make_partner()
    with pytest.raises(NotAFundingAmount):
        fund_partner(partner, Decimal(amount), actor=COMMAND_LINE)
    assert available(partner) == 0
    assert not Journal.objects.exists()


@pytest.mark.parametrize("amount", ["0.01", "1e3", "999999999999.99"])
def test_books_what_arrived(amount: str) -> None:
    partner = make_partner()
    fund_partner(partner, Decimal(amount), actor=COMMAND_LINE)
    assert available(partner) == Decimal(amount)
    assert_books_are_right()
