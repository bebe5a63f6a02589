"""What a card network looks like from inside the house: the words between sender and adapter.

Plain frozen values and one protocol. Nothing of Django, of the database or of a particular network
may enter. The rule that every adapter keeps: only a definite answer is `Approved` or `Declined`,
only a message of which provably no byte has left is `NotSent`, everything else is `Unknown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol

from payouts.declines import APPROVAL_CODES, NOT_DECLINES

# What a network said, for showing to staff: flat, fit for JSON, and never with a card number in it.
RawValue = str | int | bool | None
Raw = Mapping[str, RawValue]

Speed = Literal["fast_funds", "standard", "not_supported"]
CardType = Literal["debit", "prepaid", "credit"]

_TRACE_NUMBERS = 1_000_000
_SEQUENCES = _TRACE_NUMBERS * 1_000_000


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """The five values by which a network recognises one instruction for ever.

    Allocated and committed before the first byte leaves; a resend carries the same five.
    """

    acquiring_bin: str
    systems_trace_audit_number: str
    retrieval_reference_number: str
    card_acceptor_id: str
    terminal_id: str


def identity_from_sequence(
    sequence: int, *, at: datetime, acquiring_bin: str, card_acceptor_id: str
) -> NetworkIdentity:
    """Derive the identity of one instruction from a number that is never given out twice.

    The trace number (STAN) is the sequence modulo a million. The retrieval reference number is
    `ydddhhnnnnnn` (last digit of the year, day of the year, hour, all UTC, then the trace number),
    the form that Visa Direct prescribes. Trace numbers come round every million, so beyond a
    million instructions an hour those two would repeat: the terminal id therefore carries the
    millions (`PT` and six digits), and the five values together are unique for 10^12 instructions
    whatever `at` is.

    Pure: the same arguments give the same identity. Raises ValueError for a sequence outside
    0 to 10^12 - 1 or an `at` without a time zone.
    """
    if not 0 <= sequence < _SEQUENCES:
        raise ValueError("The sequence must be from 0 to 10^12 - 1.")
    if at.tzinfo is None:
        raise ValueError("The time of an identity needs a time zone.")
    millions, trace_number = divmod(sequence, _TRACE_NUMBERS)
    utc = at.astimezone(UTC)
    prefix = f"{utc.year % 10}{utc.timetuple().tm_yday:03d}{utc.hour:02d}"
    return NetworkIdentity(
        acquiring_bin=acquiring_bin,
        systems_trace_audit_number=f"{trace_number:06d}",
        retrieval_reference_number=f"{prefix}{trace_number:06d}",
        card_acceptor_id=card_acceptor_id,
        terminal_id=f"PT{millions:06d}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One instruction to credit a card. `number` is the revealed card number: it never shows."""

    identity: NetworkIdentity
    number: str = field(repr=False)
    expiration_month: int
    expiration_year: int
    amount: Decimal
    currency: str
    recipient_name: str
    description: str


class UnknownReason(StrEnum):
    """Why nobody can say whether the money moved."""

    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    SERVER_ERROR = "server_error"
    # 202: the network is still at it and gave a status identifier to ask with.
    IN_PROGRESS = "in_progress"
    # 303: the same identity is being worked on for an earlier call of ours.
    STILL_RUNNING = "still_running"
    UNREADABLE_ANSWER = "unreadable_answer"
    UNEXPECTED_STATUS = "unexpected_status"
    IDENTITY_MISMATCH = "identity_mismatch"
    # A code that approves in part or under a condition, which no push should get.
    UNCLEAR_CODE = "unclear_code"
    # The network says that it has this identity already, and could not tell us what became of it.
    UNRESOLVED_DUPLICATE = "unresolved_duplicate"
    # Only for inquiries: the question itself could not be put.
    UNREACHABLE = "unreachable"
    # Not an answer at all: whoever was sending stopped in the middle. Recorded by the sweep.
    SENDER_LOST = "sender_lost"
    # A fault of our own after the message may have left.
    INTERNAL_ERROR = "internal_error"


class NotSentReason(StrEnum):
    """Why provably no byte of the instruction reached the network."""

    CONNECTION_FAILED = "connection_failed"
    CONNECT_TIMEOUT = "connect_timeout"


@dataclass(frozen=True, slots=True)
class Approved:
    """The network has credited the card. Final: an OCT cannot be taken back."""

    network_code: str
    approval_code: str
    transaction_id: str
    raw: Raw = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.network_code not in APPROVAL_CODES:
            raise ValueError(f"{self.network_code!r} is not an approval.")


@dataclass(frozen=True, slots=True)
class Declined:
    """The network has definitely not credited the card; `decline_for` says what follows."""

    network_code: str
    raw: Raw = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.network_code in NOT_DECLINES:
            raise ValueError(f"{self.network_code!r} is not a decline.")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether the card was credited: the funds stay held and an inquiry follows."""

    why: UnknownReason
    status_identifier: str | None = None
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotSent:
    """Provably no byte has left: the only answer after which a payment may go back to the queue."""

    why: NotSentReason


@dataclass(frozen=True, slots=True)
class NotFound:
    """An inquiry's answer: the network itself says that it knows nothing of this identity (yet)."""

    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Returned:
    """The network gives back what it had credited; `reference` is its own name for that."""

    amount: Decimal
    reference: str
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a network tells by itself about one instruction. `amount` is in dollars, if it says."""

    identity: NetworkIdentity
    says: Approved | Declined | Unknown | Returned
    amount: Decimal | None


Outcome = Approved | Declined | Unknown | NotSent
Finding = Approved | Declined | Unknown | NotFound


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether and how fast a card can receive a push, as of the moment of asking."""

    eligible: bool
    speed: Speed
    card_type: CardType | None
    raw: Raw = field(default_factory=dict)


class EligibilityUnknown(Exception):
    """The network could not say whether the card can receive a push. Ask again later."""


class SettlementUnavailable(Exception):
    """The network did not give its settlement file. Ask again later."""


class CardNetwork(Protocol):
    """What the sender needs from a card network. One instance serves a whole process."""

    @property
    def name(self) -> str:
        """The network's name as it stands on attempts, in the ledger and in the API."""

    async def push(self, push: Push) -> Outcome:
        """Send one instruction, once, and say what became of it.

        Never raises for an ambiguous answer: whatever is unclear is `Unknown`. Cancelling the call
        raises CancelledError, and then the instruction may have left: treat it as unknown. Calling
        it again with the same push is a resend that the network recognises by the identity. A
        network's "duplicate" is looked up at once and answered with what the original was.
        """

    async def inquire(
        self, identity: NetworkIdentity, *, status_identifier: str | None = None
    ) -> Finding:
        """Ask what became of an instruction; changes nothing at the network, may be repeated.

        Asks by the status identifier if there is one and it is still valid, else by the identity.
        An inquiry that fails is `Unknown`, never `NotFound`.
        """

    def check_card(
        self, number: str, *, expiration_month: int, expiration_year: int
    ) -> Eligibility:
        """Ask whether a card can receive a push. Raises EligibilityUnknown. Blocks for seconds."""

    async def aclose(self) -> None:
        """Close the connections of the running event loop; the instance may be used again."""
