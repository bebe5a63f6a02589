"""Keeps the files by which people resolve payments: sealed by the vault, opened on record only."""

import base64
import hashlib
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from consumers.operations.sealed_rows import SealedTexts
from consumers.typed_numbers import held_card_number
from consumers.vault import key_ring_from_settings, seal_text, unseal_text
from payouts.doubts import (
    LONGEST_FILE_NAME,
    EvidenceProblem,
    EvidenceRefused,
    Upload,
    media_type_of,
)
from payouts.models import EvidenceFile, Payment
from payouts.staff import RESOLVE_PAYMENT, REVEAL_EVIDENCE

_TEXT: Final = "text/plain"


class EvidenceNotPermitted(Exception):
    """This person may not add or open evidence."""


def keep_evidence(upload: Upload, *, payment: Payment, by: User) -> EvidenceFile:
    """Seal the file and keep it with the payment; the same file again is the one that is there.

    :raises EvidenceNotPermitted: with an entry in the audit trail.
    :raises EvidenceRefused: it is too large, of another kind, or shows a card number.
    """
    digest = hashlib.sha256(upload.content).digest()
    told = {"file": upload.name, "sha256": digest.hex()}
    act = Act(verb=Verb.UPLOAD, subject=subject_of(payment), after=told)
    with audited(act, refusals=(EvidenceNotPermitted,)):
        if not (by.is_active and by.has_perm(RESOLVE_PAYMENT)):
            raise EvidenceNotPermitted
        media_type = media_type_of(upload.content)
        if _shows_a_card_number(upload, media_type):
            raise EvidenceRefused(EvidenceProblem.CARD_NUMBER)
        evidence = EvidenceFile(
            payment=payment,
            name=(upload.name or "evidence")[:LONGEST_FILE_NAME],
            media_type=media_type,
            size_bytes=len(upload.content),
            sha256=digest,
            uploaded_by=by,
            created_at=timezone.now(),
        )
        evidence.sealed = seal_text(
            base64.b64encode(upload.content).decode("ascii"),
            bound_to=_bound_to(evidence),
            ring=key_ring_from_settings(),
        )
        EvidenceFile.objects.bulk_create([evidence], ignore_conflicts=True)
    return EvidenceFile.objects.defer("sealed").get(payment=payment, sha256=digest)


def reveal_evidence(evidence_id: UUID, *, by: User) -> tuple[EvidenceFile, bytes]:
    """Open a file for somebody who may see it, and record that they did, with its SHA-256.

    :raises EvidenceNotPermitted: with an entry in the audit trail.
    :raises consumers.vault.TextUnreadable: it was changed or moved, or its key is gone.
    :raises EvidenceFile.DoesNotExist:
    """
    evidence = EvidenceFile.objects.select_related("payment").get(pk=evidence_id)
    told = {"file": evidence.name, "sha256": evidence.digest}
    about = subject_of(evidence.payment, label=evidence.name)
    act = Act(verb=Verb.REVEAL, subject=about, after=told)
    with audited(act, refusals=(EvidenceNotPermitted,)):
        if not (by.is_active and by.has_perm(REVEAL_EVIDENCE)):
            raise EvidenceNotPermitted
        content = _opened(evidence)
    return evidence, content


def _opened(evidence: EvidenceFile) -> bytes:
    sealed, ring = bytes(evidence.sealed), key_ring_from_settings()
    return base64.b64decode(unseal_text(sealed, bound_to=_bound_to(evidence), ring=ring))


def _bound_to(evidence: EvidenceFile) -> str:
    return f"evidence|{evidence.pk}|{evidence.payment_id}|file"


def _shows_a_card_number(upload: Upload, media_type: str) -> bool:
    if held_card_number(upload.name):
        return True
    return media_type == _TEXT and held_card_number(upload.content.decode()) is not None


EVIDENCE: Final = SealedTexts(
    "files of evidence",
    model=EvidenceFile,
    column="sealed",
    place=_bound_to,
    # A file has up to some megabytes.
    rows_at_once=1,
)
