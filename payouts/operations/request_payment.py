"""Accepts a push: asks once, decides once, writes once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from consumers.ids import new_id_at
from consumers.statements import fetch_row
from payouts import dispatch
from payouts.actors import Actor
from payouts.approvals import Requirement, Source
from payouts.limits import Limit, Scope
from payouts.operations.facts import FirstAnswer, PushFacts, Wish, push_facts
from payouts.operations.judge import Judgement, Reason, Terms, judge_push
from payouts.payment_record import PaymentRecord, accepted_record
from payouts.states import Status

# A push that loses this many races in a row is told to come again; nothing is kept of it.
_TRIES: Final = 6


class PaymentRefused(Exception):
    """The push is well formed and cannot be done; `reasons` names everything that is against it."""

    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons


class IdempotencyKeyRequired(Exception):
    """The partner is set to require a key for each create, and there was none."""


class IdempotencyKeyReused(Exception):
    """The key was used before, for another request."""


class TermsChanged(Exception):
    """The push would cost something else, or need others' approval, than was agreed to."""


class RequestInProgress(Exception):
    """The first call with this key is still running, or the rows that it needs are too busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest:
    """What is asked for: push `amount` dollars to the consumer's card.

    `consumer_ref` is the consumer's id or the partner's own `pcid`. `key` is the idempotency key,
    if the caller has one. `agreed` are the terms that somebody was shown and said yes to: under
    others the push is not done. They are no part of what is asked for: a repeat may carry others.
    """

    partner_id: UUID
    consumer_ref: str
    card_id: UUID
    amount: Decimal
    source: Source
    actor: Actor
    description: str = ""
    reference: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    request_id: str = ""
    agreed: Terms | None = None
    # The same for the fee alone, where a person has agreed to a sum and not to who will approve.
    agreed_fee: Decimal | None = None

    def agrees_to(self, terms: Terms) -> bool:
        """Whether the push may be done under these terms."""
        return self.agreed in (None, terms) and self.agreed_fee in (None, terms.fee)

    def digest(self) -> bytes:
        """SHA-256 of what is asked for: equal for equal requests, however they were written."""
        asked = {
            "operation": "payment.oct.create",
            "consumer": self.consumer_ref,
            "card": str(self.card_id),
            "amount": f"{self.amount:.2f}",
            "description": self.description,
            "reference": self.reference,
            "metadata": dict(self.metadata),
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The payment is safely stored and its funds are held."""

    payment: PaymentRecord
    body: bytes


@dataclass(frozen=True, slots=True)
class Replayed:
    """This key has been answered before: the first answer, to be given again as it was."""

    status_code: int
    body: bytes


def request_payment(
    request: PushRequest, *, body_of: Callable[[PaymentRecord], bytes]
) -> Accepted | Replayed:
    """Accept a push, or say why not.

    `body_of` renders what the caller will be told; it is stored with the key in the same
    transaction, so that a repeat hears exactly the first answer.

    Runs any number of times at once: calls with one key make one payment, the others get its
    answer; without keys the limits and the partner's floor hold whatever happens in parallel, and a
    push that looks like one of the last ten minutes waits for a person.

    :raises IdempotencyKeyRequired, IdempotencyKeyReused, RequestInProgress:
    :raises PaymentRefused: with every reason; nothing is stored.
    :raises TermsChanged: nothing is stored; the key may be used again.
    """
    digest = request.digest()
    for tried in range(_TRIES):
        at = timezone.now()
        facts = push_facts(_wish(request, at))
        if facts.first_answer is not None:
            return _replay(facts.first_answer, digest)
        judgement = _permitted(request, facts, at)
        payment = _accepted(request, facts, judgement, at)
        body = body_of(payment) if request.key is not None else b""
        stored = _store(
            _Draft(request, facts, judgement, payment),
            digest=digest,
            body=body,
            exact=tried > 0 or facts.partner_day_is_uneven,
        )
        if stored.result == "stored":
            if payment.status is Status.PENDING:
                dispatch.ring_sender()
            dispatch.ring_webhooks()
            return Accepted(payment, body)
        if stored.first_answer is not None:
            return _replay(stored.first_answer, digest)
        if stored.result == "busy":
            raise RequestInProgress
        # Something that the decision rests on changed under us: look again.
    raise RequestInProgress


