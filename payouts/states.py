"""The life of a payment: every status, and what it may become. Plain Python, no Django.

The database repeats this table in a trigger (`payouts/migrations/0002_guards.py`); a test compares
the two for every pair.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a payment stands. What each may become is in `ALLOWED`."""

    PENDING_APPROVAL = "pending_approval"  # waits for people
    PENDING = "pending"  # waits to be sent; provably nothing has left
    SUBMITTED = "submitted"  # its attempt is committed, so it may have left
    UNKNOWN = "unknown"  # nobody can say whether it was paid, and the network is asked
    COMPLETED = "completed"  # the network has credited the card
    FAILED = "failed"  # certainly not paid
    REJECTED = "rejected"  # somebody said no
    CANCELED = "canceled"  # taken back before it was sent
    EXPIRED = "expired"  # nobody decided in time
    RETURNED = "returned"  # paid, and given back by the network


ALLOWED: Final[Mapping[Status, frozenset[Status]]] = {
    Status.PENDING_APPROVAL: frozenset(
        {Status.PENDING, Status.REJECTED, Status.CANCELED, Status.EXPIRED}
    ),
    Status.PENDING: frozenset({Status.SUBMITTED, Status.CANCELED, Status.FAILED}),
    # Back to pending only when provably no byte left us; see docs/adr/0004.
    Status.SUBMITTED: frozenset({Status.COMPLETED, Status.FAILED, Status.UNKNOWN, Status.PENDING}),
    Status.UNKNOWN: frozenset({Status.COMPLETED, Status.FAILED, Status.SUBMITTED}),
    Status.COMPLETED: frozenset({Status.RETURNED}),
    Status.FAILED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.RETURNED: frozenset(),
}

# Funds are held exactly in these.
OPEN: Final = frozenset({Status.PENDING_APPROVAL, Status.PENDING, Status.SUBMITTED, Status.UNKNOWN})
# Ended without a cent paid: the hold went back, and the day's limits have their room again.
UNPAID: Final = frozenset({Status.FAILED, Status.REJECTED, Status.CANCELED, Status.EXPIRED})
CANCELABLE: Final = frozenset({Status.PENDING_APPROVAL, Status.PENDING})


class MoneyMoved(StrEnum):
    """Whether the payee has had the money."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


def can_become(status: Status, after: Status) -> bool:
    """Whether a payment may go from one status to the other in one step."""
    return after in ALLOWED[status]


def money_moved(status: Status, otherwise: str = "") -> MoneyMoved:
    """Say whether the payee has, or may have, the money. A returned payment did move it.

    `otherwise` is what cases say beyond the status (`Payment.moved_otherwise`): `unknown` while one
    is open that contradicts it, and then what people have found. It wins over the status.
    """
    if otherwise:
        return MoneyMoved(otherwise)
    if status in (Status.COMPLETED, Status.RETURNED):
        return MoneyMoved.YES
    if status in (Status.SUBMITTED, Status.UNKNOWN):
        return MoneyMoved.UNKNOWN
    return MoneyMoved.NO


def safe_to_retry(status: Status, otherwise: str = "") -> bool:
    """Say whether the same amount may be pushed again under a new key without paying twice.

    An open payment may still be paid, a completed one has been: only a final, unpaid one is safe.
    A returned one is safe too, because the first push came back. `otherwise` as in `money_moved`:
    only what people have found not to be paid is safe then.
    """
    if otherwise:
        return MoneyMoved(otherwise) is MoneyMoved.NO
    return status in UNPAID or status is Status.RETURNED
