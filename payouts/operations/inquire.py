"""Finds out what became of payments whose outcome is unclear. No timer ever decides one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from consumers.statements import fetch_row, fetch_rows
from payouts.actors import WORKER
from payouts.models import Attempt, EventKind
from payouts.networks.base import (
    Approved,
    Declined,
    Finding,
    NetworkIdentity,
    NotFound,
    Unknown,
    UnknownReason,
)
from payouts.operations.record_outcome import record_outcome
from payouts.operations.transition import Step, take_step
from payouts.operations.waits import inquiry_pause, sender_lost_after
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question to put to a network about one payment."""

    payment_id: UUID
    network: str
    identity: NetworkIdentity
    status_identifier: str | None


# The lease: for so long nobody else asks. Asking twice changes nothing at the network, so an asker
# that is lost costs time only.
_CLAIM: Final = """
WITH due AS (
    SELECT id FROM payouts_payment
    WHERE status = 'unknown' AND due_at <= %(at)s
    ORDER BY due_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), leased AS (
    UPDATE payouts_payment p SET due_at = %(lease_until)s FROM due WHERE p.id = due.id
)
UPDATE payouts_attempt attempt SET asking_until = %(lease_until)s
FROM due WHERE attempt.payment_id = due.id
RETURNING attempt.payment_id, attempt.network, attempt.acquiring_bin, attempt.trace_number,
    attempt.retrieval_reference_number, attempt.card_acceptor_id, attempt.terminal_id,
    attempt.status_identifier
"""


def claim_due_inquiries(*, limit: int) -> list[Inquiry]:
    """Take up to `limit` unclear payments that it is time to ask about.

    Any number of askers may run this at once; each payment goes to one of them.
    """
    at = timezone.now()
    rows = fetch_rows(_CLAIM, {"at": at, "lease_until": at + sender_lost_after(), "limit": limit})
    return [_inquiry(row) for row in rows]


def _inquiry(row: Sequence[Any]) -> Inquiry:
    return Inquiry(row[0], row[1], NetworkIdentity(*row[2:7]), row[7] or None)


def record_finding(payment_id: UUID, finding: Finding) -> Status:
    """Record what an inquiry found; return the payment's status.

    Approved or declined settles the payment. Anything else leaves it unknown, its money held, and
    the next question set. "Not found" is counted and never taken as "not paid": the network may not
    show the instruction yet (see `claim_resend`).
    """
    match finding:
        case Approved() | Declined():
            return record_outcome(payment_id, finding)
        case Unknown() | NotFound():
            return _ask_again(payment_id, finding)


def _ask_again(payment_id: UUID, finding: Unknown | NotFound) -> Status:
    at = timezone.now()
    with transaction.atomic():
        row = fetch_row(_LOCK_UNKNOWN, {"id": payment_id})
        if row is None:
            return _status_now(payment_id)
        asked, next_by_schedule_at = row
        if next_by_schedule_at is None:
            asked += 1
            next_by_schedule_at = at + inquiry_pause(times_inquired=asked)
        Attempt.objects.filter(pk=payment_id).update(
            times_inquired=asked,
            answer=dict(finding.raw),
            asking_until=None,
            next_by_schedule_at=None,
            **_learned(finding),
        )
        take_step(payment_id, _inquired(finding, at, due_at=next_by_schedule_at))
    return Status.UNKNOWN


_LOCK_UNKNOWN: Final = """
SELECT attempt.times_inquired, attempt.next_by_schedule_at
FROM payouts_payment p JOIN payouts_attempt attempt ON attempt.payment_id = p.id
WHERE p.id = %(id)s AND p.status = 'unknown'
FOR NO KEY UPDATE OF p
"""


def _learned(finding: Unknown | NotFound) -> dict[str, Any]:
    if isinstance(finding, NotFound):
        return {"times_not_found": F("times_not_found") + 1}
    return {"status_identifier": finding.status_identifier} if finding.status_identifier else {}


def _status_now(payment_id: UUID) -> Status:
    row = fetch_row("SELECT status FROM payouts_payment WHERE id = %(id)s", {"id": payment_id})
    assert row is not None
    return Status(row[0])


def _inquired(finding: Unknown | NotFound, at: datetime, *, due_at: datetime) -> Step:
    found = "not_found" if isinstance(finding, NotFound) else finding.why.value
    return Step(
        before=Status.UNKNOWN,
        to=Status.UNKNOWN,
        kind=EventKind.INQUIRED,
        actor=WORKER,
        at=at,
        due_at=due_at,
        details={"found": found},
    )


_LOST: Final = """
SELECT id FROM payouts_payment
WHERE status = 'submitted' AND due_at <= %(at)s ORDER BY due_at LIMIT %(limit)s
"""


def give_up_lost_senders(*, limit: int) -> int:
    """Make payments unknown whose sender has said nothing for too long; return how many.

    Such a sender was killed between committing the attempt and recording its outcome, so the
    instruction may or may not have left.
    """
    rows = fetch_rows(_LOST, {"at": timezone.now(), "limit": limit})
    for (payment_id,) in rows:
        record_outcome(payment_id, Unknown(UnknownReason.SENDER_LOST))
    return len(rows)
