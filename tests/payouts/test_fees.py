from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.fees import FREE, FeeSchedule, fee_for
from payouts.money import CENT, LARGEST_PUSH

amounts = st.decimals(CENT, LARGEST_PUSH, places=2)


def _fee(amount: str, **schedule: Decimal | int) -> str:
    return str(fee_for(Decimal(amount), schedule=FeeSchedule(**schedule)))  # type: ignore[arg-type]


def test_is_nothing_without_a_schedule() -> None:
    assert str(fee_for(Decimal("50000.00"), schedule=FREE)) == "0.00"


def test_adds_the_fixed_part_to_the_share() -> None:
    assert _fee("200.00", fixed=Decimal("0.25"), basis_points=150) == "3.25"


@pytest.mark.parametrize(
    ("amount", "fee"),
    [("0.49", "0.00"), ("0.50", "0.01"), ("1.49", "0.01"), ("1.50", "0.02"), ("2.50", "0.03")],
)
def test_rounds_half_a_cent_up(amount: str, fee: str) -> None:
    assert _fee(amount, basis_points=100) == fee


def test_is_at_least_the_minimum() -> None:
    assert _fee("10.00", basis_points=10, minimum=Decimal("0.50")) == "0.50"


def test_is_at_most_the_maximum() -> None:
    assert _fee("50000.00", basis_points=100, maximum=Decimal("5.00")) == "5.00"


def test_counts_the_fixed_part_towards_the_bounds() -> None:
    assert _fee("1.00", fixed=Decimal("0.40"), minimum=Decimal("0.30")) == "0.40"
    assert _fee("1.00", fixed=Decimal("0.40"), maximum=Decimal("0.30")) == "0.30"


@given(
    amount=amounts,
    basis_points=st.integers(0, 10_000),
    fixed=st.decimals(0, 100, places=2),
    minimum=st.decimals(0, 5, places=2),
    span=st.decimals(0, 50, places=2),
)
def test_is_whole_cents_between_the_bounds(
    amount: Decimal, basis_points: int, fixed: Decimal, minimum: Decimal, span: Decimal
) -> None:
    schedule = FeeSchedule(fixed, basis_points, minimum, minimum + span)
    fee = fee_for(amount, schedule=schedule)
    assert minimum <= fee <= minimum + span
    assert fee == fee.quantize(CENT)


@given(smaller=amounts, larger=amounts, basis_points=st.integers(0, 10_000))
def test_never_falls_when_the_amount_grows(
    smaller: Decimal, larger: Decimal, basis_points: int
) -> None:
    schedule = FeeSchedule(basis_points=basis_points)
    smaller, larger = sorted((smaller, larger))
    assert fee_for(smaller, schedule=schedule) <= fee_for(larger, schedule=schedule)
