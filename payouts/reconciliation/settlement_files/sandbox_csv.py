"""Reads the sandbox network's settlement file, version 1; the format is in docs/reconciliation.md.

Strict: what is not exactly as described is refused with the number of its line. So nothing that
could be a card number can hide in a file that is taken.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from payouts.reconciliation.settlements import SettlementRefused

NETWORK: Final = "sandbox"
_INSTANT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_MONEY: Final = r"\d{1,10}\.\d\d"
_SUM: Final = r"\d{1,14}\.\d\d"
_WORD: Final = r"([A-Za-z0-9 ._/-]{1,15})"
_HEADER: Final = re.compile(
    rf"H,PAYOUTS-SANDBOX-SETTLEMENT,1,([A-Za-z0-9-]{{1,35}}),(\d{{6,11}}),{_WORD},"
    rf"({_INSTANT}),({_INSTANT}),({_INSTANT}),([A-Z]{{3}})",
    re.ASCII,
)
_LINE: Final = re.compile(
    rf"D,(credit|return),(\d{{6,11}}),(\d{{6}}),(\d{{12}}),{_WORD},"
    r"([A-Za-z0-9 ._/-]{1,8}),(\d{0,18}),(\d{0,18}),"
    rf"({_MONEY}),([A-Z]{{3}}),(\d{{4}}-\d\d-\d\d),(\d{{4}})",
    re.ASCII,
)
_TRAILER: Final = re.compile(rf"T,(\d{{1,9}}),(\d{{1,9}}),({_SUM}),(\d{{1,9}}),({_SUM})", re.ASCII)
# The columns of `read_lines`, which are groups of the form above.
COLUMNS: Final = (
    "kind", "acquiring_bin", "trace_number", "retrieval_reference_number", "card_acceptor_id",
    "terminal_id", "transaction_id", "status_identifier", "amount", "currency", "settled_on",
    "card_last4",
)  # fmt: skip
_LONGEST_RECORD: Final = 400


@dataclass(frozen=True, slots=True)
class Header:
    """Whose file, about when, and in which currency."""

    reference: str
    acquiring_bin: str
    card_acceptor_id: str
    begins_at: datetime
    ends_at: datetime
    made_at: datetime
    currency: str


@dataclass(frozen=True, slots=True)
class Trailer:
    """What the network says that the file holds; money in dollars."""

    lines: int
    credits: int
    credited: Decimal
    returns: int
    returned: Decimal


def read_edges(content: bytes) -> tuple[Header, Trailer]:
    """The first and the last record.

    :raises SettlementRefused: it is no such file, or its end is missing.
    """
    first, _, rest = content.partition(b"\n")
    last = rest.rstrip(b"\r\n").rpartition(b"\n")[2]
    header = _HEADER.fullmatch(_text(first))
    if header is None:
        raise SettlementRefused("not_a_settlement_file")
    trailer = _TRAILER.fullmatch(_text(last))
    if trailer is None:
        raise SettlementRefused("end_is_missing")
    return _header(header), _trailer(trailer)


def read_lines(piece: bytes, *, first: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The lines in a piece of the file with their numbers, as texts in the order of `COLUMNS`.

    `first` is the number of the piece's first record in the file, which begins with 1.

    :raises SettlementRefused: naming the first record that is none.
    """
    for number, record in enumerate(_records(piece), start=first):
        if record[:1] in ("H", "T"):
            # The edges, which were read before. In the middle they are missed when all are counted.
            continue
        found = _LINE.fullmatch(record)
        if found is None or not _is_day(found[11]):
            raise SettlementRefused("line_unreadable", line=number)
        yield number, found.groups()


def count_records(piece: bytes) -> int:
    return sum(1 for _ in _records(piece))


def _records(piece: bytes) -> Iterable[str]:
    return (_text(line) for line in piece.splitlines())


def _text(record: bytes) -> str:
    return record[:_LONGEST_RECORD].rstrip(b"\r").decode("ascii", "replace")


@lru_cache(maxsize=1000)
def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _header(found: re.Match[str]) -> Header:
    try:
        begins_at, ends_at, made_at = (datetime.fromisoformat(found[n]) for n in (4, 5, 6))
    except ValueError:
        raise SettlementRefused("not_a_settlement_file") from None
    if begins_at >= ends_at or ends_at > made_at:
        raise SettlementRefused("window_is_not_over")
    return Header(found[1], found[2], found[3], begins_at, ends_at, made_at, found[7])


def _trailer(found: re.Match[str]) -> Trailer:
    lines, number, credited, returns, returned = found.groups()
    return Trailer(int(lines), int(number), Decimal(credited), int(returns), Decimal(returned))
