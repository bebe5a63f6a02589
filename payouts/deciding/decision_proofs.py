"""Verifies all signatures under decisions again, from what was kept with them and nothing else.

Reads rows and writes none, so it can be run by anybody who has the database, years later.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidSignature
from django.db.models import BinaryField, F
from django.db.models.functions import Substr
from fido2.cbor import decode, encode
from fido2.cose import CoseKey
from fido2.rpid import verify_rp_id
from fido2.utils import websafe_decode
from fido2.webauthn import AuthenticatorData

from consumers.audit import Verb
from consumers.models import AuditEntry
from payouts.changes import ChangeState
from payouts.deciding.signatures import (
    CHANGES,
    MARK_BYTES,
    PUSHES,
    digest_of_parts,
    mark_of,
    part_digests,
)
from payouts.models import ChangeRequest, Decision, DecisionSignature
from payouts.models.approvals import Verdict

MOST_FINDINGS: Final = 100
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """A signature, or a decision under it, that is not what it should be."""

    signature_id: int
    told: str
    decision_id: int | None = None


@dataclass(slots=True)
class Proofs:
    """What was looked at, and what is wrong with it."""

    signatures: int = 0
    signed: int = 0
    unsigned: int = 0
    wrong: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        self.wrong += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)


def verify_decisions(*, told: Callable[[Proofs], None] = lambda _proofs: None) -> Proofs:
    """Verify every signature and every decision that names one, about payments and changes.

    `told` hears how far it is.
    """
    decided = ChangeRequest.objects.filter(state__in=_VERDICTS, is_alone=False)
    unsigned = Decision.objects.filter(signature=None).count()
    proofs = Proofs(unsigned=unsigned + decided.filter(signature=None).count())
    for signature in DecisionSignature.objects.order_by("pk").iterator(chunk_size=_CHUNK):
        proofs.signatures += 1
        for why in _wrongs_of(signature):
            proofs.add(Finding(signature.pk, why))
        told(proofs)
    for decision in _signed_decisions().iterator(chunk_size=_CHUNK):
        proofs.signed += 1
        why = _wrong_with(decision)
        if why:
            proofs.add(Finding(decision.signature_id or 0, why, decision.pk))
        told(proofs)
    changes = ChangeRequest.objects.exclude(signature=None).select_related("signature")
    for change in changes.order_by("pk").iterator(chunk_size=_CHUNK):
        proofs.signed += 1
        if not _is_signed_change(change):
            why = f"did not sign the decision about change {change.pk}"
            proofs.add(Finding(change.signature_id or 0, why))
        told(proofs)
    return proofs


_VERDICTS: Final = {
    ChangeState.APPLIED: Verdict.APPROVE.value,
    ChangeState.REJECTED: Verdict.REJECT.value,
}


def _is_signed_change(change: ChangeRequest) -> bool:
    signature = change.signature
    assert signature is not None
    signed = (signature.user_id, signature.verdict, signature.reason, bytes(signature.marks))
    mark = mark_of(change.pk, bytes(change.digest))
    verdict = _VERDICTS.get(ChangeState(change.state))
    is_said = f"\n{CHANGES} 1\n" in signature.statement
    return is_said and signed == (change.decided_by_id, verdict, change.decision_reason, mark)


def _wrongs_of(kept: DecisionSignature) -> Iterator[str]:
    """Everything that is wrong with one signature; one that cannot be read is wrong."""
    try:
        yield from _wrongs_as_read(kept)
    except (ValueError, KeyError, TypeError, IndexError):
        yield "cannot be read"


def _wrongs_as_read(kept: DecisionSignature) -> Iterator[str]:
    said: dict[str, Any] = json.loads(bytes(kept.client_data))
    shown = AuthenticatorData(bytes(kept.authenticator_data))
    if hashlib.sha256(kept.statement.encode()).digest() != websafe_decode(said["challenge"]):
        yield "is under another statement"
    if not _says(kept):
        yield "is under a statement that says something else than the row"
    if said["type"] != "webauthn.get" or not _is_of_its_site(said["origin"], shown):
        yield "was made for another site or purpose"
    if not (shown.is_user_present() and shown.is_user_verified()):
        yield "was made without asking who holds the passkey"
    if not _is_valid(kept):
        yield "is not by this key"
    if not _is_key_of(kept):
        yield "is by a key that this person never added"


def _says(kept: DecisionSignature) -> bool:
    lines = kept.statement.split("\n")
    count = len(kept.marks) // MARK_BYTES
    # The first ones had one SHA-256 over all marks.
    digests = {
        "payouts decision 1": hashlib.sha256(bytes(kept.marks)).hexdigest(),
        "payouts decision 2": digest_of_parts(part_digests(bytes(kept.marks))).hex(),
    }
    return (
        lines[0] in digests
        and lines[1].startswith(f"by {kept.user_id} ")
        and lines[4:6] == [f"verdict {kept.verdict}", f"reason {json.dumps(kept.reason)}"]
        and lines[6] in (f"{PUSHES} {count}", f"{CHANGES} {count}")
        and lines[7:] == [f"marks {digests[lines[0]]}"]
    )


def _is_of_its_site(origin: str, shown: AuthenticatorData) -> bool:
    host = origin.partition("://")[2].partition(":")[0]
    is_bound = hashlib.sha256(host.encode()).digest() == shown.rp_id_hash
    return is_bound and bool(verify_rp_id(host, origin))


def _is_valid(kept: DecisionSignature) -> bool:
    signed = bytes(kept.authenticator_data) + hashlib.sha256(bytes(kept.client_data)).digest()
    held: Any = decode(bytes(kept.public_key))
    key = CoseKey.parse(held)
    try:
        key.verify(signed, bytes(kept.signature))
    except InvalidSignature:
        return False
    return True


def _is_key_of(kept: DecisionSignature) -> bool:
    """Whether the person has the passkey now, or the trail says that it was theirs."""
    key = bytes(kept.public_key).hex()
    added = AuditEntry.objects.filter(
        verb=Verb.ADD_FACTOR,
        subject_type="auth.user",
        subject_id=str(kept.user_id),
        after__public_key=key,
    )
    return added.exists() or key in _keys_now(kept.user_id)


def _keys_now(user_id: int) -> set[str]:
    mine = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)
    held = (one.wrap().authenticator_data.credential_data for one in mine)
    return {encode(dict(one.public_key)).hex() for one in held}


def _signed_decisions() -> Any:
    start = F("place") * MARK_BYTES + 1
    mark = Substr("signature__marks", start, MARK_BYTES, output_field=BinaryField())
    return (
        Decision.objects.exclude(signature=None)
        .select_related("signature")
        .defer("signature__marks")
        .annotate(signed_mark=mark)
        .order_by("pk")
    )


def _wrong_with(decision: Any) -> str:
    signature = decision.signature
    signed = (signature.user_id, signature.verdict, signature.reason, bytes(decision.signed_mark))
    mark = mark_of(decision.payment_id, bytes(decision.digest))
    if signed != (decision.user_id, decision.verdict, decision.reason, mark):
        return f"did not sign decision {decision.pk}"
    return ""
