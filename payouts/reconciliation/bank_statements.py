"""What a bank says about our account, and what an entry can be against our books. Plain Python.

How a format is read is in `statement_files`; the judging is in `operations.match_statement`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from payouts.doubts import CaseKind

# A statement is read whole into memory, whichever way it comes.
LARGEST_STATEMENT_BYTES: Final = 32 * 1024 * 1024
MOST_ENTRIES: Final = 100_000
# Whoever has more wrong than that has another problem.
MOST_PROBLEMS: Final = 50
LONGEST_TEXT: Final = 500
LONGEST_REFERENCE: Final = 35
# Two balances and a day: an amount that is cut off is another amount.
_LONGEST_FOUND: Final = 80


class EntryOutcome(StrEnum):
    """What came of an entry on a statement."""

    # The network took, or gave, what its settlement files say.
    SETTLED = "settled"
    # A partner's money, which two people have booked.
    FUNDED = "funded"
    AMOUNT_DIFFERS = "amount_differs"
    # It names no settlement file, and amount and day are those of exactly one.
    REFERENCE_DIFFERS = "reference_differs"
    # It names a settlement file that another entry has settled.
    SETTLED_AGAIN = "settled_again"
    UNKNOWN = "unknown"
    # Banks list what cost nothing, too.
    NO_MONEY = "no_money"


# What books the `settled` journal.
BOOKED: Final = frozenset(
    {EntryOutcome.SETTLED, EntryOutcome.AMOUNT_DIFFERS, EntryOutcome.REFERENCE_DIFFERS}
)
CASE_OF_ENTRY: Final = {
    EntryOutcome.AMOUNT_DIFFERS: CaseKind.BANK_AMOUNT_DIFFERS,
    EntryOutcome.REFERENCE_DIFFERS: CaseKind.BANK_REFERENCE_DIFFERS,
    EntryOutcome.SETTLED_AGAIN: CaseKind.BANK_SETTLED_AGAIN,
    EntryOutcome.UNKNOWN: CaseKind.BANK_ENTRY_UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One booked movement; `amount` in dollars is above zero if money came, below if it went.

    `bank_reference` is the bank's own, `texts` is everything in which the payer's or the network's
    reference can stand.
    """

    amount: Decimal
    booked_on: date
    bank_reference: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a bank says of one account from one day to another; balances in dollars."""

    reference: str
    account: str
    currency: str
    opens_on: date
    closes_on: date
    opening: Decimal
    closing: Decimal
    entries: tuple[Entry, ...]

    @property
    def moved(self) -> Decimal:
        """What all entries together say that came, in dollars; below zero if more went."""
        return sum((entry.amount for entry in self.entries), Decimal("0.00"))


class Problem(NamedTuple):
    """One thing wrong in a file: where, what (a code), and what stands there."""

    where: str
    code: str
    found: str = ""


class StatementRefused(Exception):
    """The file is not taken, no entry of it counts. `problems` names everything that is wrong."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def code(self) -> str:
        """The first problem's code, for programs."""
        return self.problems[0].code


class Problems:
    """Gathers what is wrong in a file while it is read, up to `MOST_PROBLEMS`."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, where: str, code: str, found: str = "") -> None:
        """Note a problem.

        :raises StatementRefused: there are so many that reading on is of no use.
        """
        self.found.append(Problem(where, code, found[:_LONGEST_FOUND]))
        if len(self.found) >= MOST_PROBLEMS:
            raise StatementRefused(*self.found)

    def refuse_if_any(self) -> None:
        """:raises StatementRefused: something was noted."""
        if self.found:
            raise StatementRefused(*self.found)


def check_statements(statements: Iterable[Statement], problems: Problems) -> None:
    """Note where a statement does not add up: opening and all entries make the closing balance."""
    for number, statement in enumerate(statements, start=1):
        where = f"statement {number}"
        if statement.opens_on > statement.closes_on:
            problems.add(where, "period", f"{statement.opens_on} to {statement.closes_on}")
        found = statement.opening + statement.moved
        if found != statement.closing:
            problems.add(where, "does_not_add_up", f"{found:.2f}, not {statement.closing:.2f}")
