"""What closing a case books: what puts its payment's money right, or what nobody has explained yet.

Which ways a case may end, and who decides, is said in `cases`.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from payouts.actors import Actor
from payouts.doubts import RETURNS, Way
from payouts.models import Account, AccountKind, Case, Journal, JournalKind
from payouts.models.changes import RETURN
from payouts.operations.ledger import Line, placed_lines, post_journal
from payouts.operations.locked_payment import LockedPayment, lock_payment
from payouts.operations.overtake import overtake_proposals
from payouts.operations.reconciliation.bank_bookings import OF_BANK, closing_lines
from payouts.operations.take_back import REFERENCE, SETTLEMENT_LINE, take_back
from payouts.operations.transition import PaymentMoved


class CaseCorrectedBefore(Exception):
    """Another case has put the money of its payment right since this was proposed."""


def was_corrected(case: Case) -> bool:
    """Whether the money of the case's payment was put right already, by this case or another."""
    if case.payment_id is None:
        return False
    corrected = Journal.objects.filter(kind=JournalKind.CORRECTED, payment_id=case.payment_id)
    return corrected.exists()


def book_closing(case: Case, way: Way, *, actor: Actor, at: datetime) -> int | None:
    """Book what this way of closing the case asks for; return the journal's id, if there is one.

    Joins the caller's transaction, which has the case's lock; takes the payment's if money of one
    moves.

    :raises CaseCorrectedBefore: nothing is booked.
    :raises payouts.operations.ledger.BelowFloor: the partner cannot pay; nothing is booked.
    """
    if way is Way.NOTHING:
        return None
    if case.kind in OF_BANK:
        return _book_at_bank(case, way=way, actor=actor, at=at)
    if case.kind in RETURNS:
        return _book_return(case, way=way, actor=actor, at=at)
    book = _put_in_suspense if way is Way.TO_SUSPENSE else partial(_correct, way=way)
    return book(case, actor=actor, at=at)


def _book_at_bank(case: Case, *, way: Way, actor: Actor, at: datetime) -> int:
    return post_journal(
        JournalKind.RECONCILED,
        lines=closing_lines(case, way),
        description=f"{case.title}: {way.value.replace('_', ' ')}"[:200],
        actor=actor,
        at=at,
    )


def _book_return(case: Case, *, way: Way, actor: Actor, at: datetime) -> int:
    """Book what came back: as the return of its payment, or what of it is nobody's to suspense."""
    assert case.payment_id is not None
    payment = lock_payment(case.payment_id)
    assert payment.network_payable_id is not None
    came = Decimal(case.theirs["amount"])
    if way is Way.CAME_BACK:
        return _return(case, payment, came=came, actor=actor, at=at)
    more = came if way is Way.ALL_TO_SUSPENSE else came - payment.amount
    return post_journal(
        JournalKind.RECONCILED,
        lines=[Line(payment.network_payable_id, more), Line(_suspense_id(), -more)],
        description=f"{case.title}: to suspense"[:200],
        actor=actor,
        at=at,
    )


def _return(
    case: Case, payment: LockedPayment, *, came: Decimal, actor: Actor, at: datetime
) -> int:
    overtake_proposals(payment.id, RETURN, why="A case about its return was closed.", at=at)
    names = {"reference": REFERENCE, SETTLEMENT_LINE: SETTLEMENT_LINE}
    told = {names[name]: says for name, says in case.theirs.items() if name in names}
    details = {"case": str(case.pk), **told}
    try:
        return take_back(payment, details=details, came_back=came, actor=actor, at=at)
    except PaymentMoved as moved:
        raise CaseCorrectedBefore from moved


def _correct(case: Case, *, way: Way, actor: Actor, at: datetime) -> int:
    """Book what puts the money right. The payment's status stays: it is final."""
    assert case.payment_id is not None
    payment = lock_payment(case.payment_id)
    if was_corrected(case):
        raise CaseCorrectedBefore
    return post_journal(
        JournalKind.CORRECTED,
        payment_id=payment.id,
        lines=_LINES[way](payment),
        description=f"{case.title}: {way.value.replace('_', ' ')}"[:200],
        actor=actor,
        at=at,
    )


def _put_in_suspense(case: Case, *, actor: Actor, at: datetime) -> int:
    """Book what the network takes more than we owe it, or less. No payment and no partner moves."""
    network_payable = Account.objects.values_list("pk", flat=True).get(
        kind=AccountKind.NETWORK_PAYABLE, network=case.theirs["network"]
    )
    more = Decimal(case.theirs["difference"])
    return post_journal(
        JournalKind.RECONCILED,
        lines=[Line(_suspense_id(), more), Line(network_payable, -more)],
        description=f"{case.title}: to suspense"[:200],
        actor=actor,
        at=at,
    )


def _suspense_id() -> int:
    return Account.objects.values_list("pk", flat=True).get(kind=AccountKind.SUSPENSE)


def _charge_partner(payment: LockedPayment) -> Sequence[Line]:
    assert payment.network_payable_id is not None
    lines = (
        Line(payment.available_id, payment.total),
        Line(payment.network_payable_id, -payment.amount),
        Line(payment.fee_revenue_id, -payment.fee_amount),
    )
    return placed_lines(lines, making_room_in=payment.available_id)


def _house_bears(payment: LockedPayment) -> Sequence[Line]:
    assert payment.network_payable_id is not None
    return (Line(_suspense_id(), payment.amount), Line(payment.network_payable_id, -payment.amount))


def _give_back(payment: LockedPayment) -> Sequence[Line]:
    assert payment.network_payable_id is not None
    return (
        Line(payment.available_id, -payment.total),
        Line(payment.network_payable_id, payment.amount),
        Line(payment.fee_revenue_id, payment.fee_amount),
    )


_LINES: Final = {
    Way.CHARGE_PARTNER: _charge_partner,
    Way.HOUSE_BEARS: _house_bears,
    Way.GIVE_BACK: _give_back,
}
# What puts the money of a payment right, which is done once.
CORRECTIONS: Final = frozenset(_LINES)
