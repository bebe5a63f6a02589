"""Takes money back that a network returns: a push that was paid, and came back days later.

The partner gets the amount; the fee stays ours, because the push was made.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.statements import fetch_row
from payouts.actors import WORKER, Actor
from payouts.doubts import RETURNS, CaseKind
from payouts.models import Attempt, Case, Event, EventKind
from payouts.models.changes import RESOLUTION, RETURN
from payouts.models.payment import AttemptState
from payouts.networks.base import NetworkIdentity
from payouts.operations.cases import Disagreement, open_case
from payouts.operations.locked_payment import LockedPayment, complete, lock_payment
from payouts.operations.overtake import overtake_proposals
from payouts.operations.take_back import (
    CAME_BACK,
    REFERENCE,
    SETTLEMENT_LINE,
    is_given_back,
    take_back,
)
from payouts.operations.transition import Step, take_step
from payouts.states import Status

_AMOUNT: Final = "amount"


class NoSuchInstruction(LookupError):
    """No attempt of ours has this network identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnNotice:
    """What a network says: the instruction with this identity came back, with so many dollars.

    `reference` is the network's own name for the return, for people to look it up by. A settlement
    file has none of the network's: then `is_settled`, and it is the line's.
    """

    network: str
    identity: NetworkIdentity
    amount: Decimal
    reference: str = ""
    is_settled: bool = False


_BY_IDENTITY: Final = """
SELECT payment_id FROM payouts_attempt
WHERE network = %(network)s AND acquiring_bin = %(acquiring_bin)s AND trace_number = %(trace)s
    AND retrieval_reference_number = %(reference)s AND terminal_id = %(terminal)s
    AND card_acceptor_id = %(acceptor)s
"""


def return_payment(notice: ReturnNotice, *, actor: Actor = WORKER) -> Status:
    """Return a completed payment by a network's word; return the status that it has now.

    What comes back was credited: a payment of which nobody knew is completed first, in a
    transaction of its own, so that one that dies in between is completed and the word is good
    again. The same word again, or twice at once, changes nothing. A word about a payment that is
    not paid, whose money was given back already, which came back under another reference, or about
    another amount, moves no money and opens a case: one for each reference.

    :raises NoSuchInstruction: the identity is of none of our attempts.
    """
    at = timezone.now()
    payment_id = payment_with(notice.network, notice.identity)
    _complete_unclear(payment_id, notice, actor=actor, at=at)
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status is Status.RETURNED:
            _compare_with_first(payment, notice, actor=actor, at=at)
            return payment.status
        if not _is_paid(payment) or payment.amount != notice.amount:
            _open_case(payment, notice, actor=actor, at=at)
            return payment.status
        why = "The network has returned it meanwhile."
        overtake_proposals(payment.id, RETURN, why=why, at=at)
        take_back(payment, details=_named(notice), actor=actor, at=at)
    return Status.RETURNED


def _named(notice: ReturnNotice, *, by: str = REFERENCE) -> dict[str, str]:
    return {SETTLEMENT_LINE if notice.is_settled else by: notice.reference}


def _is_paid(payment: LockedPayment) -> bool:
    """Completed, and not given back by a correction: then its money would come back twice."""
    return payment.status is Status.COMPLETED and not is_given_back(payment)


def _complete_unclear(
    payment_id: UUID, notice: ReturnNotice, *, actor: Actor, at: datetime
) -> None:
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status not in (Status.SUBMITTED, Status.UNKNOWN):
            return
        why = "The network has returned it, so it was paid."
        overtake_proposals(payment.id, RESOLUTION, why=why, at=at)
        # Its word about this instruction, and a definite one.
        Attempt.objects.filter(pk=payment.id).update(state=AttemptState.APPROVED, answered_at=at)
        told = {"proved_by": "its return", "network_reference": notice.reference}
        complete(payment, details=told, actor=actor, at=at)


def _compare_with_first(
    payment: LockedPayment, notice: ReturnNotice, *, actor: Actor, at: datetime
) -> None:
    """What came back comes back once: a word of another return is a case.

    What a file or two people have returned has no reference of the network's. The first that tells
    of this amount is about the same money, and is noted. A file tells of what was told before.
    """
    told = _references(payment.id)
    if notice.is_settled or not notice.reference or notice.reference in told:
        return
    if told or notice.amount != _came_back(payment):
        _open_case(payment, notice, is_another=bool(told), actor=actor, at=at)
        return
    _note_told(payment, notice, actor=actor, at=at)


