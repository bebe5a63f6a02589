"""Reads one line of text as everything that it could mean about a payment. No database.

What it means is looked up by `payouts.finding.search`. Plain reading only: nothing here knows whose
payments they are.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from consumers.search import prefix_query

# A payment's key is made within the request that asks for it, and both carry their time.
_REQUEST_LASTS_AT_MOST_SECONDS: Final = 60

_TEXT_AT_MOST: Final = 200
_NUMBERS_AT_MOST: Final = 4
# A shorter beginning of a reference says too little: it is looked for as the whole of one.
_REFERENCE_AT_LEAST: Final = 3

# Only the ten digits of ASCII: no row was stored with the digits of another script.
_REQUEST_ID: Final = re.compile("req_([0-9a-f]{32})")
_KEY_OR_ITS_START: Final = re.compile("[0-9a-f]{8,32}")
_AMOUNT: Final = re.compile(r"(\$?)\s*((?:\d{1,3}(?:,\d{3})+|\d{1,7})(?:\.\d{1,2})?)", re.ASCII)
_LAST_FOUR: Final = re.compile(r"[\s*•·.x]*(\d{4})", re.ASCII)
_TRACE: Final = re.compile("[0-9]{6}")
_RRN: Final = re.compile("[0-9]{12}")
_APART: Final = re.compile(r"(?<=\$)\s+")
_LAST_CHARACTER: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a text could mean; None where it cannot mean that.

    The `with_` fields are what it means as a name beside numbers (`hopper 1111 $1,250`): the words,
    and for each number the amount and the last four that it could be. A payment has to fit all.
    """

    text: str | None = None
    words: str | None = None
    reference_from: str | None = None
    reference_to: str | None = None
    key_from: UUID | None = None
    key_to: UUID | None = None
    request_id: str | None = None
    request_from: UUID | None = None
    request_to: UUID | None = None
    amount: Decimal | None = None
    last4: str | None = None
    trace: str | None = None
    rrn: str | None = None
    with_words: str | None = None
    with_amounts: list[Decimal | None] | None = None
    with_last4s: list[str | None] | None = None


@dataclass(frozen=True, slots=True)
class _Number:
    """A number in a text, and what it could be."""

    amount: Decimal | None
    last4: str | None


def sought(text: str) -> Sought:
    """Read `text` as everything that it could be: `1250` is an amount, a last four and a reference.

    A Request-Id and a text with a dollar sign in front can mean only one thing.
    """
    text = text.strip()[:_TEXT_AT_MOST]
    if request := _REQUEST_ID.fullmatch(text):
        return _request(text, asked_at=UUID(request[1]).int >> 80)
    amount = _AMOUNT.fullmatch(text)
    dollars = Decimal(amount[2].replace(",", "")) if amount else None
    if amount and amount[1]:
        return Sought(amount=dollars)
    key = text.replace("-", "").lower()
    is_key = _KEY_OR_ITS_START.fullmatch(key) is not None
    last4 = _LAST_FOUR.fullmatch(text)
    words, amounts, last4s = _name_beside_numbers(text)
    return Sought(
        text=text,
        words=prefix_query(text),
        reference_from=text,
        reference_to=text + _LAST_CHARACTER if len(text) >= _REFERENCE_AT_LEAST else text,
        key_from=UUID(key.ljust(32, "0")) if is_key else None,
        key_to=UUID(key.ljust(32, "f")) if is_key else None,
        amount=dollars,
        last4=last4[1] if last4 else None,
        trace=text if _TRACE.fullmatch(text) else None,
        rrn=text if _RRN.fullmatch(text) else None,
        with_words=words,
        with_amounts=amounts,
        with_last4s=last4s,
    )


def _request(text: str, *, asked_at: int) -> Sought:
    latest = asked_at + _REQUEST_LASTS_AT_MOST_SECONDS * 1000
    return Sought(
        request_id=text,
        request_from=UUID(int=asked_at << 80),
        request_to=UUID(int=(latest & (1 << 48) - 1) << 80),
    )


def _name_beside_numbers(
    text: str,
) -> tuple[str | None, list[Decimal | None] | None, list[str | None] | None]:
    """The words, amounts and last fours of a text of several parts; all None if it is not one."""
    parts = _APART.sub("", text).split()
    read = [_number(part.strip(",;")) for part in parts]
    numbers = [number for number in read if number is not None]
    rest = [part for part, number in zip(parts, read, strict=True) if number is None]
    words = prefix_query(" ".join(rest))
    is_one = len(numbers) + len(rest) < 2 or not 1 <= len(numbers) <= _NUMBERS_AT_MOST
    # Amounts alone are no beginning: there may be a million payments of each.
    if is_one or (words is None and not any(number.last4 for number in numbers)):
        return None, None, None
    return words, [number.amount for number in numbers], [number.last4 for number in numbers]


def _number(part: str) -> _Number | None:
    amount, last4 = _AMOUNT.fullmatch(part), _LAST_FOUR.fullmatch(part)
    if amount is None and last4 is None:
        return None
    is_money = amount is not None and amount[1] == "$"
    return _Number(
        amount=Decimal(amount[2].replace(",", "")) if amount else None,
        last4=last4[1] if last4 and not is_money else None,
    )
