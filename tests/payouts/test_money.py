from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.money import LARGEST_PUSH, NotAnAmount, parse_amount

LARGEST_CENTS = int(LARGEST_PUSH * 100)


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("100", "100.00"),
        ("100.5", "100.50"),
        ("0.01", "0.01"),
        ("50000", "50000.00"),
        ("50000.00", "50000.00"),
        ("1E+2", "100.00"),
        ("12.3400000", "12.34"),
        ("0012", "12.00"),
    ],
)
def test_reads_an_amount_exactly(text: str, dollars: str) -> None:
    assert str(parse_amount(text)) == dollars


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid"),
        ("ten", "invalid"),
        ("1,000", "invalid"),
        ("$5", "invalid"),
        ("1 0", "invalid"),
        ("NaN", "invalid"),
        ("sNaN", "invalid"),
        ("Infinity", "invalid"),
        ("-Infinity", "invalid"),
        ("0", "too_small"),
        ("-0.00", "too_small"),
        ("-1", "too_small"),
        ("50000.01", "too_large"),
        ("1E+1000000", "too_large"),
        ("10.001", "too_many_decimals"),
        ("0.009", "too_many_decimals"),
        ("1E-1000000", "too_many_decimals"),
        ("49999.990000000000000000000000000000000000001", "too_many_decimals"),
    ],
)
def test_refuses_what_is_no_amount(text: str, code: str) -> None:
    with pytest.raises(NotAnAmount) as refused:
        parse_amount(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "text", ["1_000", " 5", "5\n", "\N{FULLWIDTH DIGIT FIVE}", "\N{ARABIC-INDIC DIGIT FIVE}"]
)
def test_refuses_numbers_that_only_python_would_read(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_amount(text)


@given(cents=st.integers(1, LARGEST_CENTS))
def test_reads_every_number_of_cents(cents: int) -> None:
    written = f"{cents // 100}.{cents % 100:02d}"
    assert parse_amount(written) * 100 == cents
    assert parse_amount(Decimal(cents) / 100) * 100 == cents


@given(st.text() | st.decimals())
def test_returns_whole_cents_within_the_bounds_or_refuses(text: str | Decimal) -> None:
    try:
        amount = parse_amount(text)
    except NotAnAmount:
        return
    assert 0 < amount <= LARGEST_PUSH
    assert amount == Decimal(text)
    assert amount.as_tuple().exponent == -2
