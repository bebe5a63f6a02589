"""Changes of settings by two people: one proposes, another one decides, then it is done at once.

What is decided about is frozen when it is proposed and compared with what is there when it is
approved: what moved meanwhile is refused. The deed happens in the decision's own transaction, so a
change is applied exactly once or not at all. Money, terms and access change in this way only, but
for commands of the operator at the machine, and for stopping, which one person may do.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from consumers.audit import Act, Subject, Verb, audited, record_act, subject_of
from payouts.changes import (
    DECIDED_WITHIN,
    ChangeBar,
    ChangeState,
    Contents,
    bar_to_deciding_change,
    change_digest,
)
from payouts.deciding.checkers import change_matter, checker_of, has_a_second_person
from payouts.deciding.signatures import Proof, Signed
from payouts.models import ChangeRequest
from payouts.models.approvals import Verdict
from payouts.operations.bar_by_proof import Decided, bar_by_proof
from payouts.operations.change_kinds import KINDS, Kind, NotAChange, Target


class ProposalNotPermitted(Exception):
    """This person may not propose changes of this kind."""


class ChangeDecisionRefused(Exception):
    """The decision does not count, and nothing of it happened; `bar` says why."""

    bar: ClassVar[ChangeBar]


class ChangeNotPermitted(ChangeDecisionRefused):
    """This person may not decide about changes of this kind."""

    bar = ChangeBar.NOT_PERMITTED


class ChangeNotWaiting(ChangeDecisionRefused):
    """Somebody has decided, or the time to is over."""

    bar = ChangeBar.NOT_WAITING


class ChangeByProposer(ChangeDecisionRefused):
    """Nobody decides about a change that they propose."""

    bar = ChangeBar.PROPOSER


class ChangeByWhomItConcerns(ChangeDecisionRefused):
    """Nobody decides about a change of themselves."""

    bar = ChangeBar.CONCERNED


class ProposerGone(ChangeDecisionRefused):
    """Whoever proposed it was switched off since: it can be rejected, not approved."""

    bar = ChangeBar.PROPOSER_GONE


class ChangeSeenOtherwise(ChangeDecisionRefused):
    """What was on the screen is not what was proposed."""

    bar = ChangeBar.SEEN_OTHERWISE


class ChangeOutdated(ChangeDecisionRefused):
    """What it would change was changed meanwhile: it has to be proposed anew."""

    bar = ChangeBar.OUTDATED


class ChangeImpossible(ChangeDecisionRefused):
    """It was possible when it was proposed, and is not any more."""

    bar = ChangeBar.IMPOSSIBLE


class ChangeDecisionNotSigned(ChangeDecisionRefused):
    """This person has a passkey, and it has not signed the decision."""

    bar = ChangeBar.NOT_SIGNED


class SomethingElseThanChangeSigned(ChangeDecisionRefused):
    """What was signed is another decision, or another person's."""

    bar = ChangeBar.SIGNED_OTHERWISE


class ChangeFactorNotFresh(ChangeDecisionRefused):
    """The person's second factor was shown too long before the decision."""

    bar = ChangeBar.NOT_FRESH


