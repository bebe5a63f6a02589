"""Amounts of money: exact decimals of US dollars with two places. Plain Python, no Django."""

import re
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Final

CURRENCY: Final = "USD"
CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
# No network takes a single push above this (Visa Direct and Mastercard Send, United States).
LARGEST_PUSH: Final = Decimal("50000.00")

# Decimal itself also reads 1_000, blanks around a number and the digits of other scripts.
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class NotAnAmount(ValueError):
    """The text is not an amount that can be pushed; the message says why, for the sender."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_amount(text: str | Decimal) -> Decimal:
    """Return the amount in dollars that `text` states exactly, with two places.

    :raises NotAnAmount: unless it is a finite number above 0, at most `LARGEST_PUSH`, with at most
        two decimals. `1E+2` is the number 100 and is taken; trailing zeros are no decimals.
    """
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise NotAnAmount("invalid", "Must be a number of US dollars.")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise NotAnAmount("invalid", "Must be a number of US dollars.") from None
    if not amount.is_finite():
        raise NotAnAmount("invalid", "Must be a finite number.")
    if amount <= 0:
        raise NotAnAmount("too_small", "Must be more than 0.")
    if amount > LARGEST_PUSH:
        raise NotAnAmount("too_large", f"Must be at most {LARGEST_PUSH}.")
    cents = amount.quantize(CENT, rounding=ROUND_DOWN)
    if cents != amount:
        raise NotAnAmount("too_many_decimals", "Must have at most two decimals.")
    return cents
