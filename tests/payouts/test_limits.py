from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.limits import BrokenLimit, Headroom, Limit, Scope, Usage, broken_limits, headrooms

TEN = Decimal("10.00")


def _broken(
    amount: str, limit: Limit, *, used: Usage | None = None
) -> list[tuple[str, Decimal | int, Decimal | int]]:
    usage = {} if used is None else {limit.scope: used}
    found = broken_limits(Decimal(amount), limits=[limit], used=usage)
    return [(broken.name, broken.limit, broken.used) for broken in found]


@pytest.mark.parametrize("scope", Scope)
def test_allows_reaching_a_limit_and_not_passing_it(scope: Scope) -> None:
    limit = Limit(scope, max_amount=TEN)
    assert _broken("10.00", limit) == []
    assert _broken("10.01", limit) == [(f"{scope}_amount", TEN, Decimal("0.00"))]


def test_adds_to_what_the_day_has_seen() -> None:
    limit = Limit(Scope.CARD_DAY, max_amount=TEN)
    used = Usage(Decimal("9.99"), 1)
    assert _broken("0.01", limit, used=used) == []
    assert _broken("0.02", limit, used=used) == [("card_day_amount", TEN, Decimal("9.99"))]


def test_counts_this_push_too() -> None:
    limit = Limit(Scope.PARTNER_DAY, max_count=3)
    assert _broken("1.00", limit, used=Usage(TEN, 2)) == []
    assert _broken("1.00", limit, used=Usage(TEN, 3)) == [("partner_day_count", 3, 3)]


def test_sets_no_bound_where_there_is_none() -> None:
    assert _broken("50000.00", Limit(Scope.CARD_DAY), used=Usage(Decimal(10**9), 10**6)) == []


def test_does_not_mix_scopes() -> None:
    limit = Limit(Scope.CARD_DAY, max_amount=TEN, max_count=1)
    used = {Scope.CONSUMER_DAY: Usage(TEN, 1), Scope.PARTNER_DAY: Usage(TEN, 1)}
    assert broken_limits(Decimal(1), limits=[limit], used=used) == []


def test_names_every_limit_that_would_break() -> None:
    limits = [
        Limit(Scope.PUSH, max_amount=Decimal(5)),
        Limit(Scope.CARD_DAY, max_amount=TEN, max_count=2),
        Limit(Scope.CONSUMER_DAY, max_count=9),
        Limit(Scope.PARTNER_DAY, max_amount=Decimal(100)),
    ]
    used = {
        Scope.CARD_DAY: Usage(Decimal(8), 2),
        Scope.CONSUMER_DAY: Usage(Decimal(8), 2),
        Scope.PARTNER_DAY: Usage(Decimal(99), 2),
    }
    assert broken_limits(Decimal(6), limits=limits, used=used) == [
        BrokenLimit("push_amount", Decimal(5), Decimal("0.00")),
        BrokenLimit("card_day_amount", TEN, Decimal(8)),
        BrokenLimit("card_day_count", 2, 2),
        BrokenLimit("partner_day_amount", Decimal(100), Decimal(99)),
    ]


def test_shows_the_room_that_is_left() -> None:
    limits = [Limit(Scope.CARD_DAY, max_amount=TEN), Limit(Scope.PARTNER_DAY, max_count=5)]
    used = {Scope.CARD_DAY: Usage(Decimal("2.50"), 1), Scope.PARTNER_DAY: Usage(TEN, 2)}
    assert headrooms(limits=limits, used=used) == [
        Headroom(Scope.CARD_DAY, Decimal("7.50"), None),
        Headroom(Scope.PARTNER_DAY, None, 3),
    ]


def test_shows_no_room_below_zero_after_a_limit_was_lowered() -> None:
    (room,) = headrooms(
        limits=[Limit(Scope.CARD_DAY, TEN, 1)], used={Scope.CARD_DAY: Usage(Decimal(25), 4)}
    )
    assert (room.amount, room.count) == (Decimal("0.00"), 0)


@given(
    amount=st.decimals("0.01", 50_000, places=2),
    bound=st.decimals(0, 100_000, places=2),
    used=st.decimals(0, 100_000, places=2),
)
def test_refuses_exactly_what_has_no_room(amount: Decimal, bound: Decimal, used: Decimal) -> None:
    limit, usage = Limit(Scope.CARD_DAY, bound), {Scope.CARD_DAY: Usage(used, 1)}
    (room,) = headrooms(limits=[limit], used=usage)
    assert room.amount is not None
    assert bool(broken_limits(amount, limits=[limit], used=usage)) == (amount > room.amount)
