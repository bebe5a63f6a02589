"""Hands accepted payments to a sender: claims them, and gives each its network identity for ever.

After `claim_due_payments` has committed, and not before, the sender may call the network, with no
transaction open; what the network says goes to `record_outcome`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.cards import is_expired
from consumers.models import CardStatus
from consumers.statements import fetch_rows
from consumers.vault import CardUnreadable, SealedCard, key_ring_from_settings, unseal
from payouts.actors import WORKER
from payouts.models import EventKind
from payouts.money import CURRENCY
from payouts.networks.base import NetworkIdentity, Push
from payouts.networks.routing import PUSHABLE_CARD_NETWORKS, identity_for, network_for
from payouts.operations.record_outcome import fail_unsent_payment
from payouts.operations.transition import Step, take_steps
from payouts.states import Status

# Longer than any call to a network can take: after this a sender that has said nothing is lost.
SENDER_LOST_AFTER: Final = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A committed attempt, ready to be sent once. `push` holds the revealed card number."""

    payment_id: UUID
    network: str
    push: Push = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Due:
    """A row of `_CLAIM`."""

    payment_id: UUID
    partner_id: UUID
    amount: Any
    description: str
    sequence: int
    card_id: UUID
    sealed: SealedCard
    identity: NetworkIdentity | None
    card_network: str
    card_status: str
    expiration_month: int
    expiration_year: int
    recipient_name: str
    consumer_is_active: bool


_CLAIM: Final = """
SELECT due.id, due.partner_id, due.amount, due.description,
    CASE WHEN attempt.payment_id IS NULL THEN nextval('payouts_network_identity') END,
    card.id, card.kek_id, card.wrapped_key, card.ciphertext, card.network, card.status,
    card.expiration_month, card.expiration_year,
    COALESCE(NULLIF(card.cardholder_name, ''), consumer.first_name || ' ' || consumer.last_name),
    consumer.is_active,
    attempt.acquiring_bin, attempt.trace_number, attempt.retrieval_reference_number,
    attempt.card_acceptor_id, attempt.terminal_id
FROM (
    SELECT id, partner_id, card_id, consumer_id, amount, description FROM payouts_payment
    WHERE status = 'pending' AND due_at <= %(at)s
    ORDER BY due_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
) AS due
JOIN consumers_paymentcard card ON card.id = due.card_id
JOIN consumers_consumer consumer ON consumer.id = due.consumer_id
LEFT JOIN payouts_attempt attempt ON attempt.payment_id = due.id
"""

_INSERT_ATTEMPTS: Final = """
INSERT INTO payouts_attempt
    (payment_id, network, acquiring_bin, trace_number, retrieval_reference_number,
     card_acceptor_id, terminal_id, state, times_sent, times_inquired, times_not_found,
     unknown_reason, status_identifier, network_code, approval_code, transaction_id,
     created_at, sent_at)
SELECT payment_id, network, acquiring_bin, trace_number, retrieval_reference_number,
    card_acceptor_id, terminal_id, 'sending', 1, 0, 0, '', '', '', '', '', %(at)s, %(at)s
FROM unnest(%(payment_ids)s::uuid[], %(networks)s::text[], %(bins)s::text[], %(traces)s::text[],
            %(references)s::text[], %(acceptors)s::text[], %(terminals)s::text[])
    AS new (payment_id, network, acquiring_bin, trace_number, retrieval_reference_number,
            card_acceptor_id, terminal_id)
ON CONFLICT (payment_id) DO UPDATE
SET state = 'sending', times_sent = payouts_attempt.times_sent + 1, sent_at = excluded.sent_at
RETURNING payment_id
"""


def claim_due_payments(*, limit: int) -> list[Instruction]:
    """Take up to `limit` payments that wait to be sent; return them with their committed attempts.

    1. Take rows that nobody else holds (SKIP LOCKED), oldest first.
    2. Fail those that provably must not be sent any more: card or consumer closed meanwhile.
    3. Write the attempts with their network identities and move the payments to submitted.
    4. Commit. From here on each instruction may have left, whatever happens to this process; if it
       dies, the payments become unknown after `SENDER_LOST_AFTER` and are inquired about.

    Any number of senders may run this at once; each payment goes to one of them.
    """
    at = timezone.now()
    with transaction.atomic():
        due = [_due(row) for row in fetch_rows(_CLAIM, {"at": at, "limit": limit})]
        instructions = [one for one in (_instruction(row, at) for row in due) if one is not None]
        if instructions:
            _commit_attempts(instructions, at)
    return instructions


def _due(row: Sequence[Any]) -> _Due:
    payment_id, partner_id, amount, description, sequence, card_id, *rest = row[:15]
    kek_id, wrapped_key, ciphertext, *rest = rest
    return _Due(
        payment_id,
        partner_id,
        amount,
        description,
        sequence,
        card_id,
        SealedCard(kek_id, bytes(wrapped_key), bytes(ciphertext)),
        None if row[15] is None else NetworkIdentity(*row[15:20]),
        *rest,
    )


def _instruction(due: _Due, at: datetime) -> Instruction | None:
    obstacle = _obstacle(due, at)
    if obstacle is not None:
        fail_unsent_payment(due.payment_id, failure_code=obstacle, at=at)
        return None
    try:
        number = unseal(
            due.sealed,
            card_id=due.card_id,
            partner_id=due.partner_id,
            ring=key_ring_from_settings(),
        )
    except CardUnreadable:
        fail_unsent_payment(due.payment_id, failure_code="card_unreadable", at=at)
        return None
    return Instruction(
        due.payment_id,
        network_for(due.card_network).name,
        Push(
            identity=due.identity or identity_for(due.sequence, at=at),
            number=number.reveal(),
            expiration_month=due.expiration_month,
            expiration_year=due.expiration_year,
            amount=due.amount,
            currency=CURRENCY,
            recipient_name=due.recipient_name,
            description=due.description,
        ),
    )


def _obstacle(due: _Due, at: datetime) -> str | None:
    """What has become true since the payment was accepted and forbids sending it."""
    if due.card_network not in PUSHABLE_CARD_NETWORKS:
        return "card_not_eligible"
    if not due.consumer_is_active:
        return "consumer_inactive"
    if due.card_status != CardStatus.ACTIVE:
        return "card_inactive"
    if is_expired(due.expiration_month, due.expiration_year, on=at.astimezone(UTC).date()):
        return "card_expired"
    return None


def _commit_attempts(instructions: Sequence[Instruction], at: datetime) -> None:
    identities = [instruction.push.identity for instruction in instructions]
    payment_ids = [instruction.payment_id for instruction in instructions]
    fetch_rows(
        _INSERT_ATTEMPTS,
        {
            "at": at,
            "payment_ids": payment_ids,
            "networks": [instruction.network for instruction in instructions],
            "bins": [one.acquiring_bin for one in identities],
            "traces": [one.systems_trace_audit_number for one in identities],
            "references": [one.retrieval_reference_number for one in identities],
            "acceptors": [one.card_acceptor_id for one in identities],
            "terminals": [one.terminal_id for one in identities],
        },
    )
    moved = take_steps(
        payment_ids,
        Step(
            before=Status.PENDING,
            to=Status.SUBMITTED,
            kind=EventKind.SENT,
            actor=WORKER,
            at=at,
            due_at=at + SENDER_LOST_AFTER,
        ),
    )
    # The rows are locked by the claim, so nothing can have moved them.
    assert len(moved) == len(payment_ids)
