"""One person's decision about many payments: one refusal does not stop the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from payouts.approvals import Bar
from payouts.deciding.signatures import Proof, Signed, mark_of
from payouts.models import Decision, Payment
from payouts.models.approvals import Verdict
from payouts.operations.decide import DecisionRefused, approve_payment, reject_payment
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class Seen:
    """A payment, and the digest of what stood on the screen about it."""

    payment_id: UUID
    digest: bytes

    @property
    def mark(self) -> bytes:
        """Both as they stand in what is signed."""
        return mark_of(self.payment_id, self.digest)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one decision: the payment's status now, or why the decision does not count."""

    payment_id: UUID
    status: Status | None
    bar: Bar | None


def decide_payments(
    seen: Sequence[Seen], *, by: User, verdict: Verdict, reason: str, proof: Proof
) -> list[Result]:
    """Decide about each payment in a transaction of its own, in the given order.

    A signature is over all of them, in this very order, from the place that `proof` says.

    Sent again, or twice at once, it records nothing more and answers what has become of the first
    decision. What was changed, decided or ended meanwhile is refused by itself, with its reason; a
    payment that does not exist is refused like one that does not wait.
    """
    return [
        _decided(one, by, verdict, reason, _proof_at(proof, place))
        for place, one in enumerate(seen)
    ]


def _proof_at(proof: Proof, place: int) -> Proof:
    return proof.further(place) if isinstance(proof, Signed) else proof


def _decided(seen: Seen, by: User, verdict: Verdict, reason: str, proof: Proof) -> Result:
    decide = approve_payment if verdict is Verdict.APPROVE else reject_payment
    try:
        status = decide(seen.payment_id, by=by, digest=seen.digest, proof=proof, reason=reason)
    except Payment.DoesNotExist:
        return Result(seen.payment_id, None, Bar.NOT_WAITING)
    except DecisionRefused as refusal:
        earlier = _status_after_same_decision(seen, by, verdict)
        return Result(seen.payment_id, earlier, None if earlier else refusal.bar)
    return Result(seen.payment_id, status, None)


def _status_after_same_decision(seen: Seen, by: User, verdict: Verdict) -> Status | None:
    decision = (
        Decision.objects.filter(
            payment_id=seen.payment_id, user=by, verdict=verdict, digest=seen.digest
        )
        .values_list("payment__status", flat=True)
        .first()
    )
    return None if decision is None else Status(decision)
