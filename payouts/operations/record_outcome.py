"""Writes down what became of a payment at the network, and moves its money accordingly.

Each function is one short transaction under a lock on the payment, and safe to run twice: what is
final stays as it is.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, record_act, subject_of
from consumers.models import CardStatus, PaymentCard
from consumers.statements import fetch_row, fetch_rows
from payouts.actors import WORKER, Actor
from payouts.declines import NETWORK_UNREACHABLE, Decline, decline_for
from payouts.models import Attempt, EventKind, JournalKind
from payouts.models.payment import AttemptState
from payouts.networks.base import Approved, Declined, NotSent, Outcome, Unknown, UnknownReason
from payouts.operations.ledger import Line, post_journal
from payouts.operations.transition import PaymentMoved, Step, take_step
from payouts.operations.waits import inquiry_pause
from payouts.states import MoneyMoved, Status, money_moved

logger = logging.getLogger(__name__)

# How long a payment that provably never left is tried again before it is given up.
GIVE_UP_SENDING_AFTER: Final = timedelta(hours=24)
_SEND_AGAIN_AFTER: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)


@dataclass(frozen=True, slots=True)
class _Locked:
    """The payment while we hold its lock, with the accounts that its money moves between."""

    id: UUID
    status: Status
    partner_id: UUID
    consumer_id: UUID
    card_id: UUID
    amount: Decimal
    fee_amount: Decimal
    created_at: datetime
    available_id: int
    held_id: int
    fee_revenue_id: int
    times_sent: int | None
    may_have_left: bool
    network_payable_id: int | None

    @property
    def total(self) -> Decimal:
        return self.amount + self.fee_amount


_LOCK: Final = "SELECT FROM payouts_payment WHERE id = %(id)s FOR NO KEY UPDATE"

# A statement of its own: what is joined to a row that one had to wait for is from before the wait.
_LOCKED: Final = """
SELECT p.id, p.status, p.partner_id, p.consumer_id, p.card_id, p.amount, p.fee_amount,
    p.created_at, available.id, held.id, fee_revenue.id,
    attempt.times_sent,
    -- Once unclear, an attempt may have left, whatever a later send of it says.
    COALESCE(attempt.unknown_reason <> '', FALSE), network_payable.id
FROM payouts_payment p
JOIN payouts_account available
    ON available.partner_id = p.partner_id AND available.kind = 'available'
JOIN payouts_account held ON held.partner_id = p.partner_id AND held.kind = 'held'
JOIN payouts_account fee_revenue ON fee_revenue.kind = 'fee_revenue'
LEFT JOIN payouts_attempt attempt ON attempt.payment_id = p.id
LEFT JOIN payouts_account network_payable
    ON network_payable.kind = 'network_payable' AND network_payable.network = attempt.network
