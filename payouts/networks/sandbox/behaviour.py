"""Which card, amount or seed does what in the sandbox network. docs/sandbox.md has the tables.

Pure: the same instruction gets the same plan in every run. A plan has a code and a fault, looked up
independently of each other, so that every fault can be combined with every code. A fault strikes
only the first time an identity is seen: a repeat gets the plain answer.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Literal

from payouts.declines import APPROVAL_CODES, DUPLICATE_CODE
from payouts.networks.base import CardType, NetworkIdentity, Speed

APPROVED = "00"

# 1100.NN answers code NN, 1200.NN approves with fault NN.
_CODE_AMOUNTS_CENTS = range(1100_00, 1100_99 + 1)
_FAULT_AMOUNTS_CENTS = range(1200_00, 1200_99 + 1)

# The networks' own bound for one push; more is answered as an invalid amount.
_MOST_CENTS = 50_000_00
_INVALID_AMOUNT = "13"
_NOT_PERMITTED = "57"

_MIX_STEPS = 1_000_000


class Fault(IntEnum):
    """What goes wrong. The value is the NN of an amount of 1200.NN and of a card of kind fault."""

    SLOW_2S = 1
    SLOW_10S = 2
    # 202 at once; decided `late_ms` later.
    LATE = 3
    # Decided, then nothing is ever sent on the open connection.
    ANSWER_LOST = 4
    RESET_BEFORE = 5
    RESET_AFTER = 6
    ERROR_BEFORE = 7
    ERROR_AFTER = 8
    GARBAGE = 9
    HTML = 10
    TRUNCATED = 11
    EMPTY = 12
    WRONG_IDENTITY = 13
    SLOW_DRIP = 14
    # Decided, connection reset, and the first inquiry (the first three) finds nothing yet.
    HIDDEN_ONCE = 15
    HIDDEN_LONG = 16
    # Decided, but answered with 94 as if it had been seen before.
    CALLED_DUPLICATE = 17
    # Answered with 94 although nobody knows the original.
    CALLED_DUPLICATE_BEFORE = 18
    NO_CODE = 19
    CLOSED_AFTER = 20
    # Takes longer than the network's own limit, which then answers 202 by itself.
    OVER_LIMIT = 21
    FORBIDDEN_BEFORE = 22
    # 202 at once, like LATE; what was decided is posted twice, or followed by what was before.
    TOLD_TWICE = 23
    TOLD_OUT_OF_ORDER = 24
    # 202 at once, and somebody else posts the opposite; the network itself posts nothing.
    FORGED = 25
    # Credited, and given back `return_ms` later; of the second one nobody has heard before.
    RETURNED = 26
    RETURNED_UNSEEN = 27
    # Answers the opposite of what is done, and posts the truth `late_ms` later.
    CONTRADICTED = 28


# The instruction never reaches the core: nothing is credited, an inquiry finds nothing, and the
# same identity may come again.
DROPPING_FAULTS = frozenset(
    {
        Fault.RESET_BEFORE,
        Fault.ERROR_BEFORE,
        Fault.CALLED_DUPLICATE_BEFORE,
        Fault.FORBIDDEN_BEFORE,
    }
)

# Answered 202 at once, decided `late_ms` later.
LATE_FAULTS = frozenset({Fault.LATE, Fault.TOLD_TWICE, Fault.TOLD_OUT_OF_ORDER, Fault.FORGED})
# What the book says in the end is not what was answered, or not all: only by card or amount.
_NEVER_MIXED = frozenset({Fault.RETURNED, Fault.RETURNED_UNSEEN, Fault.CONTRADICTED})
_MIXED = tuple(fault for fault in Fault if fault not in _NEVER_MIXED)

_HIDDEN_INQUIRIES = {Fault.HIDDEN_ONCE: 1, Fault.HIDDEN_LONG: 3}

CardKind = Literal["code", "fault", "eligibility", "late_code"]

# The first six digits of a test card say its kind, digits 14 and 15 its NN.
_KIND_PREFIXES: Mapping[str, Mapping[CardKind, str]] = {
    "visa": {
        "code": "400011",
        "fault": "400012",
        "eligibility": "400013",
        "late_code": "400014",
    },
    "mastercard": {
        "code": "510011",
        "fault": "510012",
        "eligibility": "510013",
        "late_code": "510014",
    },
}
_KINDS = {prefix: kind for kinds in _KIND_PREFIXES.values() for kind, prefix in kinds.items()}
_TEST_CARD_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of an instruction, and how its answer goes wrong if at all."""

    code: str
    fault: Fault | None

    @property
    def hidden_inquiries(self) -> int:
        return _HIDDEN_INQUIRIES.get(self.fault, 0) if self.fault is not None else 0

    @property
    def is_dropped(self) -> bool:
        return self.fault in DROPPING_FAULTS


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What the attributes inquiry says about a card; None in place of it means unavailable."""

    speed: Speed
    card_type: CardType


_ELIGIBILITY: Mapping[int, CardAnswer | None] = {
    1: CardAnswer("standard", "debit"),
    2: CardAnswer("not_supported", "debit"),
    3: CardAnswer("fast_funds", "credit"),
    4: None,
    5: CardAnswer("fast_funds", "prepaid"),
    6: CardAnswer("not_supported", "credit"),
}
_ORDINARY_CARD = CardAnswer("fast_funds", "debit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What holds for all instructions; set at the start or through POST /control.

    `faults` is a share (0 to 1) of the instructions that have no fault by card or amount; which of
    them, and which fault out of `mix`, follows from `seed` and the trace number. If `mix` is empty
    it is all of them but those that undo what was answered.
    """

    latency_ms: int = 50
    limit_ms: int = 30_000
    late_ms: int = 2_000
    return_ms: int = 3 * 24 * 60 * 60 * 1000
    faults: float = 0.0
    seed: int = 0
    mix: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.faults <= 1:
            raise ValueError("faults is a share from 0 to 1.")
        if min(self.latency_ms, self.limit_ms, self.late_ms, self.return_ms) < 0:
            raise ValueError("A time cannot be negative.")

    def with_changes(self, changes: Mapping[str, object]) -> "Switches":
        """A copy with some switches set anew. Raises ValueError for what is no switch or value."""
        checked: dict[str, Any] = {name: _switch(name, value) for name, value in changes.items()}
        return replace(self, **checked)


