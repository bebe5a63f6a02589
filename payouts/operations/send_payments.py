"""Hands accepted payments to a sender: claims them, and gives each its network identity for ever.

After a claim has committed, and not before, the sender may call the network, with no transaction
open; what the network says goes to `record_outcome`, with the number of the send. Nothing is ever
sent under a second identity.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from consumers.cards import Pan, is_expired
from consumers.models import CardStatus
from consumers.statements import fetch_row, fetch_rows
from consumers.vault import (
    CardKeyMissing,
    CardUnreadable,
    SealedCard,
    key_ring_from_settings,
    unseal,
)
from payouts.actors import WORKER
from payouts.models import EventKind, Payment
from payouts.money import CURRENCY
from payouts.networks.base import NetworkIdentity, Push
from payouts.networks.routing import PUSHABLE_CARD_NETWORKS, identity_for, network_for
from payouts.operations.record_outcome import fail_unsent_payment
from payouts.operations.transition import PaymentMoved, Step, take_steps
from payouts.operations.waits import network_visibility, sender_lost_after
from payouts.payee_history import was_renamed_since_approved
from payouts.states import Status

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A committed attempt, ready to be sent once. `push` holds the revealed card number.

    `send_number` counts the sends of the attempt: an answer belongs to one of them.
    """

    payment_id: UUID
    network: str
    send_number: int
    push: Push = field(repr=False)


class _Destination(NamedTuple):
    """What decides whether money may be sent there at all."""

    card_network: str
    card_status: str
    expiration_month: int
    expiration_year: int
    consumer_is_active: bool


@dataclass(frozen=True, slots=True)
class _Due:
    """A row of `_CLAIM`: a payment under our lock, with what its instruction needs."""

    payment_id: UUID
    partner_id: UUID
    amount: Decimal
    description: str
    sequence: int | None
    card_id: UUID
    kek_id: str
    wrapped_key: bytes
    ciphertext: bytes
    card_network: str
    card_status: str
    expiration_month: int
    expiration_year: int
    recipient_name: str
    consumer_is_active: bool
    attempt_network: str | None
    is_as_approved: bool

    @property
    def destination(self) -> _Destination:
        expires = (self.expiration_month, self.expiration_year)
        return _Destination(self.card_network, self.card_status, *expires, self.consumer_is_active)


@dataclass(frozen=True, slots=True)
class _Sendable:
    """A due payment that nothing stands against, with its card number opened."""

    due: _Due
    number: Pan


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What stands in the attempt's row: this, and nothing that was computed before, is sent."""

    network: str
    send_number: int
    recipient_name: str
    expiration_month: int
    expiration_year: int
    identity: NetworkIdentity


_DUE: Final = """
SELECT due.id, due.partner_id, due.amount, due.description,
    CASE WHEN attempt.payment_id IS NULL THEN nextval('payouts_network_identity') END,
    card.id, card.kek_id, card.wrapped_key, card.ciphertext, card.network, card.status,
    card.expiration_month, card.expiration_year,
    COALESCE(NULLIF(card.cardholder_name, ''), consumer.first_name || ' ' || consumer.last_name),
    consumer.is_active, attempt.network,
    due.approval_expires_at IS NULL OR EXISTS (
        SELECT FROM payouts_decision decision
        WHERE decision.payment_id = due.id AND decision.verdict = 'approve'
        AND decision.digest = payouts_subject_digest(
            due.id, consumer.id, consumer.first_name, consumer.last_name, card.id,
            card.fingerprint, card.cardholder_name, due.amount, due.fee_amount))
FROM (
    SELECT id, partner_id, card_id, consumer_id, amount, fee_amount, description, due_at,
        approval_expires_at
    FROM payouts_payment
    {which}
) AS due
JOIN consumers_paymentcard card ON card.id = due.card_id
JOIN consumers_consumer consumer ON consumer.id = due.consumer_id
LEFT JOIN payouts_attempt attempt ON attempt.payment_id = due.id
ORDER BY due.due_at
"""

# A payment whose card's key is not in our ring is left to a sender that has it, and stays due, so
# that it is seen to be late. Asked per row in the index's order, not joined: the limit is small.
_CLAIM: Final = _DUE.format(
    which="""WHERE status = 'pending' AND due_at <= %(at)s
        AND (SELECT kek_id FROM consumers_paymentcard WHERE id = card_id) = ANY(%(keys)s)
    ORDER BY due_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED"""
)