def _permitted(request: PushRequest, facts: PushFacts, at: datetime) -> Judgement:
    """Judge the push; raise what is against it."""
    if request.key is None and facts.key_required:
        raise IdempotencyKeyRequired
    judgement = judge_push(facts, amount=request.amount, source=request.source, at=at)
    if judgement.reasons:
        raise PaymentRefused(judgement.reasons)
    if not request.agrees_to(judgement.terms):
        raise TermsChanged
    return judgement


def _wish(request: PushRequest, at: datetime) -> Wish:
    return Wish(
        partner_id=request.partner_id,
        consumer_ref=request.consumer_ref,
        card_id=request.card_id,
        amount=request.amount,
        source=request.source,
        key=request.key,
        at=at,
    )


def _replay(first: FirstAnswer, digest: bytes) -> Replayed:
    if bytes(first.digest) != digest:
        raise IdempotencyKeyReused
    return Replayed(first.status_code, bytes(first.body))


def _accepted(
    request: PushRequest, facts: PushFacts, judgement: Judgement, at: datetime
) -> PaymentRecord:
    assert facts.consumer is not None
    assert facts.card is not None
    return accepted_record(
        id=new_id_at(at),
        consumer_id=facts.consumer.id,
        pcid=facts.consumer.pcid,
        card_id=facts.card.id,
        card_network=facts.card.network,
        card_last4=facts.card.last4,
        amount=request.amount,
        fee_amount=judgement.fee,
        description=request.description,
        reference=request.reference,
        metadata=dict(request.metadata),
        at=at,
        requirements=judgement.requirements,
        approval_expires_at=(
            at + timedelta(hours=facts.approval_hours) if judgement.requirements else None
        ),
    )


_STORE: Final = """
SELECT result, first_digest, first_status, first_answer FROM payouts_store_payment(
    %(id)s, %(partner)s, %(consumer)s, %(card)s, %(amount)s, %(fee)s, %(status)s,
    %(description)s, %(reference)s, %(metadata)s, %(source)s, %(client)s, %(user)s, %(actor)s,
    %(request_id)s, %(at)s, %(approval_expires_at)s, %(requirements)s, %(key)s, %(digest)s,
    %(answer)s, %(no_twin_since)s,
    %(card_max_amount)s, %(card_max_count)s, %(consumer_max_amount)s, %(consumer_max_count)s,
    %(partner_max_amount)s, %(partner_max_count)s, %(available)s, %(held)s, %(exact)s)
"""


class _Draft(NamedTuple):
    """A push that may be done, and what the decision rests on."""

    request: PushRequest
    facts: PushFacts
    judgement: Judgement
    payment: PaymentRecord


class _Stored(NamedTuple):
    """What became of a draft: `stored`, or why not; with the key's answer if it was used before."""

    result: str
    first_answer: FirstAnswer | None


