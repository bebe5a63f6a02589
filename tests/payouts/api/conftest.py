"""The cast of the API's tests: one partner with money, its server, and a card that can be paid."""

import pytest

from consumers.models import Partner, PaymentCard
from tests.payouts.api.caller import Caller
from tests.pushes import make_funded_partner, make_payee


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner()


@pytest.fixture
def card(partner: Partner) -> PaymentCard:
    return make_payee(partner=partner)


@pytest.fixture
def caller(partner: Partner) -> Caller:
    return Caller(partner)
