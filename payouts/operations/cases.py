"""Cases: opened by whatever finds two sides that do not agree, worked on and closed by people.

Opening never changes a payment. Closing books what puts the money right (`case_bookings`), under
four eyes: see `change_kinds.doubts.CloseCaseKind`, which is the one caller of `close_by_two`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, audited, record_act, subject_of
from payouts.actors import WORKER, Actor, staff
from payouts.doubts import (
    RETURNS,
    CaseKind,
    CaseState,
    Way,
    ways_to_close,
    ways_to_close_return,
)
from payouts.models import (
    Case,
    ChangeRequest,
    EventKind,
)
from payouts.models.changes import CLOSING
from payouts.operations.case_bookings import CORRECTIONS, book_closing, was_corrected
from payouts.operations.disputes import tell_dispute
from payouts.operations.locked_payment import lock_payment
from payouts.operations.overtake import overtake_proposals
from payouts.staff import RESOLVE_PAYMENT
from payouts.states import Status


class CaseRefused(Exception):
    """What was asked for does not happen, and nothing has changed."""


class CaseNotPermitted(CaseRefused):
    """This person may not work on cases."""


class CaseClosed(CaseRefused):
    """Somebody has closed it."""


class CaseNeedsTwo(CaseRefused):
    """Money is at stake, so one person proposes how to close it and another one decides."""


class CaseReasonMissing(CaseRefused):
    """Nothing is closed without saying why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """What a case is to be about. `subject` is the same whenever the same thing is found."""

    kind: CaseKind
    subject: str
    title: str
    amount: Decimal
    payment_id: UUID | None = None
    partner_id: UUID | None = None
    # The payment's money has moved by one side and has not by the other.
    disputes: bool = False
    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)


def open_case(found: Disagreement, *, at: datetime, actor: Actor = WORKER) -> Case:
    """Open a case, or return the one that stands for the same disagreement, closed or not.

    Joins the caller's transaction. Found twice at once it is one case. If it disputes that the
    payment's money has moved, or has not, the payment says so from the same transaction on, under
    its lock.
    """
    about = {
        "payment_id": found.payment_id,
        "partner_id": found.partner_id,
        "title": found.title,
        "ours": dict(found.ours),
        "theirs": dict(found.theirs),
        "amount": found.amount,
        "disputes": found.disputes,
        "opened_at": at,
    }
    with transaction.atomic():
        if found.disputes and found.payment_id is not None:
            lock_payment(found.payment_id)
        case, is_new = Case.objects.get_or_create(
            kind=found.kind, subject=found.subject, defaults=about
        )
        if is_new:
            record_act(Act(verb=Verb.OPEN, subject=subject_of(case), after=case.theirs))
            if case.disputes:
                told = {"case": str(case.pk)}
                tell_dispute(case, kind=EventKind.DISPUTED, details=told, actor=actor, at=at)
    return case


def take_case(case_id: UUID, *, by: User) -> Case:
    """Make the case one's own, also if it was somebody else's; the audit trail says whose.

    :raises CaseNotPermitted, CaseClosed:
    """
    case = Case.objects.get(pk=case_id)
    before = {"owner": "" if case.owner is None else case.owner.get_username()}
    after = {"owner": by.get_username()}
    act = Act(verb=Verb.TAKE, subject=subject_of(case), before=before, after=after)
    with audited(act, refusals=(CaseRefused,)):
        case = _workable(case_id, by)
        case.owner = by
        case.save(update_fields=["owner"])
    return case


def close_case(case_id: UUID, *, by: User, reason: str) -> Case:
    """Close a case in which no money is at stake; nothing is booked.

    :raises CaseNotPermitted, CaseClosed, CaseNeedsTwo, CaseReasonMissing:
    """
    case = Case.objects.get(pk=case_id)
    act = Act(verb=Verb.CLOSE, subject=subject_of(case), reason=reason)
    with audited(act, refusals=(CaseRefused,)):
        case = _workable(case_id, by)
        if case.amount or case.disputes:
            raise CaseNeedsTwo
        if not reason.strip():
            raise CaseReasonMissing
        _close(case, Way.NOTHING, by=by, reason=reason, at=timezone.now())
    return case


