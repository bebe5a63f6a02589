"""What a line of a network's settlement file can be against our books. Plain Python, no Django.

The judging itself is SQL over whole files (`operations.match_settlement`); here are its words.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from payouts.doubts import CaseKind

# A network's clock and ours: an instant within so much of a window's edge may lie on either side.
CLOCKS_DIFFER_AT_MOST: Final = timedelta(seconds=60)
LARGEST_FILE_BYTES: Final = 512 * 1024 * 1024
# Of a file that comes through a browser, which is read into memory.
LARGEST_UPLOAD_BYTES: Final = 32 * 1024 * 1024


class LineOutcome(StrEnum):
    """What came of a line, or of a payment that no line is about."""

    MATCHED = "matched"
    # Credited there, unclear here: it completes the payment.
    RESOLVES = "resolves"
    # It came back there: it returns the payment.
    RETURNED = "returned"
    # Credited there, certainly not paid here.
    CONTRADICTS = "contradicts"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    # Amount, day and card are those of a payment, and the identity is nobody's.
    IDENTITY_DIFFERS = "identity_differs"
    # Settled on another day than it was paid on.
    LATE = "late"
    DUPLICATE = "duplicate"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    # As it should be, and a case says that it is missing there: that ends.
    CAME = "came"


# Of a payment's credits one line counts in all files together, of its returns another: none that
# is not judged yet, is about nobody's payment, or comes a second time.
NOT_COUNTED: Final = ("", LineOutcome.DUPLICATE, LineOutcome.MISSING_HERE)
# What changes payments.
MOVES_MONEY: Final = frozenset({LineOutcome.RESOLVES, LineOutcome.RETURNED})

CASE_OF: Final = {
    LineOutcome.AMOUNT_DIFFERS: CaseKind.AMOUNT_DIFFERS,
    LineOutcome.CURRENCY_DIFFERS: CaseKind.CURRENCY_DIFFERS,
    LineOutcome.IDENTITY_DIFFERS: CaseKind.IDENTITY_DIFFERS,
    LineOutcome.LATE: CaseKind.SETTLED_LATE,
    LineOutcome.DUPLICATE: CaseKind.SETTLED_TWICE,
    LineOutcome.MISSING_HERE: CaseKind.MISSING_HERE,
    LineOutcome.MISSING_THERE: CaseKind.MISSING_THERE,
}


class SettlementRefused(Exception):
    """The file is not taken. `code` is for programs, `details` belong to it."""

    def __init__(self, code: str, **details: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
