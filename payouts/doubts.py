"""What people may do about a push whose outcome is in doubt or in dispute. Plain Python, no Django.

A case is two sides that do not agree, ours and somebody else's, with money between them. What is
final stays final: closing a case books what puts the money right, or says that nothing has to be.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from payouts.states import UNPAID, Status

LARGEST_EVIDENCE_BYTES: Final = 5 * 1024 * 1024
LONGEST_FILE_NAME: Final = 200


class CaseKind(StrEnum):
    """Why somebody has to look."""

    # A network's definite answer that is not what the payment's final status says.
    LATE_ANSWER = "late_answer"
    # A network gave money back for a payment that it never paid, as far as we know, or that it had
    # given back before.
    UNEXPECTED_RETURN = "unexpected_return"
    # It gave back another amount than was pushed.
    RETURN_DIFFERS = "return_differs"
    # A line of a settlement file is not what it should be, or there is none; see `settlements`.
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    IDENTITY_DIFFERS = "identity_differs"
    SETTLED_LATE = "settled_late"
    SETTLED_TWICE = "settled_twice"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    # A network credited, or returned, what we never told it to.
    UNKNOWN_INSTRUCTION = "unknown_instruction"
    # An entry on a statement of our bank is not what the network's files say, or there is none; see
    # `bank_statements`.
    BANK_AMOUNT_DIFFERS = "bank_amount_differs"
    BANK_REFERENCE_DIFFERS = "bank_reference_differs"
    BANK_SETTLED_AGAIN = "bank_settled_again"
    BANK_ENTRY_UNKNOWN = "bank_entry_unknown"
    MISSING_AT_BANK = "missing_at_bank"


# What is missing may still come.
MISSING: Final = frozenset({CaseKind.MISSING_THERE, CaseKind.MISSING_AT_BANK})


# What a network says that it paid, under our identity, is another amount than we pushed.
PAID_OTHERWISE: Final = "paid_another_amount"


class CaseState(StrEnum):
    """A closed case is never opened again: what is found anew is a case of its own."""

    OPEN = "open"
    CLOSED = "closed"


class Way(StrEnum):
    """How a case ends: what is booked, and at whose cost."""

    NOTHING = "nothing"
    # It was paid after all: the partner pays what it asked for, amount and fee.
    CHARGE_PARTNER = "charge_partner"
    # It was paid after all, and the partner was told that it was not: the amount is ours to bear.
    HOUSE_BEARS = "house_bears"
    # It was not paid after all: amount and fee are the partner's again.
    GIVE_BACK = "give_back"
    # What the network takes more, or less, than we owe it stands in suspense; no payment changes.
    TO_SUSPENSE = "to_suspense"
    # All that came back stands in suspense: nobody knows whose it is.
    ALL_TO_SUSPENSE = "all_to_suspense"
    # The push came back: the partner gets its amount, and what differs stands in suspense.
    CAME_BACK = "came_back"
    # It is between us and the network: what the bank shows is set against what we owe it.
    TO_NETWORK = "to_network"
    # What was missing has come, in a later file: nobody chooses this, it happens.
    CAME = "came"


# What the network settled is not what we owe it by our books.
_DIFFERENCES: Final = frozenset(
    {CaseKind.AMOUNT_DIFFERS, CaseKind.SETTLED_TWICE, CaseKind.MISSING_HERE}
)
# What differs in amount was booked with the entry, its rest to suspense. What nobody knows was not.
_AT_BANK: Final = {
    CaseKind.BANK_AMOUNT_DIFFERS: (Way.NOTHING, Way.TO_NETWORK),
    CaseKind.BANK_SETTLED_AGAIN: (Way.TO_SUSPENSE, Way.TO_NETWORK, Way.NOTHING),
    CaseKind.BANK_ENTRY_UNKNOWN: (Way.TO_SUSPENSE, Way.TO_NETWORK, Way.NOTHING),
}


RETURNS: Final = frozenset({CaseKind.RETURN_DIFFERS, CaseKind.UNEXPECTED_RETURN})


def ways_to_close_return(
    kind: CaseKind, *, status: Status | None, differs: bool, is_given_back: bool
) -> tuple[Way, ...]:
    """Say how a case about a return of a payment that has this status may end.

    `differs` is whether another amount came back than was pushed; `is_given_back`, whether two
    people have given the partner its money before: then the return only makes that good.
    """
    if status is Status.COMPLETED:
        if is_given_back:
            return (Way.TO_SUSPENSE, Way.NOTHING) if differs else (Way.NOTHING,)
        return (Way.CAME_BACK, Way.NOTHING)
    if status is Status.RETURNED and kind is CaseKind.RETURN_DIFFERS:
        # It is the return in the books, with more or less; or it is another one.
        return (Way.TO_SUSPENSE, Way.ALL_TO_SUSPENSE, Way.NOTHING)
    return (Way.ALL_TO_SUSPENSE, Way.NOTHING)


def ways_to_close(kind: CaseKind, *, they_say: str, status: Status | None) -> tuple[Way, ...]:
    """Say how a case about a payment with this status, or about none, may end.

    `they_say` is `paid`, `not_paid` or anything else.
    """
    if kind in _AT_BANK:
        return _AT_BANK[kind]
    if kind in _DIFFERENCES:
        return (Way.TO_SUSPENSE, Way.NOTHING)
    if kind is CaseKind.MISSING_THERE and status is Status.COMPLETED:
        return (Way.NOTHING, Way.GIVE_BACK)
    if kind is CaseKind.LATE_ANSWER and they_say == "paid" and status in UNPAID:
        return (Way.CHARGE_PARTNER, Way.HOUSE_BEARS, Way.NOTHING)
    if kind is CaseKind.LATE_ANSWER and they_say == "not_paid" and status is Status.COMPLETED:
        return (Way.GIVE_BACK, Way.NOTHING)
    return (Way.NOTHING,)


class EvidenceProblem(StrEnum):
    """Why a file is not taken as evidence."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    KIND = "kind"
    CARD_NUMBER = "card_number"


class EvidenceRefused(ValueError):
    """The file is not kept; `problem` says why."""

    def __init__(self, problem: EvidenceProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody sent it."""

    name: str
    content: bytes


_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_TEXT: Final = "text/plain"


def media_type_of(content: bytes) -> str:
    """Say what a file is by what is in it; its name and what its sender says count for nothing.

    :raises EvidenceRefused: it is empty, too large, or neither PDF, PNG, JPEG nor plain text.
    """
    if not content:
        raise EvidenceRefused(EvidenceProblem.EMPTY)
    if len(content) > LARGEST_EVIDENCE_BYTES:
        raise EvidenceRefused(EvidenceProblem.TOO_LARGE)
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    if _is_text(content):
        return _TEXT
    raise EvidenceRefused(EvidenceProblem.KIND)


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in text)
