"""Card networks' answers for tests of cards, named by CARD_ELIGIBILITY_SOURCE."""

from django.db import connection

from consumers.models import PaymentCard
from consumers.operations.cards import CardEligibility, EligibilityUnavailable

FAST = "tests.eligibility.fast_funds"
REFUSED = "tests.eligibility.refused"
SILENT = "tests.eligibility.silent"


def fast_funds(card: PaymentCard) -> CardEligibility:
    # Tests with a transaction of their own around them cannot tell; the others can.
    assert not connection.in_atomic_block or connection.savepoint_ids == []
    return CardEligibility(eligible=True, speed="fast_funds", card_type="debit")


def refused(card: PaymentCard) -> CardEligibility:
    return CardEligibility(eligible=False, speed="not_supported")


def silent(card: PaymentCard) -> CardEligibility:
    raise EligibilityUnavailable("Nobody answers.")
