"""The step by which a completed payment comes back: by a network's word, or by two people's.

Whoever takes it has decided that it came back. Nothing here decides, and no case is opened.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from consumers.audit import Act, Verb, record_act
from payouts.actors import Actor
from payouts.models import EventKind
from payouts.operations.locked_payment import LockedPayment, come_back
from payouts.operations.payment_subject import subject_of_payment
from payouts.operations.transition import PaymentMoved, Step, take_step
from payouts.states import MoneyMoved, Status

# The event says here how the network calls the return, or which line of a file told of it,
REFERENCE: Final = "network_reference"
SETTLEMENT_LINE: Final = "settlement_line"
# and how many dollars came back, if these were not the payment's.
CAME_BACK: Final = "came_back"


def take_back(
    payment: LockedPayment,
    *,
    details: Mapping[str, Any],
    came_back: Decimal | None = None,
    actor: Actor,
    at: datetime,
) -> int:
    """Return a completed payment under our lock: event, journal and audit entry; the journal's id.

    `came_back` is how many dollars the network gave, if these are not the payment's: the partner
    gets what it paid all the same, and what differs stands in suspense, in the same journal.

    :raises payouts.operations.transition.PaymentMoved: it is not completed, or was given back.
    """
    if is_given_back(payment):
        raise PaymentMoved(payment.id)
    told = dict(details) if came_back is None else {**details, CAME_BACK: f"{came_back:.2f}"}
    take_step(
        payment.id,
        Step(
            before=Status.COMPLETED,
            to=Status.RETURNED,
            kind=EventKind.RETURNED,
            actor=actor,
            at=at,
            network_code=payment.network_code,
            details=told,
        ),
    )
    amount = payment.amount if came_back is None else came_back
    journal_id = come_back(payment, amount=amount, actor=actor, at=at)
    record_act(
        Act(
            verb=Verb.RETURN,
            subject=subject_of_payment(payment.id),
            before={"status": payment.status.value},
            after={"status": Status.RETURNED.value, **told},
        )
    )
    return journal_id


def is_given_back(payment: LockedPayment) -> bool:
    """Whether two people have given the partner its money: then it would have it twice."""
    return payment.moved_otherwise == MoneyMoved.NO.value