def _store(draft: _Draft, *, digest: bytes, body: bytes, exact: bool) -> _Stored:
    """One statement, all or nothing. `exact` looks at the partner's whole day, not at a part."""
    request, facts, judgement, payment = draft
    row = fetch_row(
        _STORE,
        {
            "id": payment.id,
            "partner": request.partner_id,
            "consumer": payment.consumer_id,
            "card": payment.card_id,
            "amount": payment.amount,
            "fee": payment.fee_amount,
            "status": payment.status.value,
            "description": request.description,
            "reference": request.reference,
            "metadata": Jsonb(payment.metadata),
            "source": request.source.value,
            "client": request.actor.client_id,
            "user": request.actor.user_id,
            "actor": request.actor.label,
            "request_id": request.request_id,
            "at": payment.created_at,
            "approval_expires_at": payment.approval_expires_at,
            "requirements": Jsonb([_requirement(one) for one in judgement.requirements]),
            "key": request.key,
            "digest": digest,
            "answer": body,
            "no_twin_since": _no_twin_since(request, judgement, payment.created_at),
            **_bounds(facts.limits),
            "available": facts.available_account_id,
            "held": facts.held_account_id,
            "exact": exact,
        },
    )
    assert row is not None
    result, *first = row
    return _Stored(result, FirstAnswer(*first) if result == "replay" else None)


def _no_twin_since(request: PushRequest, judgement: Judgement, at: datetime) -> UUID | None:
    """From when on a twin would change the decision: not if a person will look anyway."""
    if any(one.name == "possible_duplicate" for one in judgement.requirements):
        return None
    return _wish(request, at).twin_since


def _requirement(requirement: Requirement) -> dict[str, Any]:
    return {
        "name": requirement.name,
        "decisions": requirement.decisions,
        "group_id": requirement.group_id,
    }


def _bounds(limits: tuple[Limit, ...]) -> dict[str, Decimal | int | None]:
    by_scope = {limit.scope: limit for limit in limits}
    none = Limit(Scope.PUSH)
    card = by_scope.get(Scope.CARD_DAY, none)
    consumer = by_scope.get(Scope.CONSUMER_DAY, none)
    partner = by_scope.get(Scope.PARTNER_DAY, none)
    return {
        "card_max_amount": card.max_amount,
        "card_max_count": card.max_count,
        "consumer_max_amount": consumer.max_amount,
        "consumer_max_count": consumer.max_count,
        "partner_max_amount": partner.max_amount,
        "partner_max_count": partner.max_count,
    }


# As patient as `payouts_store_payment` with a call that has the key and is not through.
_REMEMBER: Final = """
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '5s', TRUE))
INSERT INTO payouts_idempotencykey
    (partner_id, key, request_digest, status_code, answer, payment_id, created_at)
SELECT %(partner)s, %(key)s, %(digest)s, %(status_code)s, %(body)s, NULL, %(at)s FROM patience
ON CONFLICT (partner_id, key) DO NOTHING
RETURNING id
"""


def remember_refusal(request: PushRequest, *, status_code: int, body: bytes) -> Replayed | None:
    """Keep a refusal as the key's first answer; return the earlier answer if there was one already.

    A request without a key has nothing to remember.

    :raises IdempotencyKeyReused: if the key was used meanwhile for another request.
    :raises RequestInProgress: if the call that has the key is not through within seconds.
    """
    if request.key is None:
        return None
    digest = request.digest()
    if _remember(request, digest, status_code, body):
        return None
    first = push_facts(_wish(request, timezone.now())).first_answer
    assert first is not None
    return _replay(first, digest)


def _remember(request: PushRequest, digest: bytes, status_code: int, body: bytes) -> bool:
    answer = {
        "partner": request.partner_id,
        "key": request.key,
        "digest": digest,
        "status_code": status_code,
        "body": body,
        "at": timezone.now(),
    }
    try:
        return fetch_row(_REMEMBER, answer) is not None
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise RequestInProgress from error
        raise


_REPLACE: Final = """
UPDATE payouts_idempotencykey SET answer = %(body)s
WHERE partner_id = %(partner)s AND key = %(key)s AND payment_id = %(payment)s
RETURNING id
"""


def replace_answer(request: PushRequest, payment_id: UUID, *, body: bytes) -> None:
    """Make `body` what a repeat hears: the caller preferred to wait and was told more."""
    if request.key is not None:
        fetch_row(
            _REPLACE,
            {
                "partner": request.partner_id,
                "key": request.key,
                "payment": payment_id,
                "body": body,
            },
        )
