"""What must be true of a payment after what was asked and what the network did. Plain Python."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from payouts.networks.base import Finding, NotFound, Outcome
from payouts.networks.sandbox.settlement import CREDIT, RETURN
from payouts.states import Status, can_become
from tests.pushes import (
    APPROVED,
    REFUSED_CONNECTION,
    TIMEOUT,
    declined,
)

FUNDED: Final = Decimal("300.00")
NEEDS_APPROVAL: Final = Decimal("50.00")
KEYS: Final = ("a", "b", "c", "d", "e", "f")
FIRST: Final = (("7.00", "first"), ("60.00", "second"))
AMOUNTS: Final = ("0.01", "9.99", "49.99", "50.00", "120.00")
DECLINED: Final = declined("05")

# What happens to an instruction: whether the network carries it out, and what its sender hears.
FATES: Final[dict[str, tuple[bool | None, Outcome | None]]] = {
    "approved": (True, APPROVED),
    "declined": (False, DECLINED),
    "approved, answer lost": (True, TIMEOUT),
    "declined, answer lost": (False, TIMEOUT),
    "lost on the way": (None, TIMEOUT),
    "approved, sender dies": (True, None),
    "sender dies first": (None, None),
    "refused": (None, REFUSED_CONNECTION),
}
# What may be wrong with one line of a settlement file. Each is a case, and changes no payment.
WRONG: Final = ("another amount", "twice", "left out")
PAID: Final = (Status.COMPLETED, Status.RETURNED)
UNCLEAR: Final = (Status.SUBMITTED, Status.UNKNOWN)


@dataclass
class Modelled:
    """What must be true of one payment."""

    amount: Decimal
    status: Status
    # The network's own book: None while it has nothing, then whether it credited, for ever.
    credited: bool | None = None
    came_back: bool = False
    # The kinds of lines that settlement files have had about it.
    settled: set[str] = field(default_factory=set)
    sends: int = 0
    not_found: int = 0
    # Whether the sender of the newest send has said that nothing left.
    identity: object = None
    past: list[Status] = field(default_factory=list)

    def become(self, status: Status) -> None:
        assert status is self.status or can_become(self.status, status)
        self.past.append(self.status)
        self.status = status

    def to_be_settled(self) -> list[str]:
        """The lines that the network's next file has about it."""
        kinds = [CREDIT, RETURN] if self.came_back else [CREDIT]
        return [kind for kind in kinds if self.credited and kind not in self.settled]

    def be_settled(self, kind: str, *, wrong: str) -> None:
        """What follows from a line: what is unclear is clear now, also by its coming back."""
        if wrong == "left out":
            return
        self.settled.add(kind)
        if self.status in UNCLEAR and wrong != "another amount":
            self.become(Status.COMPLETED)
        if kind == RETURN:
            self.become(Status.RETURNED)


def found_of(one: Modelled) -> Finding:
    """What an inquiry about it finds."""
    if one.credited is None:
        return NotFound()
    return APPROVED if one.credited else DECLINED


def status_after(heard: Outcome | Finding, *, may_have_left: bool = False) -> Status:
    """What a payment becomes of which this was heard."""
    if heard is APPROVED:
        return Status.COMPLETED
    if heard is DECLINED:
        return Status.FAILED
    if heard is REFUSED_CONNECTION and not may_have_left:
        return Status.PENDING
    return Status.UNKNOWN
