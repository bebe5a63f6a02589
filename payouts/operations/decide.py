"""People's decisions about payments that wait for them. Four eyes, whatever the way in.

A decision is bound to the SHA-256 of what was decided about (`subject_digest`), so that approving
something other than what is sent is impossible.
"""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from consumers.audit import Act, Verb, audited
from consumers.statements import fetch_rows
from payouts import approvals, dispatch
from payouts.actors import WORKER, Actor, staff
from payouts.approvals import Bar, bar_to_deciding, progress
from payouts.deciding.approvers import (
    approver_of,
    editors_of,
    is_valid_yes,
    matter_of,
    people_named,
    required,
)
from payouts.deciding.signatures import Proof, Signed
from payouts.models import ApprovalRequirement, Decision, EventKind, Payment
from payouts.models.approvals import Verdict
from payouts.operations.bar_by_proof import Decided, bar_by_proof
from payouts.operations.payment_subject import subject_of_payment
from payouts.operations.record_outcome import release_hold
from payouts.operations.transition import PaymentMoved, Step, take_step
from payouts.states import Status


class DecisionRefused(Exception):
    """The decision does not count, and nothing of it is recorded; `bar` says why."""

    bar: ClassVar[Bar]


class NotWaitingForApproval(DecisionRefused):
    """The payment does not wait for decisions (any more), or its time to be decided is over."""

    bar = Bar.NOT_WAITING


class DecisionByMaker(DecisionRefused):
    """Whoever issued the payment cannot decide about it."""

    bar = Bar.MAKER


class DecisionByCardEditor(DecisionRefused):
    """Whoever touched the card, last or since the push was made, cannot decide about it."""

    bar = Bar.CARD_EDITOR


class DecisionByConsumerEditor(DecisionRefused):
    """Whoever changed the consumer, last or since the push was made, cannot decide about it."""

    bar = Bar.CONSUMER_EDITOR


class DecisionByUploader(DecisionRefused):
    """Whoever uploaded the batch cannot decide about a push in it."""

    bar = Bar.UPLOADER


class AlreadyDecided(DecisionRefused):
    """This person has decided about exactly this before."""

    bar = Bar.DECIDED


class ApprovalNotPermitted(DecisionRefused):
    """This person may not approve payments."""

    bar = Bar.NOT_PERMITTED


class SubjectChanged(DecisionRefused):
    """What was on the screen is not what would be sent: look again and decide anew."""

    bar = Bar.CHANGED


class DecisionNotSigned(DecisionRefused):
    """This person has a passkey, and it has not signed the decision."""

    bar = Bar.NOT_SIGNED


class SomethingElseSigned(DecisionRefused):
    """What was signed is another decision, or another person's."""

    bar = Bar.SIGNED_OTHERWISE


class FactorNotFresh(DecisionRefused):
    """The person's second factor was shown too long before the decision."""

    bar = Bar.NOT_FRESH


REFUSALS: Final[dict[Bar, type[DecisionRefused]]] = {
    refusal.bar: refusal
    for refusal in (
        NotWaitingForApproval,
        DecisionByMaker,
        DecisionByCardEditor,
        DecisionByConsumerEditor,
        DecisionByUploader,
        AlreadyDecided,
        ApprovalNotPermitted,
        SubjectChanged,
        DecisionNotSigned,
        SomethingElseSigned,
        FactorNotFresh,
    )
}


def subject_digest(payment: Payment) -> bytes:
    """Return the SHA-256 of what a decision about `payment` is about: payee, card, amount, fee."""
    return approvals.subject_digest(
        payment_id=payment.pk,
        consumer_id=payment.consumer_id,
        first_name=payment.consumer.first_name,
        last_name=payment.consumer.last_name,
        card_id=payment.card_id,
        card_fingerprint=bytes(payment.card.fingerprint),
        cardholder_name=payment.card.cardholder_name,
        amount=payment.amount,
        fee_amount=payment.fee_amount,
    )


def approve_payment(
    payment_id: UUID, *, by: User, digest: bytes, proof: Proof, reason: str = ""
) -> Status:
    """Record one person's yes; when all requirements are met the payment goes to the sender.

    Of two deciding at once both count, one after the other. What was decided before an edit counts
    no more, and whoever decided it, but for the editor, may decide anew. `proof` says that it is
    this person: whoever has a passkey has to have signed (`accept_signature`), others have shown
    another second factor within `STEP_UP_SECONDS`.

    :raises NotWaitingForApproval, DecisionByMaker, DecisionByCardEditor, DecisionByUploader:
    :raises DecisionByConsumerEditor, AlreadyDecided, ApprovalNotPermitted, SubjectChanged:
    :raises DecisionNotSigned, SomethingElseSigned, FactorNotFresh: in every case nothing is
        recorded.
    """
    at = timezone.now()
    decided = Decided(Verdict.APPROVE, reason, digest)
    with _audited(Verb.APPROVE, payment_id, reason):
        payment = _decide(payment_id, by=by, decided=decided, proof=proof, at=at)
        if not _is_fully_approved(payment, digest):
            _note(payment_id, by, at, {"verdict": "approve", "reason": reason})
            return Status.PENDING_APPROVAL
        _end_waiting(payment_id, Status.PENDING, EventKind.APPROVED, by, at, reason)
        dispatch.ring_sender()
    return Status.PENDING


