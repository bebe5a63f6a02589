"""Makes of a stored notification what an answer of the network would have made; in a worker.

A genuine one goes the way of every outcome (`record_outcome`, `return_payment`), which decide what
a repeat, one out of order, or one that contradicts what is final comes to. What nobody can vouch
for is never believed: it only has the network asked.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.statements import fetch_row, fetch_rows
from payouts.actors import card_network
from payouts.doubts import CaseKind
from payouts.models import CameTo, Case, Event, EventKind, Meaning, NetworkNotification, Payment
from payouts.networks.base import Approved, Declined, Notice, Returned, Unknown
from payouts.networks.routing import notice_in
from payouts.operations.ask_now import Asked, make_due
from payouts.operations.cases import Disagreement, open_case
from payouts.operations.late_answers import note_other_amount
from payouts.operations.locked_payment import lock_payment
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import (
    NoSuchInstruction,
    ReturnNotice,
    payment_with,
    return_payment,
)
from payouts.operations.strangers import (
    PAID,
    RETURNED,
    Stranger,
    case_settled,
    lock_stranger,
)
from payouts.operations.take_notification import body_of
from payouts.states import OPEN

logger = logging.getLogger(__name__)

# The pauses after tries that came to nothing. A key that is missing is brought in these hours, a
# fault of ours found. Used twice it would change nothing more.
_PAUSES: Final = (
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
    # After the last one. It is set aside when it fails; its taker may have died of it.
    timedelta(minutes=1),
)
MOST_TRIES: Final = len(_PAUSES)
_DIED: Final = "its worker died"
_CLAIM: Final = """
WITH waiting AS (
    SELECT id FROM payouts_networknotification
    WHERE due_at <= %(at)s AND tries < %(most)s AND (tries > 0) = %(again)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE payouts_networknotification taken
SET due_at = %(at)s + (%(pauses)s::interval[])[taken.tries + 1], tries = taken.tries + 1
FROM waiting WHERE taken.id = waiting.id
RETURNING taken.id
"""
# Their takers have said nothing: what fails after its last try is set aside at once.
_SET_ASIDE: Final = """
UPDATE payouts_networknotification
SET due_at = NULL, set_aside_at = %(at)s, problem = %(died)s
WHERE due_at <= %(at)s AND tries >= %(most)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _Use:
    """What a notification said and came to, and of which payment."""

    meaning: Meaning
    came_to: CameTo
    payment_id: UUID | None = None


def claim_notifications(*, limit: int) -> list[UUID]:
    """Take up to `limit` notifications that wait to be used, in the order of their coming.

    Any number of workers may do this at once. What its taker does not use is taken again, after a
    minute first and after a day in the end, and alone: whoever dies of it keeps no other from being
    used. What `MOST_TRIES` takers have died of is set aside.
    """
    at = timezone.now()
    for (died_of,) in fetch_rows(_SET_ASIDE, {"at": at, "most": MOST_TRIES, "died": _DIED}):
        _tell(died_of, _DIED)
    return _claimed(at, limit=limit, again=False) or _claimed(at, limit=1, again=True)


def _claimed(at: datetime, *, limit: int, again: bool) -> list[UUID]:
    bounds = {"limit": limit, "again": again, "most": MOST_TRIES, "pauses": list(_PAUSES)}
    # The keys are times.
    return sorted(row[0] for row in fetch_rows(_CLAIM, {"at": at, **bounds}))


_FAILED: Final = """
UPDATE payouts_networknotification
SET problem = %(problem)s,
    set_aside_at = CASE WHEN tries >= %(most)s THEN %(at)s END,
    due_at = CASE WHEN tries < %(most)s THEN due_at END
WHERE id = %(id)s AND due_at IS NOT NULL
RETURNING set_aside_at IS NULL
"""


def note_failure(notification_id: UUID, *, problem: str) -> None:
    """Keep what kept a claimed notification from being used; after `MOST_TRIES`, set it aside.

    `problem` is the kind of error. What is used or set aside already stays as it is.
    """
    found = {"id": notification_id, "problem": problem[:80], "at": timezone.now()}
    row = fetch_row(_FAILED, {**found, "most": MOST_TRIES})
    if row is not None and not row[0]:
        _tell(notification_id, problem)


def _tell(notification_id: UUID, problem: str) -> None:
    logger.critical(
        "Notification %s could not be used %s times, and is set aside: %s.",
        notification_id,
        MOST_TRIES,
        problem,
    )


def use_notification(notification_id: UUID) -> None:
    """Make of a notification what it says. Safe to die in: a second time it changes nothing more.

    Call it outside of any transaction: what comes of it takes transactions of its own.

    :raises consumers.vault.TextUnreadable: its key is gone, or not here yet.
    """
    notification = NetworkNotification.objects.get(pk=notification_id)
    notice = notice_in(notification.network, body_of(notification))
    use = _use(notification, notice)
    NetworkNotification.objects.filter(pk=notification_id, used_at__isnull=True).update(
        meaning=use.meaning,
        came_to=use.came_to,
        payment_id=use.payment_id,
        used_at=timezone.now(),
        due_at=None,
    )


def _use(notification: NetworkNotification, notice: Notice | None) -> _Use:
    if notice is None:
        if notification.is_genuine:
            logger.error("Nobody can read notification %s.", notification.pk)
        return _Use(Meaning.UNREADABLE, CameTo.NOTHING)
    meaning = _meaning(notice)
    try:
        payment_id = payment_with(notification.network, notice.identity)
    except NoSuchInstruction:
        if notification.is_genuine:
            _wonder(notification, notice, at=notification.received_at)
        return _Use(meaning, CameTo.NOT_OURS)
    if not notification.is_genuine:
        return _Use(meaning, _asked(payment_id), payment_id)
    if not _is_about_our_amount(notice, payment_id):
        return _Use(meaning, _contradicted(notification.network, notice, payment_id), payment_id)
    return _Use(meaning, _believed(notification.network, notice, payment_id), payment_id)


def _meaning(notice: Notice) -> Meaning:
    match notice.says:
        case Approved():
            return Meaning.PAID
        case Declined():
            return Meaning.NOT_PAID
        case Returned():
            return Meaning.RETURNED
        case Unknown():
            return Meaning.IN_PROGRESS


def _is_about_our_amount(notice: Notice, payment_id: UUID) -> bool:
    """A decision about another amount, or about one that nobody can read, settles nothing. Of a
    return that is a case."""
    if not isinstance(notice.says, Approved | Declined):
        return True
    if notice.amount is None:
        return False
    return Payment.objects.filter(pk=payment_id, amount=notice.amount).exists()


def _contradicted(network: str, notice: Notice, payment_id: UUID) -> CameTo:
    """The network means another amount under our identity. Of what is final that is a case."""
    says, actor = notice.says, card_network(network)
    cases = Case.objects.filter(payment_id=payment_id).count()
    if isinstance(says, Approved | Declined) and notice.amount is not None:
        with transaction.atomic():
            payment = lock_payment(payment_id)
            if payment.status not in OPEN:
                at = timezone.now()
                note_other_amount(payment, says, amount=notice.amount, actor=actor, at=at)
    if Case.objects.filter(payment_id=payment_id).count() > cases:
        return CameTo.CASE
    return _asked(payment_id)


def _asked(payment_id: UUID) -> CameTo:
    asked = make_due(payment_id)
    return CameTo.NOT_BELIEVED if asked is Asked.NOT_UNKNOWN else CameTo.ASKED


def _believed(network: str, notice: Notice, payment_id: UUID) -> CameTo:
    actor, says = card_network(network), notice.says
    version = Payment.objects.values_list("version", flat=True).get(pk=payment_id)
    cases = Case.objects.filter(payment_id=payment_id).count()
    match says:
        case Approved() | Declined():
            record_outcome(payment_id, says, actor=actor)
        case Returned():
            returned = ReturnNotice(
                network=network,
                identity=notice.identity,
                amount=says.amount,
                reference=says.reference,
            )
            return_payment(returned, actor=actor)
        case Unknown():
            return CameTo.NOTHING
    if Case.objects.filter(payment_id=payment_id).count() > cases:
        return CameTo.CASE
    by_it = Event.objects.filter(payment_id=payment_id, number__gt=version, actor=actor.label)
    changed = by_it.exclude(kind=EventKind.CONFIRMED).exists()
    return CameTo.SETTLED if changed else CameTo.NOTHING


def _wonder(notification: NetworkNotification, notice: Notice, *, at: datetime) -> None:
    """The network moved money for an instruction that we never gave: somebody has to look."""
    if not isinstance(notice.says, Approved | Returned):
        return
    says = PAID if isinstance(notice.says, Approved) else RETURNED
    amount, identity = notice.amount or Decimal(0), notice.identity
    stranger = Stranger(notification.network, identity, says, amount)
    reference = identity.retrieval_reference_number
    logger.critical("The network tells of %s, which we never instructed.", reference)
    with transaction.atomic():
        lock_stranger(stranger)
        if case_settled(stranger) is None:
            _open_stranger(stranger, at=at)


def _open_stranger(stranger: Stranger, *, at: datetime) -> None:
    amount, identity, says = stranger.amount, stranger.identity, stranger.says
    reference = identity.retrieval_reference_number
    open_case(
        Disagreement(
            kind=CaseKind.UNKNOWN_INSTRUCTION,
            subject=stranger.subject,
            title=f"${amount:,.2f}: the network says {says}, and we never instructed {reference}",
            amount=amount,
            ours={"status": "not ours"},
            theirs={
                "says": says,
                "amount": f"{amount:.2f}",
                "reference": reference,
                "trace_number": identity.systems_trace_audit_number,
                "terminal": identity.terminal_id,
                "network": stranger.network,
                # What it takes, or gives, beyond our books.
                "difference": f"{amount if says == PAID else -amount:.2f}",
            },
        ),
        at=at,
        actor=card_network(stranger.network),
    )