_REFUSALS: Final[dict[ChangeBar, type[ChangeDecisionRefused]]] = {
    refusal.bar: refusal
    for refusal in (
        ChangeNotPermitted,
        ChangeNotWaiting,
        ChangeByProposer,
        ChangeByWhomItConcerns,
        ChangeDecisionNotSigned,
        SomethingElseThanChangeSigned,
        ChangeFactorNotFresh,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change as somebody wishes it: its kind, of which partner, of what of it, to what."""

    kind: str
    partner_id: UUID | None = None
    subject: str = ""
    after: Contents


def propose_change(proposal: Proposal, *, by: User, reason: str) -> ChangeRequest:
    """Store what should change, for somebody else to decide about; nothing changes yet.

    The very same proposal again, or twice at once, gives the one that waits. A person who is the
    only one ever permitted applies a change of a kind that bootstraps at once, and the row says so.

    :raises ProposalNotPermitted: whoever asks may not; an entry in the audit trail says so.
    :raises NotAChange: naming everything that is wrong, or that nothing would change.
    """
    kind = KINDS[proposal.kind]
    target = Target(proposal.partner_id, proposal.subject)
    if not (by.is_active and by.has_perm(kind.proposes)):
        act = Act(verb=Verb.PROPOSE, subject=Subject("payouts.changerequest", "", kind.name))
        record_act(act.refused("ProposalNotPermitted"))
        raise ProposalNotPermitted(kind.name)
    after = kind.checked(target, proposal.after, proposer=by)
    before = kind.now(target, after)
    if before == after:
        raise NotAChange("This is how it is already.")
    change = _as_row(kind, target, before, after, by=by, reason=reason)
    try:
        with transaction.atomic():
            change.save(force_insert=True)
            act = Act(verb=Verb.PROPOSE, subject=subject_of(change), reason=reason)
            record_act(_with_contents(act, change))
            if kind.bootstraps and not has_a_second_person(by, kind.decides):
                _end(change, ChangeState.APPLIED, at=change.proposed_at, alone=True)
                change.result = kind.apply(change, by=by)
                change.save(update_fields=[*_ENDED, "result"])
    except IntegrityError:
        return _the_same(change)
    return change


def approve_change(
    change_id: UUID, *, by: User, digest: bytes, reason: str, proof: Proof
) -> ChangeRequest:
    """Say yes, and do it: in one transaction, once, whoever else decides at the same moment.

    `proof` says that it is this person, as for decisions about payments: whoever has a passkey has
    to have signed this change, others have shown another second factor within `STEP_UP_SECONDS`.

    :raises ChangeNotPermitted, ChangeNotWaiting, ChangeByProposer, ChangeByWhomItConcerns:
    :raises ProposerGone, ChangeSeenOtherwise, ChangeOutdated, ChangeImpossible:
    :raises ChangeDecisionNotSigned, SomethingElseThanChangeSigned, ChangeFactorNotFresh: in every
        case nothing has changed, and an entry in the audit trail says who tried.
    """
    decided = Decided(Verdict.APPROVE, reason, digest)
    with _audited(Verb.APPROVE, change_id, reason):
        change = _decidable(change_id, by, decided, proof)
        if not change.proposed_by.is_active:
            raise ProposerGone
        kind, target = KINDS[change.kind], Target(change.partner_id, change.subject)
        _require_unmoved(kind, target, change)
        _end(change, ChangeState.APPLIED, at=timezone.now(), by=by, reason=reason)
        try:
            with transaction.atomic():
                change.result = kind.apply(change, by=by)
        except (NotAChange, IntegrityError) as error:
            raise ChangeImpossible(str(error)) from error
        change.save(update_fields=[*_ENDED, "result"])
    return change


def reject_change(
    change_id: UUID, *, by: User, digest: bytes, reason: str, proof: Proof
) -> ChangeRequest:
    """Say no: the proposal ends. Raises like approving, but for what is about the deed."""
    decided = Decided(Verdict.REJECT, reason, digest)
    with _audited(Verb.REJECT, change_id, reason):
        change = _decidable(change_id, by, decided, proof)
        _end(change, ChangeState.REJECTED, at=timezone.now(), by=by, reason=reason)
        change.save(update_fields=_ENDED)
    return change


def withdraw_change(change_id: UUID, *, by: User, reason: str = "") -> ChangeRequest:
    """Take one's own proposal back.

    :raises ChangeNotWaiting, ChangeNotPermitted: somebody has decided; it is somebody else's.
    """
    with _audited(Verb.WITHDRAW, change_id, reason):
        change = locked_change(change_id)
        if change.proposed_by_id != by.pk:
            raise ChangeNotPermitted
        if not change_matter(change, at=timezone.now()).is_waiting:
            raise ChangeNotWaiting
        _end(change, ChangeState.WITHDRAWN, at=timezone.now(), by=by, reason=reason)
        change.save(update_fields=_ENDED)
    return change


def expire_changes(*, limit: int) -> int:
    """End proposals that nobody decided in time; return how many."""
    at = timezone.now()
    overdue = ChangeRequest.objects.filter(state=ChangeState.PROPOSED, expires_at__lte=at)
    return sum(_expire(key, at) for key in overdue.values_list("pk", flat=True)[:limit])


_ENDED: Final = [
    "state", "decided_by", "decided_at", "decision_reason", "is_alone", "signature",
]  # fmt: skip


def _as_row(
    kind: Kind, target: Target, before: Contents, after: Contents, *, by: User, reason: str
) -> ChangeRequest:
    at = timezone.now()
    return ChangeRequest(
        kind=kind.name,
        partner_id=target.partner_id,
        subject=target.subject,
        label=kind.label(target, after),
        concerns_user=kind.concerned(target),
        before=before,
        after=after,
        digest=change_digest(
            kind=kind.name,
            partner_id=target.partner_id,
            subject=target.subject,
            before=before,
            after=after,
        ),
        reason=reason,
        proposed_by=by,
        proposed_at=at,
        expires_at=at + DECIDED_WITHIN,
        state=ChangeState.PROPOSED,
    )


def _the_same(change: ChangeRequest) -> ChangeRequest:
    """What waits already. A reference that was booked at the same moment is no longer free."""
    waiting = ChangeRequest.objects.filter(state=ChangeState.PROPOSED, digest=change.digest).first()
    if waiting is None:
        raise NotAChange("Somebody was faster. Look again at how it is now.")
    return waiting


def _audited(verb: Verb, change_id: UUID, reason: str) -> AbstractContextManager[None]:
    change = ChangeRequest.objects.get(pk=change_id)
    act = Act(verb=verb, subject=subject_of(change), reason=reason)
    return audited(_with_contents(act, change), refusals=(ChangeDecisionRefused,))


def _with_contents(act: Act, change: ChangeRequest) -> Act:
    return Act(
        verb=act.verb,
        subject=act.subject,
        reason=act.reason,
        before=change.before,
        after=change.after,
    )


def locked_change(change_id: UUID) -> ChangeRequest:
    """The change under our lock until the transaction ends, with whoever proposed it."""
    rows = ChangeRequest.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("proposed_by").get(pk=change_id)


def _decidable(change_id: UUID, by: User, decided: Decided, proof: Proof) -> ChangeRequest:
    """The change, locked and with its signature, if this person may decide so about it now."""
    change = locked_change(change_id)
    kind = KINDS[change.kind]
    matter = change_matter(change, at=timezone.now())
    bar = bar_to_deciding_change(checker_of(by, kind.decides), matter)
    if bar is not None:
        raise _REFUSALS[bar](by.pk)
    if decided.digest != bytes(change.digest):
        raise ChangeSeenOtherwise
    lacking = bar_by_proof(proof, by=by, subject_id=change.pk, decided=decided)
    if lacking is not None:
        # What a proof lacks has the same names for payments and for changes.
        raise _REFUSALS[ChangeBar(lacking.value)](by.pk)
    change.signature_id = proof.signature_id if isinstance(proof, Signed) else None
    return change


def _require_unmoved(kind: Kind, target: Target, change: ChangeRequest) -> None:
    with connection.cursor() as cursor:
        # Two changes of one target are decided one after the other; the later one sees the first.
        name = f"{kind.name}|{target.partner_id}|{target.subject}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    kind.lock(target)
    try:
        now = kind.now(target, change.after)
    except NotAChange as error:
        raise ChangeOutdated from error
    if now != change.before:
        raise ChangeOutdated


def _end(
    change: ChangeRequest,
    state: ChangeState,
    *,
    at: datetime,
    by: User | None = None,
    reason: str = "",
    alone: bool = False,
) -> None:
    change.state, change.decided_at, change.decided_by = state, at, by
    change.decision_reason, change.is_alone = reason, alone


def _expire(change_id: UUID, at: datetime) -> bool:
    with transaction.atomic():
        change = locked_change(change_id)
        if change.state != ChangeState.PROPOSED:
            return False
        _end(change, ChangeState.EXPIRED, at=at)
        change.save(update_fields=_ENDED)
        record_act(Act(verb=Verb.EXPIRE, subject=subject_of(change)))
    return True
