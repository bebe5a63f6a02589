"""Decisions in tests: as the operations have them, by people who have shown a second factor."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from payouts.deciding.signatures import FreshFactor, Proof
from payouts.models.approvals import Verdict
from payouts.operations import decide, decide_many
from payouts.states import Status


def shown_by(user: User) -> FreshFactor:
    """A second factor that this person has shown just now."""
    return FreshFactor(user.pk, shown_at=timezone.now(), used_at=timezone.now())


def approve_payment(
    payment_id: UUID, *, by: User, digest: bytes, reason: str = "", proof: Proof | None = None
) -> Status:
    proof = proof or shown_by(by)
    return decide.approve_payment(payment_id, by=by, digest=digest, proof=proof, reason=reason)


def reject_payment(
    payment_id: UUID, *, by: User, digest: bytes, reason: str = "", proof: Proof | None = None
) -> Status:
    proof = proof or shown_by(by)
    return decide.reject_payment(payment_id, by=by, digest=digest, proof=proof, reason=reason)


def decide_payments(
    seen: Sequence[decide_many.Seen],
    *,
    by: User,
    verdict: Verdict,
    reason: str,
    proof: Proof | None = None,
) -> list[decide_many.Result]:
    return decide_many.decide_payments(
        seen, by=by, verdict=verdict, reason=reason, proof=proof or shown_by(by)
    )
