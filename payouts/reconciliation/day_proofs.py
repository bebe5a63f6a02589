"""What three books say about a day, and whether they agree. Plain Python; the sums come in."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final


class Verdict(StrEnum):
    """How the day stands."""

    AGREES = "agrees"
    # The file differs, and every difference is one of the findings, or settled another day.
    EXPLAINED = "explained"
    # No file is about the whole day yet.
    NO_FILE = "no_file"
    # Payments and ledger differ, or the file does by more than was found.
    BROKEN = "broken"


class AtBank(StrEnum):
    """Whether our bank shows what the network's files of the day settle."""

    SETTLED = "settled"
    # Not yet, and there is time.
    NOT_YET = "not_yet"
    NO_STATEMENT = "no_statement"
    NOTHING_DUE = "nothing_due"
    # Another amount, or nothing where there should be something by now: a case.
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Sum:
    """So many, with so many dollars."""

    number: int
    amount: Decimal


NOTHING: Final = Sum(0, Decimal("0.00"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """A day's credits and returns in three books, and what lies between payments and the file.

    From `paid` to `file`: less what was settled on another day, is in no file, or was settled in
    another currency; plus what was paid on another day, what is no paid push's, and differences of
    amounts.
    """

    day: date
    network: str
    acquiring_bin: str
    card_acceptor_id: str
    is_covered: bool
    files: tuple[str, ...]
    paid: Sum
    ledger: Sum
    file: Sum
    settled_other_day: Sum
    in_no_file: Sum
    other_currency: Sum
    paid_other_day: Sum
    not_paid_here: Sum
    amounts_differ: Sum
    returned: Sum
    returned_in_ledger: Sum
    returned_in_file: Sum
    # Of whole files: what they settle, and what the bank took for them.
    due_at_bank: Sum
    at_bank: Sum
    has_statement: bool
    is_overdue_at_bank: bool

    @property
    def unexplained(self) -> Decimal:
        """What the file says beyond all that was found, in dollars; right books say 0."""
        return self.file.amount - (
            self.paid.amount
            - self.settled_other_day.amount
            - self.in_no_file.amount
            - self.other_currency.amount
            + self.paid_other_day.amount
            + self.not_paid_here.amount
            + self.amounts_differ.amount
        )

    @property
    def unexplained_number(self) -> int:
        """The same in lines. A line of another amount is one all the same."""
        return self.file.number - (
            self.paid.number
            - self.settled_other_day.number
            - self.in_no_file.number
            - self.other_currency.number
            + self.paid_other_day.number
            + self.not_paid_here.number
        )

    @property
    def bank(self) -> AtBank:
        """Whether the bank shows what the network settled."""
        if self.due_at_bank.number == 0 and self.at_bank == NOTHING:
            return AtBank.NOTHING_DUE
        if self.at_bank == self.due_at_bank:
            return AtBank.SETTLED
        if self.at_bank.number >= self.due_at_bank.number or self.is_overdue_at_bank:
            return AtBank.DIFFERS
        return AtBank.NOT_YET if self.has_statement else AtBank.NO_STATEMENT

    @property
    def verdict(self) -> Verdict:
        """How the day stands."""
        if self.paid != self.ledger or self.returned != self.returned_in_ledger:
            return Verdict.BROKEN
        if self.unexplained or self.unexplained_number:
            return Verdict.BROKEN
        if not self.is_covered:
            return Verdict.NO_FILE
        differences = (
            self.in_no_file, self.other_currency, self.not_paid_here, self.amounts_differ,
        )  # fmt: skip
        agrees = all(one == NOTHING for one in differences) and self.file == self.paid
        agrees = agrees and self.bank is not AtBank.DIFFERS
        return Verdict.AGREES if agrees else Verdict.EXPLAINED


def as_document(figures: DayFigures) -> dict[str, Any]:
    """The figures as JSON has them: money and days as text."""
    told = {**asdict(figures), "day": figures.day.isoformat(), "files": list(figures.files)}
    return {
        name: {"number": value["number"], "amount": f"{value['amount']:.2f}"}
        if isinstance(value, dict)
        else value
        for name, value in told.items()
    } | {
        "unexplained": f"{figures.unexplained:.2f}",
        "bank": figures.bank.value,
        "verdict": figures.verdict.value,
    }


def digest_of(document: Mapping[str, Any]) -> bytes:
    """The SHA-256 over the document as JSON with sorted names and no blanks."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()
