"""Answers of a network about payments that are final: noted if they agree, a case if they do not.

Nothing here changes a status or moves money.
"""

import logging
from datetime import datetime
from decimal import Decimal

from payouts.actors import Actor
from payouts.doubts import PAID_OTHERWISE, CaseKind
from payouts.models import Attempt, EventKind
from payouts.models.payment import AttemptState
from payouts.networks.base import Approved, Declined, Outcome
from payouts.operations.cases import Disagreement, open_case
from payouts.operations.locked_payment import LockedPayment
from payouts.operations.transition import Step, take_step
from payouts.states import MoneyMoved, Status, money_moved

logger = logging.getLogger(__name__)


def note_late_answer(
    payment: LockedPayment, outcome: Outcome, *, actor: Actor, at: datetime
) -> None:
    """Take note of an answer about a payment that is settled; runs under the payment's lock.

    Where people have settled it, the first definite answer that agrees is kept with the attempt and
    in the history. One that contradicts opens a case, whoever had settled it; the same one again
    changes nothing. What is not definite says nothing.
    """
    if not isinstance(outcome, Approved | Declined):
        return
    says_paid = isinstance(outcome, Approved)
    is_paid = money_moved(payment.status) is MoneyMoved.YES
    if says_paid is not _is_known_paid(payment):
        _open_case(payment, outcome, actor, at)
    elif says_paid is is_paid and payment.attempt_state == AttemptState.UNKNOWN:
        _keep(payment, outcome, actor, at)


def note_other_amount(
    payment: LockedPayment,
    outcome: Approved | Declined,
    *,
    amount: Decimal,
    actor: Actor,
    at: datetime,
) -> None:
    """Open a case about a genuine decision on another `amount`, in dollars, than was pushed.

    Runs under the lock of the payment, which is final. The same word again opens no second case.
    Whether the money moved is disputed if the word says the opposite of what is known.
    """
    is_approved = isinstance(outcome, Approved)
    says = PAID_OTHERWISE if is_approved else "not_paid"
    disputes = is_approved is not _is_known_paid(payment)
    what = "paid" if is_approved else "did not pay"
    open_case(
        Disagreement(
            kind=CaseKind.LATE_ANSWER,
            subject=f"{payment.id}|{says}|{amount:.2f}",
            title=f"${payment.amount:,.2f}: the network says that it {what} ${amount:,.2f}, we say "
            f"{payment.status}",
            amount=amount if is_approved or disputes else Decimal(0),
            payment_id=payment.id,
            partner_id=payment.partner_id,
            disputes=disputes,
            ours={
                "status": payment.status.value,
                "failure": payment.failure_code,
                "amount": f"{payment.amount:.2f}",
            },
            theirs={
                "says": says,
                "amount": f"{amount:.2f}",
                "network_code": outcome.network_code,
                **_answered(outcome),
            },
        ),
        actor=actor,
        at=at,
    )


def _is_known_paid(payment: LockedPayment) -> bool:
    """What two people have found counts, whatever the status says; while they look, the status."""
    moved = money_moved(payment.status, payment.moved_otherwise)
    if moved is MoneyMoved.UNKNOWN:
        moved = money_moved(payment.status)
    return moved is MoneyMoved.YES


def _open_case(
    payment: LockedPayment, outcome: Approved | Declined, actor: Actor, at: datetime
) -> None:
    says = "paid" if isinstance(outcome, Approved) else "not_paid"
    logger.critical(
        "The network answered %s for payment %s, which is %s.",
        outcome.network_code,
        payment.id,
        payment.status,
    )
    open_case(
        Disagreement(
            kind=CaseKind.LATE_ANSWER,
            subject=f"{payment.id}|{says}",
            title=f"${payment.amount:,.2f}: the network says {says.replace('_', ' ')}, we say "
            f"{payment.status}",
            amount=payment.amount,
            payment_id=payment.id,
            partner_id=payment.partner_id,
            disputes=True,
            ours={"status": payment.status.value, "failure": payment.failure_code},
            theirs={"says": says, "network_code": outcome.network_code, **_answered(outcome)},
        ),
        actor=actor,
        at=at,
    )


def _answered(outcome: Approved | Declined) -> dict[str, object]:
    if isinstance(outcome, Declined):
        return {"answer": dict(outcome.raw)}
    return {
        "approval_code": outcome.approval_code,
        "transaction": outcome.transaction_id,
        "answer": dict(outcome.raw),
    }


def _keep(payment: LockedPayment, outcome: Approved | Declined, actor: Actor, at: datetime) -> None:
    is_approved = isinstance(outcome, Approved)
    codes = (
        {"approval_code": outcome.approval_code, "transaction_id": outcome.transaction_id}
        if isinstance(outcome, Approved)
        else {}
    )
    Attempt.objects.filter(pk=payment.id).update(
        state=AttemptState.APPROVED if is_approved else AttemptState.DECLINED,
        network_code=outcome.network_code,
        answer=dict(outcome.raw),
        answered_at=at,
        **codes,
    )
    found = Status.COMPLETED if is_approved else Status.FAILED
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=payment.status,
            kind=EventKind.CONFIRMED,
            actor=actor,
            at=at,
            failure_code=payment.failure_code,
            network_code=payment.network_code,
            details={"found": found.value, "network_code": outcome.network_code},
        ),
    )
