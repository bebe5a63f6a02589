"""Builders for tests about doubts: two people of operations, evidence, proposals and cases."""

from django.contrib.auth.models import User

from payouts.changes import ChangeState
from payouts.doubts import CaseKind, Upload, Way
from payouts.models import Attempt, Case, ChangeRequest, Payment
from payouts.models.changes import CLOSING
from payouts.networks.base import NetworkIdentity
from payouts.operations.changes import Proposal, approve_change, propose_change
from payouts.operations.resolve_unknown import Claim, propose_resolution, resolve_unknown
from payouts.operations.return_payment import ReturnNotice
from payouts.states import Status
from tests.decisions import shown_by
from tests.pushes import make_staff

LETTER = Upload("letter.pdf", b"%PDF-1.7\nThe network's letter about the push.\n")
OTHER_LETTER = Upload("other.pdf", b"%PDF-1.7\nAnother letter.\n")
WHY = "The network's support wrote to us."


def two_operators() -> tuple[User, User]:
    """Opal proposes, Otto decides."""
    return make_staff("opal", "operations"), make_staff("otto", "operations")


def propose(
    payment: Payment,
    verdict: Status = Status.COMPLETED,
    *,
    by: User,
    evidence: Upload = LETTER,
    reason: str = WHY,
) -> ChangeRequest:
    return propose_resolution(payment.pk, Claim(verdict, reason, evidence), by=by)


def say_yes(change: ChangeRequest, by: User) -> ChangeRequest:
    """Approve what the proposal says."""
    digest = bytes(change.digest)
    return resolve_unknown(
        change.pk, by=by, digest=digest, reason="I read the letter.", proof=shown_by(by)
    )


def resolve(payment: Payment, verdict: Status) -> ChangeRequest:
    """Let two people resolve it."""
    opal, otto = two_operators()
    return say_yes(propose(payment, verdict, by=opal), otto)


def state_of(change: ChangeRequest) -> ChangeState:
    return ChangeState(ChangeRequest.objects.values_list("state", flat=True).get(pk=change.pk))


def identity_of(payment: Payment) -> NetworkIdentity:
    attempt = Attempt.objects.get(payment=payment)
    return NetworkIdentity(
        attempt.acquiring_bin,
        attempt.trace_number,
        attempt.retrieval_reference_number,
        attempt.card_acceptor_id,
        attempt.terminal_id,
    )


def notice_about(payment: Payment, **said: object) -> ReturnNotice:
    """What the network says when the whole push comes back."""
    named: dict[str, object] = {
        "network": "sandbox",
        "identity": identity_of(payment),
        "amount": payment.amount,
        "reference": "RET-1",
        **said,
    }
    return ReturnNotice(**named)  # type: ignore[arg-type]


def the_case(kind: CaseKind = CaseKind.LATE_ANSWER) -> Case:
    return Case.objects.get(kind=kind)


def propose_closing(case: Case, way: Way, *, by: User) -> ChangeRequest:
    proposal = Proposal(
        kind=CLOSING, partner_id=case.partner_id, subject=str(case.pk), after={"way": way.value}
    )
    return propose_change(proposal, by=by, reason="The network has proved it.")


def approve_closing(change: ChangeRequest, by: User) -> ChangeRequest:
    digest = bytes(change.digest)
    return approve_change(change.pk, by=by, digest=digest, reason="I agree.", proof=shown_by(by))
