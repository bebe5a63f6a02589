"""GET /v2/balance/"""

import pytest

from consumers.models import PaymentCard
from payouts.models import FeeSchedule
from payouts.operations.record_outcome import record_outcome
from tests.payouts.api.caller import BALANCE, Caller, statements
from tests.pushes import APPROVED, claim, make_funded_partner, push

pytestmark = pytest.mark.django_db


def test_shows_available_and_held_as_numbers(caller: Caller, card: PaymentCard) -> None:
    FeeSchedule.objects.create(partner=caller.partner, fixed="0.25")
    payment = push(card, amount="100.10")
    answer = caller.get(BALANCE)
    assert answer.status_code == 200
    assert answer.content == b'{"available":9899.65,"held":100.35,"currency":"USD"}'
    claim(payment)
    record_outcome(payment.pk, APPROVED)
    assert caller.get(BALANCE).json() == {"available": 9899.65, "held": 0, "currency": "USD"}


def test_shows_only_the_partners_own(caller: Caller) -> None:
    make_funded_partner(dollars="5.00")
    assert caller.get(BALANCE).json()["available"] == 10_000


def test_takes_two_statements(caller: Caller) -> None:
    with statements(2):
        caller.get(BALANCE)
