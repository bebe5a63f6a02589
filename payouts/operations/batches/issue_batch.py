"""Issues the good lines of a batch, each by the same operation as every other push."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from consumers.audit import Act, Verb, audited, subject_of
from consumers.statements import fetch_row, fetch_rows
from payouts import dispatch
from payouts.actors import Actor, staff
from payouts.approvals import Source
from payouts.batch_files.findings import Finding, problem
from payouts.models import Batch, BatchState, BatchTally, RowState
from payouts.operations.request_payment import (
    IdempotencyKeyReused,
    PaymentRefused,
    PushRequest,
    Replayed,
    RequestInProgress,
    TermsChanged,
    request_payment,
)
from payouts.payment_record import PaymentRecord

logger = logging.getLogger(__name__)

LINES_AT_ONCE: Final = 400
# Longer than it takes to issue so many. Two workers on one batch are slow, and pay nothing twice.
LEASE: Final = timedelta(seconds=60)


class BatchMoved(Exception):
    """The batch is not as it was on the screen any more; nothing was done."""


class NotYourBatch(Exception):
    """Only whoever has uploaded a batch issues it, or takes it back."""


@dataclass(frozen=True, slots=True)
class GoodLines:
    """What somebody has agreed to issue: how many lines, dollars and fees in all."""

    rows: int
    amount: Decimal
    fee_amount: Decimal


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that is to be issued."""

    id: int
    number: int
    consumer_id: UUID
    card_id: UUID
    amount: Decimal
    fee_amount: Decimal
    description: str
    reference: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A batch that is ours for the time of the lease, and the next of its lines."""

    batch_id: UUID
    partner_id: UUID
    actor: Actor
    request_id: str
    is_withdrawn: bool
    lines: list[_Line]


@dataclass(frozen=True, slots=True)
class _Issued:
    """What became of a line: a payment, or what is against it."""

    line_id: int
    payment_id: UUID | None
    findings: tuple[Finding, ...] = ()


def good_lines(batch_id: UUID) -> GoodLines:
    """What would be issued now; from rows that the database keeps."""
    tally = BatchTally.objects.filter(batch_id=batch_id, state=RowState.GOOD).first()
    if tally is None:
        return GoodLines(0, Decimal(0), Decimal(0))
    return GoodLines(tally.rows, tally.amount, tally.fee_amount)


def submit_batch(batch: Batch, *, by: User, seen: GoodLines) -> None:
    """Have the good lines issued by a worker. `seen` is what was on the screen.

    Twice at once starts it once; the second call raises.

    :raises NotYourBatch: somebody else has uploaded it.
    :raises BatchMoved: it is not ready, or other lines are good by now.
    """
    act = Act(verb=Verb.ISSUE, subject=subject_of(batch), after={
        "lines": seen.rows, "amount": seen.amount, "fees": seen.fee_amount,
    })  # fmt: skip
    with audited(act, refusals=(NotYourBatch, BatchMoved)):
        if batch.uploaded_by_id != by.pk:
            raise NotYourBatch(batch.pk)
        # Whoever leaves a line out holds this row too, so that the sums cannot change after it.
        held = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if held.state != BatchState.READY or seen.rows == 0 or good_lines(batch.pk) != seen:
            raise BatchMoved(batch.pk)
        held.state, held.submitted_at = BatchState.ISSUING, timezone.now()
        held.save(update_fields=["state", "submitted_at"])
        dispatch.ring_batches()


_CLAIM: Final = """
UPDATE payouts_batch SET leased_until = %(until)s
WHERE id = (
    SELECT id FROM payouts_batch
    WHERE (state = 'issuing' AND (leased_until IS NULL OR leased_until < %(at)s))
       OR (state = 'withdrawn' AND leased_until < %(at)s)
    ORDER BY leased_until NULLS FIRST, submitted_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, partner_id, uploaded_by_id, request_id, state,
    (SELECT username FROM auth_user WHERE id = uploaded_by_id)
"""
# What a worker had issued when it died, of a batch that was withdrawn before the next one looked.
_FIND_ISSUED: Final = """
UPDATE payouts_batchrow row SET state = 'issued', payment_id = key.payment_id
FROM payouts_idempotencykey key
WHERE row.batch_id = %(batch)s AND row.state = 'good' AND key.partner_id = %(partner)s
  AND key.key = 'batch:' || row.batch_id || ':' || row.line AND key.payment_id IS NOT NULL
RETURNING 1
"""
_LINES: Final = """
SELECT id, line, consumer_id, card_id, amount, fee_amount, description, reference, metadata
FROM payouts_batchrow WHERE batch_id = %(batch)s AND state = 'good'
ORDER BY line LIMIT %(limit)s
"""
_MARK: Final = """
UPDATE payouts_batchrow row
SET state = CASE WHEN new.payment_id IS NULL THEN 'refused' ELSE 'issued' END,
    payment_id = new.payment_id,
    findings = CASE WHEN new.payment_id IS NULL THEN row.findings || new.findings
                    ELSE row.findings END
FROM unnest(%(ids)s::bigint[], %(payments)s::uuid[], %(findings)s::jsonb[])
    AS new (id, payment_id, findings)
WHERE row.id = new.id AND row.state = 'good'
RETURNING 1
"""

Each = Callable[[Callable[[_Line], "_Issued | None"], Sequence[_Line]], Iterable["_Issued | None"]]


def issue_next_lines(*, each: Each = map, limit: int = LINES_AT_ONCE) -> bool:
    """Issue the next lines of a batch that is being issued; False if there is none to work on.

    1. Lease the batch, so that other workers take another one. Commit.
    2. Issue each line in a transaction of its own, under a key made of its batch and number: a line
       that was issued before answers with its payment and pays nothing again.
    3. Mark the lines and end the lease. Killed before that, the next worker asks for the same lines
       once more and marks them.

    `each` applies a function to the lines; it may do so in threads. A line that cannot be issued
    stops no other one.
    """
    claim = _claimed(limit)
    if claim is None:
        return False
    if claim.is_withdrawn:
        _find_issued(claim)
        return True
    results = each(lambda line: _issued(line, claim), claim.lines)
    _mark([one for one in results if one is not None], claim)
    return True


def key_of_line(batch_id: UUID, line: int) -> str:
    """The idempotency key of a line's push: the same however often it is asked for."""
    return f"batch:{batch_id}:{line}"


def _claimed(limit: int) -> _Claim | None:
    at = timezone.now()
    row = fetch_row(_CLAIM, {"at": at, "until": at + LEASE})
    if row is None:
        return None
    batch_id, partner_id, user_id, request_id, state, username = row
    is_withdrawn = state == BatchState.WITHDRAWN
    found = [] if is_withdrawn else fetch_rows(_LINES, {"batch": batch_id, "limit": limit})
    lines = [_Line(*line) for line in found]
    actor = staff(user_id, username)
    return _Claim(batch_id, partner_id, actor, request_id, is_withdrawn, lines)


def _issued(line: _Line, claim: _Claim) -> _Issued | None:
    """Ask for one push; None if somebody is asking for it now: it will be looked at again."""
    try:
        answer = request_payment(_request(line, claim), body_of=_body_of)
    except PaymentRefused as refused:
        findings = (problem(one.code, **_texts(one.details)) for one in refused.reasons)
        return _Issued(line.id, None, tuple(findings))
    except TermsChanged:
        return _Issued(line.id, None, (problem("terms_changed"),))
    except IdempotencyKeyReused:
        logger.error("The key of line %s of batch %s is taken.", line.number, claim.batch_id)
        return _Issued(line.id, None, (problem("key_taken"),))
    except RequestInProgress:
        return None
    if isinstance(answer, Replayed):
        return _Issued(line.id, UUID(answer.body.decode()))
    return _Issued(line.id, answer.payment.id)


def _request(line: _Line, claim: _Claim) -> PushRequest:
    return PushRequest(
        partner_id=claim.partner_id,
        consumer_ref=str(line.consumer_id),
        card_id=line.card_id,
        amount=line.amount,
        source=Source.BATCH,
        actor=claim.actor,
        description=line.description,
        reference=line.reference,
        metadata=line.metadata,
        key=key_of_line(claim.batch_id, line.number),
        request_id=claim.request_id,
        agreed_fee=line.fee_amount,
    )


def _body_of(payment: PaymentRecord) -> bytes:
    """What whoever asks for the line again has to know."""
    return str(payment.id).encode()


def _texts(details: dict[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (details or {}).items()}


def _mark(results: Sequence[_Issued], claim: _Claim) -> None:
    at = timezone.now()
    with transaction.atomic():
        fetch_rows(
            _MARK,
            {
                "ids": [one.line_id for one in results],
                "payments": [one.payment_id for one in results],
                "findings": [Jsonb([f.stored() for f in one.findings]) for one in results],
            },
        )
        _end_lease(claim, at)


def _find_issued(claim: _Claim) -> None:
    at = timezone.now()
    with transaction.atomic():
        fetch_rows(_FIND_ISSUED, {"batch": claim.batch_id, "partner": claim.partner_id})
        _end_lease(claim, at)


def _end_lease(claim: _Claim, at: datetime) -> None:
    batch = Batch.objects.select_for_update(no_key=True).get(pk=claim.batch_id)
    batch.leased_until = None
    if batch.state == BatchState.ISSUING and good_lines(batch.pk).rows == 0:
        batch.state, batch.ended_at = BatchState.ISSUED, at
    batch.save(update_fields=["leased_until", "state", "ended_at"])