def _note_told(payment: LockedPayment, notice: ReturnNotice, *, actor: Actor, at: datetime) -> None:
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=payment.status,
            kind=EventKind.CONFIRMED,
            actor=actor,
            at=at,
            due_at=payment.due_at,
            failure_code=payment.failure_code,
            network_code=payment.network_code,
            details={
                "found": Status.RETURNED.value,
                REFERENCE: notice.reference,
                _AMOUNT: f"{notice.amount:.2f}",
            },
        ),
    )


def _is_filed(payment: LockedPayment, notice: ReturnNotice) -> bool:
    """Whether the case of a settlement file is about what the network tells here by its own name.

    Each case of a file is about one word: another reference for the same dollars is another return.
    """
    if notice.is_settled or not notice.reference:
        return False
    about = Case.objects.filter(kind__in=RETURNS, payment_id=payment.id, amount=notice.amount)
    filed = about.filter(theirs__has_key=SETTLEMENT_LINE).count()
    told = Event.objects.filter(payment_id=payment.id, kind=EventKind.CONFIRMED)
    return filed > told.filter(**{f"details__{_AMOUNT}": f"{notice.amount:.2f}"}).count()


def _came_back(payment: LockedPayment) -> Decimal:
    """How many dollars came back by the books."""
    event = Event.objects.get(payment_id=payment.id, kind=EventKind.RETURNED)
    return Decimal(event.details.get(CAME_BACK, payment.amount))


def _references(payment_id: UUID) -> set[str]:
    """Under which references the network has told of the return that stands in the books."""
    events = Event.objects.filter(payment_id=payment_id, details__has_key=REFERENCE)
    told = events.filter(kind__in=[EventKind.RETURNED, EventKind.CONFIRMED])
    return set(told.values_list(f"details__{REFERENCE}", flat=True)) - {""}


def payment_with(network: str, identity: NetworkIdentity) -> UUID:
    """The payment that was sent to this network under this identity.

    :raises NoSuchInstruction: none was.
    """
    row = fetch_row(
        _BY_IDENTITY,
        {
            "network": network,
            "acquiring_bin": identity.acquiring_bin,
            "trace": identity.systems_trace_audit_number,
            "reference": identity.retrieval_reference_number,
            "terminal": identity.terminal_id,
            "acceptor": identity.card_acceptor_id,
        },
    )
    if row is None:
        raise NoSuchInstruction(identity.retrieval_reference_number)
    payment_id: UUID = row[0]
    return payment_id


def _open_case(
    payment: LockedPayment,
    notice: ReturnNotice,
    *,
    is_another: bool = False,
    actor: Actor,
    at: datetime,
) -> None:
    subject = f"{payment.id}|{notice.reference or notice.amount}"
    if Case.objects.filter(subject=subject, kind__in=RETURNS).exists():
        # What it was then is what it is about, whatever the payment has become.
        return
    if notice.reference in _references(payment.id):
        return
    if _is_filed(payment, notice):
        _note_told(payment, notice, actor=actor, at=at)
        return
    is_returned = payment.status is Status.RETURNED
    differs = _is_paid(payment) or (is_returned and not is_another)
    ours = "we pushed another amount" if differs else f"we say {payment.status}"
    open_case(
        Disagreement(
            kind=CaseKind.RETURN_DIFFERS if differs else CaseKind.UNEXPECTED_RETURN,
            subject=subject,
            title=f"${payment.amount:,.2f}: the network returned ${notice.amount:,.2f}"
            f"{' as well' if is_another else ''}, {ours}",
            amount=notice.amount,
            payment_id=payment.id,
            partner_id=payment.partner_id,
            # What came back has moved before. If the partner has it already, nobody disputes that.
            disputes=not differs and not is_returned and not is_given_back(payment),
            ours={"status": payment.status.value, "amount": f"{payment.amount:.2f}"},
            theirs={
                "says": "returned",
                "amount": f"{notice.amount:.2f}",
                "network": notice.network,
                **_named(notice, by="reference"),
            },
        ),
        actor=actor,
        at=at,
    )