def fault_named(name: str) -> Fault:
    """The fault of a name such as `reset_after`. Raises ValueError."""
    try:
        return Fault[name.upper()]
    except KeyError:
        raise ValueError(f"{name!r} is no fault.") from None


def make_card_number(kind: CardKind, nn: int, *, network: str = "visa") -> str:
    """The test card of this kind and NN (0 to 99), with a valid check digit."""
    return _with_check_digit(f"{_KIND_PREFIXES[network][kind]}0000000{nn:02d}")


def plan_for(
    number: str, *, amount_cents: int, identity: NetworkIdentity, switches: Switches
) -> Plan:
    """What becomes of an instruction: by its amount, else by its card, else by the seeded mix."""
    kind, nn = _card_role(number)
    code, fault = APPROVED, None
    if kind == "code":
        code = f"{nn:02d}"
    elif kind == "fault":
        fault = _fault_or_none(nn)
    elif kind == "late_code":
        code, fault = f"{nn:02d}", Fault.LATE
    elif not _can_be_pushed_to(number):
        code = _NOT_PERMITTED
    if amount_cents in _CODE_AMOUNTS_CENTS:
        code = f"{amount_cents % 100:02d}"
    elif amount_cents in _FAULT_AMOUNTS_CENTS:
        fault = _fault_or_none(amount_cents % 100)
    elif amount_cents > _MOST_CENTS:
        code = _INVALID_AMOUNT
    if code == DUPLICATE_CODE:
        return Plan(APPROVED, Fault.CALLED_DUPLICATE)
    return Plan(code, fault or _mixed_fault(identity, switches))


def card_answer_for(number: str) -> CardAnswer | None:
    """What the attributes inquiry answers for a card; None: it is unavailable for this one."""
    kind, nn = _card_role(number)
    return _ELIGIBILITY.get(nn, _ORDINARY_CARD) if kind == "eligibility" else _ORDINARY_CARD


def is_approval(code: str) -> bool:
    return code in APPROVAL_CODES


def _switch(name: str, value: object) -> object:
    if name == "mix":
        return _mix(value)
    if name in {"latency_ms", "limit_ms", "late_ms", "return_ms", "seed"} and type(value) is int:
        return value
    if name == "faults" and type(value) in (int, float):
        return value
    raise ValueError(f"{name!r} cannot be switched to {value!r}.")


def _mix(value: object) -> tuple[Fault, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("mix is a list of names of faults.")
    return tuple(fault_named(str(name)) for name in value)


def _card_role(number: str) -> tuple[CardKind | None, int]:
    kind = _KINDS.get(number[:6]) if len(number) == _TEST_CARD_LENGTH else None
    return kind, int(number[13:15]) if kind else 0


def _can_be_pushed_to(number: str) -> bool:
    answer = card_answer_for(number)
    return answer is None or answer.speed != "not_supported"


def _fault_or_none(nn: int) -> Fault | None:
    return Fault(nn) if nn in Fault.__members__.values() else None


def _mixed_fault(identity: NetworkIdentity, switches: Switches) -> Fault | None:
    # The reference number holds the time, so a second run would draw other faults with it.
    trace = f"{switches.seed}:{identity.terminal_id}:{identity.systems_trace_audit_number}"
    drawn = int.from_bytes(hashlib.sha256(trace.encode()).digest()[:8], "big")
    if drawn % _MIX_STEPS >= switches.faults * _MIX_STEPS:
        return None
    choice = switches.mix or _MIXED
    return choice[drawn // _MIX_STEPS % len(choice)]


def _with_check_digit(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{digits}{-total % 10}"
