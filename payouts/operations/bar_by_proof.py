"""Judges what a person has shown for a decision: the same whatever the way in."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import BinaryField
from django.db.models.functions import Substr

from payouts.approvals import Bar
from payouts.models import DecisionSignature
from payouts.models.approvals import Verdict
from payouts.signatures import MARK_BYTES, FreshFactor, Proof, Signed, mark_of


@dataclass(frozen=True, slots=True)
class Decided:
    """A verdict with its reason, about what has this digest."""

    verdict: Verdict
    reason: str
    digest: bytes


def bar_by_proof(proof: Proof, *, by: User, subject_id: UUID, decided: Decided) -> Bar | None:
    """Say what the proof lacks for a decision about this payment or change; None: nothing.

    One statement. Whoever has a passkey decides with it only: a second factor that can be read to
    somebody on the telephone would else be the way around it.
    """
    if isinstance(proof, Signed):
        is_this = _is_signed(proof, by.pk, decided, mark_of(subject_id, decided.digest))
        return None if is_this else Bar.SIGNED_OTHERWISE
    if has_passkey(by):
        return Bar.NOT_SIGNED
    return None if _is_fresh(proof, by.pk) else Bar.NOT_FRESH


def has_passkey(user: User) -> bool:
    """Whether this person's decisions are signed."""
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return bool(passkeys.exists())


def _is_fresh(shown: FreshFactor, user_id: int) -> bool:
    within = timedelta(seconds=settings.STEP_UP_SECONDS)
    return shown.user_id == user_id and shown.is_fresh(within=within)


def _is_signed(signed: Signed, user_id: int, decided: Decided, mark: bytes) -> bool:
    # What lies there was verified before it was stored, and nothing in it can be changed. Only the
    # one mark is read: there may be fifty thousand.
    start = signed.place * MARK_BYTES + 1
    kept = DecisionSignature.objects.annotate(
        mark=Substr("marks", start, MARK_BYTES, output_field=BinaryField())
    )
    return kept.filter(
        pk=signed.signature_id,
        user_id=user_id,
        verdict=decided.verdict,
        reason=decided.reason,
        mark=mark,
    ).exists()
