"""Keeps it one case when a network tells of an instruction that we never gave, and then settles it.

It tells twice: in a notification, and in a settlement file. The same money is one case, whichever
comes first; each further line about it is money of its own, and a case of its own.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from consumers.statements import fetch_rows
from payouts.doubts import CaseKind
from payouts.models import Case, SettlementFinding
from payouts.networks.base import NetworkIdentity

PAID: Final = "paid"
RETURNED: Final = "returned"
# What the lines of settlement files call it.
_OF_LINE: Final = {PAID: "credit", RETURNED: "return"}


@dataclass(frozen=True, slots=True)
class Stranger:
    """What a network says that it credited (`paid`) or took back, in dollars; not ours."""

    network: str
    identity: NetworkIdentity
    says: str
    amount: Decimal

    @property
    def subject(self) -> str:
        """The same whenever the same is told."""
        one = self.identity
        return (
            f"{self.network}|{one.retrieval_reference_number}|{one.systems_trace_audit_number}|"
            f"{one.terminal_id}|{self.says}"
        )


def lock_stranger(stranger: Stranger) -> None:
    """Let nobody else open a case about the same until the transaction ends."""
    fetch_rows("SELECT pg_advisory_xact_lock(hashtext(%(of)s))", {"of": stranger.subject})


def case_told(stranger: Stranger) -> Case | None:
    """The case that a notification has opened about this money, unless a line is about it yet."""
    case = Case.objects.filter(
        kind=CaseKind.UNKNOWN_INSTRUCTION, subject=stranger.subject, amount=stranger.amount
    ).first()
    if case is None or SettlementFinding.objects.filter(case=case).exists():
        return None
    return case


def case_settled(stranger: Stranger) -> Case | None:
    """The case that a line of a settlement file has opened about this money."""
    one = stranger.identity
    return Case.objects.filter(
        kind=CaseKind.MISSING_HERE,
        amount=stranger.amount,
        theirs__network=stranger.network,
        theirs__says=_OF_LINE[stranger.says],
        theirs__retrieval_reference_number=one.retrieval_reference_number,
        theirs__trace_number=one.systems_trace_audit_number,
        theirs__terminal=one.terminal_id,
    ).first()
