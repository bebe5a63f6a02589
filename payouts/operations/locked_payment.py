"""A payment under our lock, with the accounts that its money moves between, and how it moves.

Whoever settles a payment locks it here, takes the step, and calls what moves the money, in one
transaction. The step that pays is here too, because it is one for all: a network's answer, a return
that proves it, two people. Nothing here decides what became of a payment.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from consumers.statements import fetch_row, fetch_rows
from payouts.actors import Actor
from payouts.models import EventKind, JournalKind
from payouts.operations.ledger import PARTS, Line, post_journal, post_releases
from payouts.operations.transition import Step, take_step
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class LockedPayment:
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
    attempt_state: str | None
    network_code: str
    failure_code: str
    maker_user_id: int | None
    due_at: datetime | None
    moved_otherwise: str

    @property
    def total(self) -> Decimal:
        return self.amount + self.fee_amount


_LOCK: Final = "SELECT FROM payouts_payment WHERE id = %(id)s FOR NO KEY UPDATE"

# A statement of its own: what is joined to a row that one had to wait for is from before the wait.
_WITH_ACCOUNTS: Final = """
SELECT p.id, p.status, p.partner_id, p.consumer_id, p.card_id, p.amount, p.fee_amount,
    p.created_at, available.id, held.id, fee_revenue.id,
    attempt.times_sent,
    -- Once unclear, an attempt may have left, whatever a later send of it says.
    COALESCE(attempt.unknown_reason <> '', FALSE), network_payable.id,
    attempt.state, p.network_code, p.failure_code, p.maker_user_id, p.due_at,
    p.moved_otherwise
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


def lock_payment(payment_id: UUID) -> LockedPayment:
    """Take the payment's lock until the transaction ends, and read it as it is then."""
    fetch_rows(_LOCK, {"id": payment_id})
    row = fetch_row(_WITH_ACCOUNTS, {"id": payment_id})
    assert row is not None, payment_id
    return LockedPayment(row[0], Status(row[1]), *row[2:])


def complete(
    payment: LockedPayment,
    *,
    details: Mapping[str, Any],
    network_code: str = "",
    actor: Actor,
    at: datetime,
) -> None:
    """Call the payment paid: the step with its event, and what was held goes out.

    In the caller's transaction, which has the payment's lock. `details` is what its history says of
    how anybody knows; its attempt is the caller's matter.

    :raises payouts.operations.transition.PaymentMoved: it is in another status than when locked.
    """
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=Status.COMPLETED,
            kind=EventKind.COMPLETED,
            actor=actor,
            at=at,
            completed_at=at,
            network_code=network_code,
            details=dict(details),
        ),
    )
    _pay_out(payment, actor=actor, at=at)


def _pay_out(payment: LockedPayment, *, actor: Actor, at: datetime) -> None:
    """What was held goes to the network, and the fee to us."""
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


_SUSPENSE: Final = "SELECT id FROM payouts_account WHERE kind = 'suspense'"


def come_back(payment: LockedPayment, *, amount: Decimal, actor: Actor, at: datetime) -> int:
    """What was paid is the partner's again; return the journal's id. The fee stays: it was pushed.

    `amount` is how many dollars the network gave back; more or less than was pushed is nobody's yet
    and stands in suspense.
    """
    assert payment.network_payable_id is not None
    row = fetch_row(_SUSPENSE, {}) if amount != payment.amount else None
    differs = [] if row is None else [Line(row[0], payment.amount - amount)]
    return post_journal(
        JournalKind.RETURNED,
        payment_id=payment.id,
        lines=[
            Line(payment.network_payable_id, amount),
            Line(payment.available_id, -payment.amount),
            *differs,
        ],
        actor=actor,
        at=at,
    )


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


def give_back(payment: LockedPayment, *, actor: Actor, at: datetime) -> None:
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


# Each row once, in the order in which whoever makes a push takes them: cards, consumers, partner.
_GIVE_BACK_USAGE_TOGETHER: Final = """
INSERT INTO payouts_dailyusage AS u (subject_id, day, part, amount, count)
SELECT used.subject_id, (p.created_at AT TIME ZONE 'UTC')::date, used.part, -sum(p.amount),
    -count(*)
FROM payouts_payment p, LATERAL (
    VALUES (1, p.card_id, 0), (2, p.consumer_id, 0), (3, p.partner_id, %(part)s::integer)
) AS used (place, subject_id, part)
WHERE p.id = ANY(%(ids)s)
GROUP BY used.place, used.subject_id, 2, used.part
ORDER BY used.place, used.subject_id, 2
ON CONFLICT (subject_id, day, part) DO UPDATE
SET amount = u.amount + excluded.amount, count = u.count + excluded.count
RETURNING subject_id
"""


def give_back_together(payment_ids: Sequence[UUID], *, actor: Actor, at: datetime) -> None:
    """The same for many that the caller's transaction has ended: two statements."""
    if payment_ids:
        part = secrets.randbelow(PARTS)
        fetch_rows(_GIVE_BACK_USAGE_TOGETHER, {"ids": list(payment_ids), "part": part})
        post_releases(payment_ids, actor=actor, at=at)