# Once unclear, an attempt may have left: then it goes again word for word.
_AS_IT_WENT: Final = "payouts_attempt.unknown_reason <> '' AND payouts_attempt.expiration_year > 0"
# An attempt that exists keeps its network and its identity, whatever was computed for this send.
_WRITE_ATTEMPTS: Final = f"""
INSERT INTO payouts_attempt
    (payment_id, network, acquiring_bin, trace_number, retrieval_reference_number,
     card_acceptor_id, terminal_id, state, times_sent, times_inquired, times_not_found,
     unknown_reason, status_identifier, network_code, approval_code, transaction_id,
     created_at, sent_at, recipient_name, expiration_month, expiration_year)
SELECT payment_id, network, acquiring_bin, trace_number, retrieval_reference_number,
    card_acceptor_id, terminal_id, 'sending', 1, 0, 0, '', '', '', '', '', %(at)s, %(at)s,
    recipient_name, expiration_month, expiration_year
FROM unnest(%(payment_ids)s::uuid[], %(networks)s::text[], %(bins)s::text[], %(traces)s::text[],
            %(references)s::text[], %(acceptors)s::text[], %(terminals)s::text[],
            %(recipients)s::text[], %(months)s::smallint[], %(years)s::smallint[])
    AS new (payment_id, network, acquiring_bin, trace_number, retrieval_reference_number,
            card_acceptor_id, terminal_id, recipient_name, expiration_month, expiration_year)
ON CONFLICT (payment_id) DO UPDATE
SET state = 'sending', times_sent = payouts_attempt.times_sent + 1, times_inquired = 0,
    times_not_found = 0, sent_at = excluded.sent_at,
    recipient_name = CASE WHEN {_AS_IT_WENT} THEN payouts_attempt.recipient_name
        ELSE excluded.recipient_name END,
    expiration_month = CASE WHEN {_AS_IT_WENT} THEN payouts_attempt.expiration_month
        ELSE excluded.expiration_month END,
    expiration_year = CASE WHEN {_AS_IT_WENT} THEN payouts_attempt.expiration_year
        ELSE excluded.expiration_year END
RETURNING payment_id, network, times_sent, recipient_name, expiration_month, expiration_year,
    acquiring_bin, trace_number, retrieval_reference_number, card_acceptor_id, terminal_id
"""  # noqa: S608  # nosec B608: constants only


def claim_due_payments(*, limit: int) -> list[Instruction]:
    """Take up to `limit` payments that wait to be sent; return them with their committed attempts.

    1. Take rows that nobody else holds (SKIP LOCKED), oldest first, whose cards we have the key of.
    2. Write the attempts with their network identities and move the payments to submitted.
    3. Commit. From here on each instruction may have left, whatever happens to this process; if it
       dies, the payments become unknown after `sender_lost_after` and are inquired about.
    4. Fail those that must not be sent any more (card or consumer closed meanwhile, or the payee
       was renamed after people had approved), each in a transaction of its own: it locks rows
       that creates lock in another order.

    Any number of senders may run this at once; each payment goes to one of them.
    """
    at = timezone.now()
    stopped: dict[UUID, str] = {}
    sendable: list[_Sendable] = []
    with transaction.atomic():
        keys = list(key_ring_from_settings().keks)
        for row in fetch_rows(_CLAIM, {"at": at, "limit": limit, "keys": keys}):
            due = _Due(*row)
            opened = _opened(due, at)
            if not due.is_as_approved and was_renamed_since_approved(due.payment_id):
                opened = "payee_renamed"
            if isinstance(opened, _Sendable):
                sendable.append(opened)
            elif opened != _KEY_MISSING:
                stopped[due.payment_id] = opened
        instructions = _commit_attempts(sendable, _sent(Status.PENDING, at))
    for payment_id, obstacle in stopped.items():
        _stop(payment_id, obstacle, at)
    return instructions


_CLAIM_AGAIN: Final = _DUE.format(
    which="WHERE id = %(id)s AND status = 'unknown' FOR NO KEY UPDATE"
)

# What the inquiries since the last send have found. A network that gave a status identifier has the
# instruction, whatever an inquiry says later.
_NOT_FOUND: Final = """
SELECT count(*), max(inquired.created_at) - min(inquired.created_at)
FROM payouts_event inquired
JOIN payouts_attempt attempt
    ON attempt.payment_id = inquired.payment_id AND attempt.status_identifier = ''
WHERE inquired.payment_id = %(id)s AND inquired.kind = 'inquired'
    AND inquired.details ->> 'found' = 'not_found'
    AND inquired.number > (SELECT max(number) FROM payouts_event
                           WHERE payment_id = %(id)s AND kind = 'sent')
"""
_NOT_FOUND_OFTEN_ENOUGH: Final = 2


def claim_resend(payment_id: UUID) -> Instruction | None:
    """Take an unclear payment to send it again under its identity, if the network does not have it.

    That is so when it was not found at least twice since it was last sent, the first and the last
    time as far apart as the network's visibility delay. It goes again word for word, whatever was
    edited since, under the same identity, so a network that has the instruction after all
    recognises it and credits nothing twice. What must not be sent any more (card or consumer
    closed) is not sent again, and stays unknown: it may have left.

    Commits before it returns, like `claim_due_payments`. Of several callers at once one gets the
    instruction, the others None.
    """
    at = timezone.now()
    with transaction.atomic():
        row = fetch_row(_CLAIM_AGAIN, {"id": payment_id})
        if row is None or not _is_missing(payment_id):
            return None
        opened = _opened(_Due(*row), at)
        if not isinstance(opened, _Sendable):
            logger.warning("Payment %s stays unknown: %s.", payment_id, opened)
            return None
        (instruction,) = _commit_attempts([opened], _sent(Status.UNKNOWN, at))
    return instruction