WHERE p.id = %(id)s
"""


def _lock(payment_id: UUID) -> _Locked:
    fetch_rows(_LOCK, {"id": payment_id})
    row = fetch_row(_LOCKED, {"id": payment_id})
    assert row is not None, payment_id
    return _Locked(row[0], Status(row[1]), *row[2:])


def record_outcome(
    payment_id: UUID,
    outcome: Outcome,
    *,
    send_number: int | None = None,
    actor: Actor = WORKER,
) -> Status:
    """Record what the network said about the payment's attempt; return the status that it has now.

    Approved completes it, a decline fails it and gives the money back, an unclear answer keeps the
    money held and has the network asked, a provably unsent one goes back to the queue. For a
    payment that is final already nothing changes, whoever calls.

    `send_number` is that of the instruction. NotSent proves something about that send only: without
    the number, or when the attempt has been sent again since, it changes nothing.
    """
    at = timezone.now()
    with transaction.atomic():
        payment = _lock(payment_id)
        if payment.status not in (Status.SUBMITTED, Status.UNKNOWN):
            _report_contradiction(payment, outcome)
            return payment.status
        match outcome:
            case Approved():
                return _complete(payment, outcome, actor, at)
            case Declined():
                return _fail_declined(payment, outcome, actor, at)
            case Unknown():
                return _leave_unknown(payment, outcome, actor, at)
            case NotSent():
                if payment.status is Status.UNKNOWN or payment.times_sent != send_number:
                    return payment.status
                return _send_again(payment, outcome, actor, at)


def _report_contradiction(payment: _Locked, outcome: Outcome) -> None:
    """Nothing changes a final payment, but people have to hear of an answer that does not fit."""
    is_paid = money_moved(payment.status) is MoneyMoved.YES
    if (isinstance(outcome, Approved) and not is_paid) or (
        isinstance(outcome, Declined) and is_paid
    ):
        logger.critical(
            "The network answered %s for payment %s, which is %s.",
            outcome.network_code,
            payment.id,
            payment.status,
        )


def fail_unsent_payment(
    payment_id: UUID, *, failure_code: str, at: datetime, actor: Actor = WORKER
) -> None:
    """Fail a pending payment of which provably nothing was ever sent, and give its money back.

    Runs inside the caller's transaction.

    :raises payouts.operations.transition.PaymentMoved: if it is no longer pending.
    """
    payment = _lock(payment_id)
    if payment.status is not Status.PENDING:
        raise PaymentMoved(payment_id)
    _fail_unsent(payment, failure_code, actor, at)


def _fail_unsent(payment: _Locked, failure_code: str, actor: Actor, at: datetime) -> None:
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=Status.FAILED,
            kind=EventKind.FAILED,
            actor=actor,
            at=at,
            failure_code=failure_code,
            details={"failure": failure_code},
        ),
    )
    _give_back(payment, actor, at)


def release_hold(payment_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Give the held money and the day's room back.

    Runs in the transaction that ends the payment unpaid.
    """
    _give_back(_lock(payment_id), actor, at)


def _complete(payment: _Locked, outcome: Approved, actor: Actor, at: datetime) -> Status:
    _close_attempt(
        payment.id,
        AttemptState.APPROVED,
        at,
        network_code=outcome.network_code,
        approval_code=outcome.approval_code,
        transaction_id=outcome.transaction_id,
        answer=dict(outcome.raw),
    )
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=Status.COMPLETED,
            kind=EventKind.COMPLETED,
            actor=actor,
            at=at,
            completed_at=at,
            network_code=outcome.network_code,
            details={"approval_code": outcome.approval_code},
        ),
    )
    assert payment.network_payable_id is not None
    post_journal(
        JournalKind.COMPLETED,
        payment_id=payment.id,
        lines=[
            Line(payment.held_id, payment.total),
            Line(payment.network_payable_id, -payment.amount),
            Line(payment.fee_revenue_id, -payment.fee_amount),
        ],
        actor=actor,
        at=at,
    )
    return Status.COMPLETED


def _fail_declined(payment: _Locked, outcome: Declined, actor: Actor, at: datetime) -> Status:
    decline = decline_for(outcome.network_code)
    _close_attempt(
        payment.id,
        AttemptState.DECLINED,
        at,
        network_code=outcome.network_code,
        answer=dict(outcome.raw),
    )
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=Status.FAILED,
            kind=EventKind.FAILED,
            actor=actor,
            at=at,
            failure_code=decline.code,
            network_code=outcome.network_code,
            details={"failure": decline.code, "network_code": outcome.network_code},
        ),
    )
    _mark_card(payment.card_id, decline, at)
    _give_back(payment, actor, at)
    return Status.FAILED


