"""Judges what a person has shown for a decision: the same whatever the way in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import BinaryField
from django.db.models.functions import Substr

from payouts.approvals import Bar
from payouts.deciding.signatures import MARK_BYTES, FreshFactor, Proof, Signed, mark_of
from payouts.models import DecisionSignature
from payouts.models.approvals import Verdict


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


def bars_by_proof(
    proof: Proof, *, by: User, verdict: Verdict, reason: str, marks: Sequence[bytes]
) -> list[Bar | None]:
    """The same for decisions with these marks, which stand in a signature from its place on.

    One statement for any number.
    """
    if isinstance(proof, Signed):
        signed = _signed_marks(proof, by=by, verdict=verdict, reason=reason, count=len(marks))
        are_signed = zip_longest(marks, signed[: len(marks)])
        return [None if one == other else Bar.SIGNED_OTHERWISE for one, other in are_signed]
    if has_passkey(by):
        return [Bar.NOT_SIGNED] * len(marks)
    return [None if _is_fresh(proof, by.pk) else Bar.NOT_FRESH] * len(marks)


def _signed_marks(
    signed: Signed, *, by: User, verdict: Verdict, reason: str, count: int
) -> list[bytes]:
    """So many marks of the signature, from its place on; none if it is under something else."""
    start, length = signed.place * MARK_BYTES + 1, count * MARK_BYTES
    part = Substr("marks", start, length, output_field=BinaryField())
    kept = DecisionSignature.objects.filter(
        pk=signed.signature_id, user=by, verdict=verdict, reason=reason
    )
    marks = bytes(kept.values_list(part, flat=True).first() or b"")
    return [marks[at : at + MARK_BYTES] for at in range(0, len(marks), MARK_BYTES)]


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