def _is_missing(payment_id: UUID) -> bool:
    row = fetch_row(_NOT_FOUND, {"id": payment_id})
    assert row is not None
    times, apart = row
    return bool(times >= _NOT_FOUND_OFTEN_ENOUGH and apart >= network_visibility())


# No failure of the payment: another process has the key, or this one will after its next start.
_KEY_MISSING: Final = "card_key_missing"


def _opened(due: _Due, at: datetime) -> _Sendable | str:
    """The payment with its card number, or the code of what stands against sending it."""
    obstacle = _obstacle(due.destination, at)
    if obstacle is not None:
        return obstacle
    try:
        number = unseal(
            SealedCard(due.kek_id, bytes(due.wrapped_key), bytes(due.ciphertext)),
            card_id=due.card_id,
            partner_id=due.partner_id,
            ring=key_ring_from_settings(),
        )
    except CardKeyMissing:
        return _KEY_MISSING
    except CardUnreadable:
        return "card_unreadable"
    return _Sendable(due, number)


def obstacle_to_sending(payment: Payment, *, at: datetime) -> str | None:
    """The code of what forbids sending a payment, also again; None if nothing does."""
    card = payment.card
    expires = (card.expiration_month, card.expiration_year)
    return _obstacle(
        _Destination(card.network, card.status, *expires, payment.consumer.is_active), at
    )


def _obstacle(to: _Destination, at: datetime) -> str | None:
    """What has become true since the payment was accepted and forbids sending it."""
    if to.card_network not in PUSHABLE_CARD_NETWORKS:
        return "card_not_eligible"
    if not to.consumer_is_active:
        return "consumer_inactive"
    if to.card_status != CardStatus.ACTIVE:
        return "card_inactive"
    if is_expired(to.expiration_month, to.expiration_year, on=at.astimezone(UTC).date()):
        return "card_expired"
    return None


def _stop(payment_id: UUID, failure_code: str, at: datetime) -> None:
    try:
        with transaction.atomic():
            fail_unsent_payment(payment_id, failure_code=failure_code, at=at)
    except PaymentMoved:
        # Canceled, or stopped by another sender: either way it is not ours any more.
        return
    except DatabaseError:
        # It stays due, so the next claim finds it; raising would lose the other instructions.
        logger.exception("Payment %s must not be sent, and could not be failed yet.", payment_id)


def _sent(before: Status, at: datetime) -> Step:
    return Step(
        before=before,
        to=Status.SUBMITTED,
        kind=EventKind.SENT,
        actor=WORKER,
        at=at,
        due_at=at + sender_lost_after(),
    )


def _commit_attempts(sendable: Sequence[_Sendable], step: Step) -> list[Instruction]:
    """Write the attempts and take the step; what is returned may be sent after the commit."""
    if not sendable:
        return []
    attempts = _write_attempts(sendable, step.at)
    moved = take_steps([one.due.payment_id for one in sendable], step)
    # The rows are locked by the claim, so nothing can have moved them.
    assert len(moved) == len(sendable)
    return [_instruction(one, attempts[one.due.payment_id]) for one in sendable]


def _write_attempts(sendable: Sequence[_Sendable], at: datetime) -> dict[UUID, _Attempt]:
    # A number of the sequence is drawn for new attempts only; the others keep what they have.
    identities = [identity_for(one.due.sequence or 0, at=at) for one in sendable]
    networks = [
        one.due.attempt_network or network_for(one.due.card_network).name for one in sendable
    ]
    rows = fetch_rows(
        _WRITE_ATTEMPTS,
        {
            "at": at,
            "payment_ids": [one.due.payment_id for one in sendable],
            "networks": networks,
            "bins": [one.acquiring_bin for one in identities],
            "traces": [one.systems_trace_audit_number for one in identities],
            "references": [one.retrieval_reference_number for one in identities],
            "acceptors": [one.card_acceptor_id for one in identities],
            "terminals": [one.terminal_id for one in identities],
            "recipients": [one.due.recipient_name for one in sendable],
            "months": [one.due.expiration_month for one in sendable],
            "years": [one.due.expiration_year for one in sendable],
        },
    )
    return {row[0]: _attempt(*row[1:]) for row in rows}


def _attempt(
    network: str, send_number: int, recipient_name: str, month: int, year: int, *identity: str
) -> _Attempt:
    return _Attempt(network, send_number, recipient_name, month, year, NetworkIdentity(*identity))


def _instruction(sendable: _Sendable, attempt: _Attempt) -> Instruction:
    due = sendable.due
    return Instruction(
        due.payment_id,
        attempt.network,
        attempt.send_number,
        Push(
            identity=attempt.identity,
            number=sendable.number.reveal(),
            expiration_month=attempt.expiration_month,
            expiration_year=attempt.expiration_year,
            amount=due.amount,
            currency=CURRENCY,
            recipient_name=attempt.recipient_name,
            description=due.description,
        ),
    )
