"""What became of a push, said by two people with evidence: one proposes, another one decides.

The mechanism is that of all changes under four eyes (`operations.changes`); what is added here is
the evidence, and that an answer of the network that comes meanwhile wins and ends the proposal.
"""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from consumers.audit import Act, Verb, record_act
from payouts.deciding.signatures import Proof
from payouts.doubts import Upload
from payouts.models import ChangeRequest, Payment
from payouts.models.changes import RESOLUTION, RETURN
from payouts.operations.changes import (
    ChangeImpossible,
    ChangeNotWaiting,
    ChangeOutdated,
    Proposal,
    ProposalNotPermitted,
    approve_change,
    propose_change,
)
from payouts.operations.keep_evidence import keep_evidence
from payouts.operations.overtake import end_if_answered
from payouts.operations.payment_subject import subject_of_payment
from payouts.staff import RESOLVE_PAYMENT
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says became of a payment, why, and what shows it."""

    verdict: Status
    reason: str
    evidence: Upload


def propose_resolution(payment_id: UUID, claim: Claim, *, by: User) -> ChangeRequest:
    """Keep the evidence and propose the verdict: completed or failed of an unknown payment, or
    returned of a completed one. No money moves yet. The very same again gives the one that waits.

    :raises ProposalNotPermitted: with an entry in the audit trail; no file is kept.
    :raises payouts.doubts.EvidenceRefused: the file is not taken.
    :raises payouts.operations.change_kinds.NotAChange: the payment is not in doubt, they issued it,
        or another proposal about it waits.
    """
    if not (by.is_active and by.has_perm(RESOLVE_PAYMENT)):
        act = Act(verb=Verb.PROPOSE, subject=subject_of_payment(payment_id))
        record_act(act.refused("ProposalNotPermitted"))
        raise ProposalNotPermitted(RESOLVE_PAYMENT)
    payment = Payment.objects.get(pk=payment_id)
    evidence = keep_evidence(claim.evidence, payment=payment, by=by)
    proposal = Proposal(
        kind=RETURN if claim.verdict is Status.RETURNED else RESOLUTION,
        partner_id=payment.partner_id,
        subject=str(payment.pk),
        after={"verdict": claim.verdict.value, "evidence": str(evidence.pk)},
    )
    return propose_change(proposal, by=by, reason=claim.reason)


def resolve_unknown(
    change_id: UUID, *, by: User, digest: bytes, reason: str, proof: Proof
) -> ChangeRequest:
    """Say yes to a resolution and so apply it: once, whoever else decides at the same moment.

    Event, journal, decision and audit entries are one transaction. If the network has answered
    meanwhile, its answer stands, nothing of this happens, and the proposal ends with that reason.

    :raises payouts.operations.changes.ChangeDecisionRefused: as `approve_change`.
    """
    try:
        return approve_change(change_id, by=by, digest=digest, reason=reason, proof=proof)
    except (ChangeOutdated, ChangeImpossible, ChangeNotWaiting):
        change = ChangeRequest.objects.get(pk=change_id)
        status = Payment.objects.values_list("status", flat=True).get(pk=change.subject)
        end_if_answered(UUID(change.subject), kind=change.kind, status=status)
        raise
