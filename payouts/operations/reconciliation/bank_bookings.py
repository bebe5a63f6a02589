"""What is booked of what our bank shows: lines of journals. Nothing is decided here.

`bank` is what we own, so what the bank takes is a credit to it; what we owe a network stands as a
credit on its account (docs/adr/0030).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from payouts.doubts import CaseKind, Way
from payouts.models import Account, AccountKind, Case
from payouts.operations.ledger import Line

OF_BANK: Final = frozenset(
    {CaseKind.BANK_AMOUNT_DIFFERS, CaseKind.BANK_SETTLED_AGAIN, CaseKind.BANK_ENTRY_UNKNOWN}
)


def settling_lines(amount: Decimal, owed: Mapping[str, Decimal]) -> Sequence[Line]:
    """An entry of this amount settles what is `owed` to networks; what differs goes to suspense."""
    suspense = -amount - sum(owed.values(), Decimal(0))
    return [
        *(Line(payable_to(network), dollars) for network, dollars in sorted(owed.items())),
        Line(_own(AccountKind.BANK), amount),
        Line(_own(AccountKind.SUSPENSE), suspense),
    ]


def closing_lines(case: Case, way: Way) -> Sequence[Line]:
    """What a case about the bank books when it ends in this way."""
    theirs = case.theirs
    if case.kind == CaseKind.BANK_AMOUNT_DIFFERS:
        # The entry was booked; the rest of it stands in suspense.
        rest = Decimal(theirs["difference"])
        return [
            Line(_own(AccountKind.SUSPENSE), -rest),
            Line(payable_to(theirs["network"]), rest),
        ]
    amount = Decimal(theirs["amount"])
    is_networks = way is Way.TO_NETWORK
    other = payable_to(theirs["network"]) if is_networks else _own(AccountKind.SUSPENSE)
    return [Line(_own(AccountKind.BANK), amount), Line(other, -amount)]


def payable_to(network: str) -> int:
    """The account of what we owe the network."""
    rows = Account.objects.values_list("pk", flat=True)
    return rows.get(kind=AccountKind.NETWORK_PAYABLE, network=network)


def _own(kind: AccountKind) -> int:
    return Account.objects.values_list("pk", flat=True).get(kind=kind)
