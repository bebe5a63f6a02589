"""What became of a payment, and how a case ends, when only people can tell: two of them.

The evidence is kept before it is proposed (`operations.keep_evidence`); its SHA-256 is part of what
is proposed, so a decision is about this file and no other.
"""

from typing import ClassVar
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from payouts.actors import staff
from payouts.changes import Contents
from payouts.doubts import CaseState, Way
from payouts.models import Attempt, Case, ChangeRequest, EvidenceFile, Payment
from payouts.models.changes import CLOSING, RESOLUTION, RETURN
from payouts.operations.case_bookings import CaseCorrectedBefore
from payouts.operations.cases import CaseClosed, close_by_two, ways_of
from payouts.operations.change_kinds.base import Kind, NotAChange, Target
from payouts.operations.ledger import BelowFloor
from payouts.operations.locked_payment import lock_payment
from payouts.operations.settle_by_people import settle_by_people, told_by
from payouts.operations.take_back import take_back
from payouts.operations.transition import PaymentMoved
from payouts.staff import RESOLVE_PAYMENT
from payouts.states import Status


class _OfPayment(Kind):
    """What two people say about one payment, with evidence. `subject` is the payment's id."""

    proposes = RESOLVE_PAYMENT
    decides = frozenset({RESOLVE_PAYMENT})
    of_status: ClassVar[Status]
    verdicts: ClassVar[tuple[Status, ...]]
    gone: ClassVar[str]

    def now(self, target: Target, after: Contents) -> Contents:
        payment = _payment(target)
        sent = Attempt.objects.filter(pk=payment.pk).values_list("times_sent", flat=True).first()
        # Sent again since, it may have been paid since: the evidence was about before.
        return {"status": payment.status, "times_sent": sent}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        payment = _payment(target)
        if payment.status != self.of_status.value:
            raise NotAChange(self.gone)
        if payment.maker_user_id == proposer.pk:
            raise NotAChange("You issued this push, so two other people have to resolve it.")
        if after.get("verdict") not in self.verdicts:
            raise NotAChange({"verdict": ["Say whether it was paid."]})
        evidence = EvidenceFile.objects.filter(pk=after["evidence"], payment=payment).first()
        if evidence is None:
            raise NotAChange({"file": ["There is no such evidence about this push."]})
        return {
            "verdict": str(after["verdict"]),
            "evidence": str(evidence.pk),
            "file": evidence.name,
            "sha256": evidence.digest,
        }

    def lock(self, target: Target) -> None:
        lock_payment(_payment(target).pk)

    def concerned(self, target: Target) -> User | None:
        return _payment(target).maker_user


class ResolutionKind(_OfPayment):
    """An unknown payment was paid, or certainly was not."""

    name = RESOLUTION
    of_status = Status.UNKNOWN
    verdicts = (Status.COMPLETED, Status.FAILED)
    gone = "This push is not in doubt any more."

    def label(self, target: Target, after: Contents) -> str:
        said = "paid" if after["verdict"] == Status.COMPLETED else "not paid"
        return f"${_payment(target).amount:,.2f} in doubt: {said}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        try:
            return settle_by_people(change, by=by).value
        except PaymentMoved as moved:
            raise NotAChange(self.gone) from moved


class ReturnKind(_OfPayment):
    """The money of a completed payment came back."""

    name = RETURN
    of_status = Status.COMPLETED
    verdicts = (Status.RETURNED,)
    gone = "This push is not one that was paid and can come back."

    def label(self, target: Target, after: Contents) -> str:
        return f"${_payment(target).amount:,.2f} came back"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        actor = staff(by.pk, by.get_username())
        payment = lock_payment(UUID(change.subject))
        try:
            take_back(payment, details=told_by(change), actor=actor, at=timezone.now())
        except PaymentMoved as moved:
            raise NotAChange(self.gone) from moved
        return Status.RETURNED.value


class CloseCaseKind(Kind):
    """A case ends, and what puts the money right is booked. `subject` is the case's id."""

    name = CLOSING
    proposes = RESOLVE_PAYMENT
    decides = frozenset({RESOLVE_PAYMENT})

    def now(self, target: Target, after: Contents) -> Contents:
        case = _case(target)
        status = None if case.payment is None else case.payment.status
        return {"state": case.state, "status": status}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        case = _case(target)
        if case.state != CaseState.OPEN:
            raise NotAChange("This case is closed.")
        status = None if case.payment is None else Status(case.payment.status)
        if after.get("way") not in ways_of(case, status):
            raise NotAChange({"way": ["This case cannot end like this."]})
        if case.payment is not None and case.payment.maker_user_id == proposer.pk:
            raise NotAChange("You issued this push, so two other people have to close the case.")
        return {"way": Way(after["way"]).value}

    def label(self, target: Target, after: Contents) -> str:
        return f"Close: {_case(target).title}"[:300]

    def lock(self, target: Target) -> None:
        case = _case(target)
        if case.payment_id is not None:
            lock_payment(case.payment_id)

    def concerned(self, target: Target) -> User | None:
        payment = _case(target).payment
        return None if payment is None else payment.maker_user

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        try:
            return str(close_by_two(change, by=by) or "")
        except BelowFloor as refusal:
            raise NotAChange("The partner does not have the money.") from refusal
        except CaseClosed as refusal:
            raise NotAChange("This case is closed.") from refusal
        except CaseCorrectedBefore as refusal:
            told = "The money of this push was put right meanwhile, by another case."
            raise NotAChange(told) from refusal


def _payment(target: Target) -> Payment:
    rows = Payment.objects.select_related("maker_user").filter(**target.of_partner)
    payment_id = _uuid(target.subject)
    payment = None if payment_id is None else rows.filter(pk=payment_id).first()
    if payment is None:
        raise NotAChange("There is no such push.")
    return payment


def _case(target: Target) -> Case:
    rows = Case.objects.select_related("payment", "payment__maker_user")
    case_id = _uuid(target.subject)
    case = None if case_id is None else rows.filter(pk=case_id, **target.of_partner).first()
    if case is None:
        raise NotAChange("There is no such case.")
    return case


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
