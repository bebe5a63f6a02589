"""Limits of a day under creates at the same instant: exactly reached, never passed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from consumers.models import Partner, PaymentCard
from payouts.models import Limit, Payment
from payouts.operations.request_payment import Accepted, PaymentRefused, PushRequest, Replayed
from tests.books import assert_books_are_right, select, used
from tests.builders import make_card
from tests.pushes import ask, make_funded_partner, make_payee, push, push_request
from tests.racing import race, raised

pytestmark = pytest.mark.django_db(transaction=True)

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner(dollars="1000000.00")


def _cards(partner: Partner, *, number: int) -> list[PaymentCard]:
    return [make_payee(partner=partner) for _ in range(number)]


def _requests(
    cards: Sequence[PaymentCard], *, number: int, amount: str, prefix: str = "k"
) -> list[PushRequest]:
    return [
        push_request(cards[n % len(cards)], amount=amount, key=f"{prefix}-{n}")
        for n in range(number)
    ]


def _ask_all(requests: Sequence[PushRequest]) -> list[Accepted | Replayed | Exception]:
    """Ask for all at once. Nothing but a refusal may come of it, and no deadlock on the way."""
    before = select(DEADLOCKS)
    ends: list[Accepted | Replayed | Exception] = race([partial(ask, one) for one in requests])
    select("SELECT pg_stat_force_next_flush()")
    assert select(DEADLOCKS) == before
    return ends


def _broken(ends: Sequence[object]) -> set[str]:
    """The limits that the refused ones were told of."""
    return {
        reason.details["limit"]
        for end in ends
        if isinstance(end, PaymentRefused)
        for reason in end.reasons
        if reason.details is not None
    }


def _today() -> date:
    return datetime.now(UTC).date()


def _used(partner: Partner) -> tuple[Decimal, int]:
    amount, count = used(partner.pk, on=_today())
    return amount, int(count)


@pytest.mark.parametrize("bound", ["32.00", "33.00", "100.00"])
def test_reaches_the_partners_amount_exactly(bound: str, partner: Partner) -> None:
    Limit.objects.create(partner=partner, scope="partner_day", max_amount=Decimal(bound))
    whole = int(Decimal(bound))
    requests = _requests(_cards(partner, number=8), number=whole + 20, amount="1.00")
    ends = _ask_all(requests)
    assert raised(ends, PaymentRefused) == 20
    assert _used(partner) == (Decimal(bound), whole)
    assert _broken(ends) == {"partner_day_amount"}
    assert_books_are_right()


@pytest.mark.parametrize("bound", [1, 7, 16, 40])
def test_reaches_the_partners_count_exactly(bound: int, partner: Partner) -> None:
    Limit.objects.create(partner=partner, scope="partner_day", max_count=bound)
    requests = _requests(_cards(partner, number=8), number=bound + 20, amount="3.33")
    ends = _ask_all(requests)
    assert raised(ends, PaymentRefused) == 20
    assert _used(partner) == (bound * Decimal("3.33"), bound)
    assert _broken(ends) == {"partner_day_count"}
    assert_books_are_right()


def test_fills_the_partners_amount_with_pushes_larger_than_a_part(partner: Partner) -> None:
    Limit.objects.create(partner=partner, scope="partner_day", max_amount=Decimal("100.00"))
    ends = _ask_all(_requests(_cards(partner, number=6), number=18, amount="10.00"))
    assert raised(ends, PaymentRefused) == 8
    assert _used(partner) == (Decimal("100.00"), 10)
    assert_books_are_right()


def test_keeps_a_limit_that_was_lowered_in_the_middle_of_the_day(partner: Partner) -> None:
    """All the day's money may lie in one part: the others alone cannot judge any more."""
    cards = _cards(partner, number=8)
    push(cards[0], amount="160.00")
    Limit.objects.create(partner=partner, scope="partner_day", max_amount=Decimal("170.00"))
    ends = _ask_all(_requests(cards, number=30, amount="1.00"))
    assert raised(ends, PaymentRefused) == 20
    assert _used(partner) == (Decimal("170.00"), 11)
    Limit.objects.update(max_amount=Decimal("20.00"))
    ends = _ask_all(_requests(cards, number=10, amount="1.00", prefix="late"))
    assert raised(ends, PaymentRefused) == 10
    assert_books_are_right()


def test_a_raised_limit_has_room_again(partner: Partner) -> None:
    cards = _cards(partner, number=4)
    limit = Limit.objects.create(partner=partner, scope="partner_day", max_count=4)
    _ask_all(_requests(cards, number=8, amount="1.00"))
    limit.max_count = 20
    limit.save(update_fields=["max_count"])
    ends = _ask_all(_requests(cards, number=20, amount="1.00", prefix="late"))
    assert raised(ends, PaymentRefused) == 4
    assert _used(partner) == (Decimal("20.00"), 20)


@pytest.mark.parametrize("bound", [{"max_amount": Decimal("12.00")}, {"max_count": 12}])
def test_reaches_a_cards_limit_exactly(bound: dict[str, Decimal | int], partner: Partner) -> None:
    Limit.objects.create(partner=partner, scope="card_day", **bound)
    card = make_payee(partner=partner)
    ends = _ask_all(_requests([card], number=30, amount="1.00"))
    assert raised(ends, PaymentRefused) == 18
    assert used(card.pk, on=_today()) == (Decimal("12.00"), Decimal(12))
    assert_books_are_right()


def test_reaches_a_consumers_limit_exactly_over_all_cards(partner: Partner) -> None:
    Limit.objects.create(partner=partner, scope="consumer_day", max_count=12)
    card = make_payee(partner=partner)
    other = make_card(consumer=card.consumer, number="5555555555554444")
    ends = _ask_all(_requests([card, other], number=30, amount="1.00"))
    assert raised(ends, PaymentRefused) == 18
    assert used(card.consumer_id, on=_today()) == (Decimal("12.00"), Decimal(12))
    assert Payment.objects.count() == 12
    assert_books_are_right()