def reject_payment(
    payment_id: UUID, *, by: User, digest: bytes, proof: Proof, reason: str = ""
) -> Status:
    """Record one person's no: the payment ends, its money goes back. Raises like approving."""
    at = timezone.now()
    decided = Decided(Verdict.REJECT, reason, digest)
    with _audited(Verb.REJECT, payment_id, reason):
        _decide(payment_id, by=by, decided=decided, proof=proof, at=at)
        _end_waiting(payment_id, Status.REJECTED, EventKind.REJECTED, by, at, reason)
        release_hold(payment_id, actor=staff(by.pk, by.get_username()), at=at)
    return Status.REJECTED


def expire_undecided_payments(*, limit: int) -> int:
    """End payments that nobody decided in time, and give their money back; return how many."""
    at = timezone.now()
    overdue = Payment.objects.filter(
        status=Status.PENDING_APPROVAL.value, due_at__lte=at
    ).values_list("pk", flat=True)[:limit]
    return sum(_expire(payment_id, WORKER, at) for payment_id in overdue)


def _audited(verb: Verb, payment_id: UUID, reason: str) -> AbstractContextManager[None]:
    """One transaction with its entry in the audit trail; a refusal leaves an entry too."""
    act = Act(verb=verb, subject=subject_of_payment(payment_id), reason=reason)
    return audited(act, refusals=(DecisionRefused,))


def _expire(payment_id: UUID, actor: Actor, at: datetime) -> bool:
    step = Step(
        before=Status.PENDING_APPROVAL,
        to=Status.EXPIRED,
        kind=EventKind.EXPIRED,
        actor=actor,
        at=at,
    )
    try:
        with transaction.atomic():
            take_step(payment_id, step)
            release_hold(payment_id, actor=actor, at=at)
    except PaymentMoved:
        # Somebody decided at the last moment: that counts.
        return False
    return True


_HOLD_SUBJECT: Final = """
SELECT FROM payouts_payment p
JOIN consumers_paymentcard c ON c.id = p.card_id
JOIN consumers_consumer o ON o.id = p.consumer_id
WHERE p.id = %(id)s FOR SHARE OF c, o
"""


def _decide(payment_id: UUID, *, by: User, decided: Decided, proof: Proof, at: datetime) -> Payment:
    # Whoever is editing is waited for, and whoever wants to edit waits: what is read below stays so
    # until this decision is committed.
    fetch_rows(_HOLD_SUBJECT, {"id": payment_id})
    # The database's guard repeats these checks for whoever does not come through here.
    payment = (
        Payment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("consumer", "card")
        .get(pk=payment_id)
    )
    digest = subject_digest(payment)
    matter = matter_of(
        payment,
        digest=digest,
        decisions=Decision.objects.filter(payment=payment),
        editors=editors_of([payment])[payment.pk],
        at=at,
    )
    bar = bar_to_deciding(approver_of(by), matter)
    if bar is None:
        bar = bar_by_proof(proof, by=by, subject_id=payment_id, decided=decided)
    if bar is not None:
        raise REFUSALS[bar](by.pk)
    if decided.digest != digest:
        raise SubjectChanged(payment_id)
    signed = proof if isinstance(proof, Signed) else None
    try:
        with transaction.atomic():
            Decision.objects.create(
                payment=payment,
                user=by,
                verdict=decided.verdict,
                digest=decided.digest,
                reason=decided.reason,
                created_at=at,
                signature_id=None if signed is None else signed.signature_id,
                place=None if signed is None else signed.place,
            )
    except IntegrityError as error:
        raise AlreadyDecided(by.pk) from error
    return payment


def _is_fully_approved(payment: Payment, digest: bytes) -> bool:
    """Say whether every requirement has its decisions: by anybody who may, or by its group."""
    decisions = Decision.objects.filter(payment=payment)
    editors = editors_of([payment])[payment.pk]
    valid = [one.user_id for one in decisions if is_valid_yes(one, editors, digest)]
    asked = map(required, ApprovalRequirement.objects.filter(payment=payment))
    counts = progress(asked, approved_by=people_named(valid), can_decide=())
    return all(one.is_met for one in counts)


def _note(payment_id: UUID, by: User, at: datetime, details: dict[str, str]) -> None:
    take_step(
        payment_id,
        Step(
            before=Status.PENDING_APPROVAL,
            to=Status.PENDING_APPROVAL,
            kind=EventKind.DECIDED,
            actor=staff(by.pk, by.get_username()),
            at=at,
            details=details,
        ),
    )


def _end_waiting(
    payment_id: UUID, to: Status, kind: EventKind, by: User, at: datetime, reason: str
) -> None:
    take_step(
        payment_id,
        Step(
            before=Status.PENDING_APPROVAL,
            to=to,
            kind=kind,
            actor=staff(by.pk, by.get_username()),
            at=at,
            due_at=at if to is Status.PENDING else None,
            details={"reason": reason} if reason else {},
        ),
    )