def _mark_card(card_id: UUID, decline: Decline, at: datetime) -> None:
    if decline.deactivates_card:
        deactivated = PaymentCard.objects.filter(pk=card_id, status=CardStatus.ACTIVE).update(
            status=CardStatus.INACTIVE, deactivation_reason=decline.code, updated_at=at
        )
        if deactivated:
            card = PaymentCard.objects.only("network", "last4", "partner").get(pk=card_id)
            subject = subject_of(card)
            record_act(Act(verb=Verb.DEACTIVATE, subject=subject, reason=decline.code))
    if decline.marks_not_push_capable:
        PaymentCard.objects.filter(pk=card_id).update(
            push_eligible=False, push_speed="not_supported", push_checked_at=at, updated_at=at
        )


def _leave_unknown(payment: _Locked, outcome: Unknown, actor: Actor, at: datetime) -> Status:
    # A status identifier is kept until there is a newer one: it is the surer way to ask.
    newer = {"status_identifier": outcome.status_identifier} if outcome.status_identifier else {}
    Attempt.objects.filter(pk=payment.id).update(
        state=AttemptState.UNKNOWN,
        unknown_reason=outcome.why.value,
        answer=dict(outcome.raw),
        answered_at=at,
        **newer,
    )
    if payment.status is Status.SUBMITTED:
        take_step(
            payment.id,
            Step(
                before=Status.SUBMITTED,
                to=Status.UNKNOWN,
                kind=EventKind.UNKNOWN,
                actor=actor,
                at=at,
                due_at=at + inquiry_pause(times_inquired=0),
                details={"why": outcome.why.value},
            ),
        )
    return Status.UNKNOWN


def _send_again(payment: _Locked, outcome: NotSent, actor: Actor, at: datetime) -> Status:
    if payment.may_have_left:
        return _leave_unknown(payment, Unknown(UnknownReason.UNREACHABLE), actor, at)
    _close_attempt(payment.id, AttemptState.NOT_SENT, at)
    if at - payment.created_at > GIVE_UP_SENDING_AFTER:
        return _give_up(payment, actor, at)
    assert payment.times_sent is not None
    pause = _SEND_AGAIN_AFTER[min(payment.times_sent, len(_SEND_AGAIN_AFTER)) - 1]
    take_step(
        payment.id,
        Step(
            before=Status.SUBMITTED,
            to=Status.PENDING,
            kind=EventKind.NOT_SENT,
            actor=actor,
            at=at,
            due_at=at + pause,
            details={"why": outcome.why.value},
        ),
    )
    return Status.PENDING


def _give_up(payment: _Locked, actor: Actor, at: datetime) -> Status:
    # One step, not two through pending: a transaction changes a payment's status once.
    _fail_unsent(payment, NETWORK_UNREACHABLE.code, actor, at)
    return Status.FAILED


def _close_attempt(payment_id: UUID, state: AttemptState, at: datetime, **said: Any) -> None:
    Attempt.objects.filter(pk=payment_id).update(state=state, answered_at=at, **said)


_GIVE_BACK_USAGE: Final = """
INSERT INTO payouts_dailyusage AS u (subject_id, day, part, amount, count)
SELECT subject_id, %(day)s, part, -%(amount)s, -1
FROM (VALUES (1, %(card)s::uuid, 0), (2, %(consumer)s, 0),
             (3, %(partner)s, floor(random() * 16)::int)) AS used (place, subject_id, part)
ORDER BY place
ON CONFLICT (subject_id, day, part) DO UPDATE
SET amount = u.amount + excluded.amount, count = u.count + excluded.count
RETURNING subject_id
"""


def _give_back(payment: _Locked, actor: Actor, at: datetime) -> None:
    """The hold returns to the partner, and the day that the push was made on has its room again."""
    fetch_rows(
        _GIVE_BACK_USAGE,
        {
            "day": payment.created_at.astimezone(UTC).date(),
            "amount": payment.amount,
            "card": payment.card_id,
            "consumer": payment.consumer_id,
            "partner": payment.partner_id,
        },
    )
    post_journal(
        JournalKind.RELEASED,
        payment_id=payment.id,
        lines=[
            Line(payment.held_id, payment.total),
            Line(payment.available_id, -payment.total),
        ],
        actor=actor,
        at=at,
    )