def close_by_two(change: ChangeRequest, *, by: User) -> int | None:
    """Close the case of a change that is being approved; return the journal's id, if one is booked.

    Runs inside the decision's transaction, under the locks of case and payment.

    :raises payouts.operations.ledger.BelowFloor: the partner cannot pay; nothing has changed.
    :raises CaseClosed: what was missing has come meanwhile.
    :raises payouts.operations.case_bookings.CaseCorrectedBefore: the payment's money was put right
        already; nothing has changed.
    """
    at, way = timezone.now(), Way(change.after["way"])
    actor = staff(by.pk, by.get_username())
    case = Case.objects.select_for_update(no_key=True).get(pk=change.subject)
    if case.state != CaseState.OPEN:
        raise CaseClosed
    journal_id = book_closing(case, way, actor=actor, at=at)
    case.change, case.journal_id = change, journal_id
    _close(case, way, by=by, reason=change.reason, at=at)
    if case.disputes or way in CORRECTIONS:
        kind = EventKind.CORRECTED if way in CORRECTIONS else EventKind.UPHELD
        details = {"case": str(case.pk), "correction": way.value}
        tell_dispute(case, kind=kind, details=details, actor=actor, at=at)
    told = {"way": way.value, "journal": journal_id}
    record_act(Act(verb=Verb.CLOSE, subject=subject_of(case), reason=change.reason, after=told))
    return journal_id


def close_as_come(kind: CaseKind, subject: str, *, came_with: str, at: datetime) -> Case | None:
    """Close the case about something missing, because it has come; return it if it was open.

    Joins the caller's transaction. Nothing is booked: what the case was about is not so any more.
    What people have proposed about it ends with it.
    """
    rows = Case.objects.select_for_update(no_key=True)
    case = rows.filter(kind=kind, subject=subject, state=CaseState.OPEN).first()
    if case is None:
        return None
    reason = f"It came with {came_with}."[:500]
    overtake_proposals(case.pk, CLOSING, why=reason, at=at)
    case.state, case.way, case.closing_reason = CaseState.CLOSED, Way.CAME, reason
    case.closed_at = at
    case.save(update_fields=["state", "way", "closing_reason", "closed_at"])
    record_act(Act(verb=Verb.CLOSE, subject=subject_of(case), reason=reason))
    return case


def ways_of(case: Case, status: Status | None) -> tuple[Way, ...]:
    """How the case may end, about a payment that has this status now.

    A payment's money is put right once: what is wrong with a correction stays to be explained.
    """
    if case.kind == CaseKind.UNKNOWN_INSTRUCTION and "difference" in case.theirs:
        return (Way.TO_SUSPENSE, Way.NOTHING)
    if case.kind in RETURNS:
        differs = Decimal(case.theirs["amount"]) != Decimal(case.ours["amount"])
        kind, is_given_back = CaseKind(case.kind), was_corrected(case)
        return ways_to_close_return(
            kind, status=status, differs=differs, is_given_back=is_given_back
        )
    ways = ways_to_close(
        CaseKind(case.kind), they_say=str(case.theirs.get("says", "")), status=status
    )
    if Way.TO_NETWORK in ways and not case.theirs.get("network"):
        return tuple(way for way in ways if way is not Way.TO_NETWORK)
    if CORRECTIONS & set(ways) and was_corrected(case):
        return tuple(way for way in ways if way not in CORRECTIONS)
    return ways


def _workable(case_id: UUID, by: User) -> Case:
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    if not (by.is_active and by.has_perm(RESOLVE_PAYMENT)):
        raise CaseNotPermitted
    if case.state != CaseState.OPEN:
        raise CaseClosed
    return case


def _close(case: Case, way: Way, *, by: User, reason: str, at: datetime) -> None:
    case.state, case.way, case.closing_reason = CaseState.CLOSED, way, reason
    case.closed_by, case.closed_at = by, at
    case.save(
        update_fields=["state", "way", "closing_reason", "closed_by", "closed_at", "change",
                       "journal"]
    )  # fmt: skip
