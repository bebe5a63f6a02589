"""What both formats of statements have in common: cells, and what is wrong with them."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from consumers.typed_numbers import held_card_number
from payouts.reconciliation.bank_statements import LONGEST_REFERENCE, LONGEST_TEXT, Problems

_CENTS: Final = Decimal("0.01")
# ISO 20022 allows five decimals; dollars have two, and zeros after them say nothing else.
_MONEY: Final = re.compile(r"(\d{1,13})(?:\.(\d{1,2})0{0,3})?", re.ASCII)
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:T.{0,40}|Z|[+-]\d\d:\d\d)?", re.ASCII)


class Cells:
    """Reads cells of one place in a file, and notes what cannot be read; a stand-in comes back."""

    def __init__(self, where: str, problems: Problems) -> None:
        self._where = where
        self._problems = problems

    def wrong(self, code: str, found: str = "") -> None:
        # What stands there is shown to people, so no card number may.
        shown = "" if held_card_number(found) else found
        self._problems.add(self._where, code, shown)

    def money(self, text: str, code: str = "amount") -> Decimal:
        """Dollars at or above zero; the sign stands elsewhere."""
        found = _MONEY.fullmatch(text.strip())
        if found is None:
            self.wrong(code, text)
            return Decimal("0.00")
        return Decimal(f"{found[1]}.{found[2] or 0}").quantize(_CENTS)

    def day(self, text: str, code: str = "day") -> date:
        """The day as the bank writes it, whatever the time behind it."""
        found = _DAY.fullmatch(text.strip())
        try:
            if found is not None:
                return date.fromisoformat(found[1])
        except ValueError:
            pass
        self.wrong(code, text)
        return date.min

    def reference(self, text: str, code: str = "reference") -> str:
        """A reference that has to be there."""
        kept = " ".join(text.split())
        if not kept or len(kept) > LONGEST_REFERENCE or not kept.isprintable():
            self.wrong(code, kept)
        return kept[:LONGEST_REFERENCE]

    def text(self, text: str) -> str:
        """Words of whoever paid, in which no card number may stand."""
        kept = " ".join(text.split())[:LONGEST_TEXT]
        if held_card_number(kept):
            self.wrong("card_number")
        return "".join(letter for letter in kept if letter.isprintable())
