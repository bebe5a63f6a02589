"""Takes the file of a batch in: quick, and nothing is known about its lines yet."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from consumers.ids import new_id_at
from consumers.models import Partner
from consumers.operations.sealed_rows import SealedTexts
from consumers.typed_numbers import held_card_number
from consumers.vault import key_ring_from_settings, seal_text, unseal_text
from payouts import dispatch
from payouts.batch_files.findings import FileRefused
from payouts.batch_files.opening import require_readable
from payouts.models import Batch, BatchFile

LONGEST_NAME: Final = 120
LONGEST_FILE_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it came, and what its uploader calls it."""

    name: str
    file_name: str
    content: bytes
    request_id: str = ""


def upload_batch(upload: Upload, *, partner: Partner, by: User) -> Batch:
    """Keep the file, sealed, until a worker reads it; return the batch, which holds nothing yet.

    Twice makes two batches: the second one's page says that the file was uploaded before.

    :raises FileRefused: it is certainly no such file, or a name holds a card number.
    """
    if held_card_number(upload.name) or held_card_number(upload.file_name):
        raise FileRefused("card_number_in_name")
    require_readable(upload.content)
    at = timezone.now()
    batch = Batch(
        id=new_id_at(at),
        partner=partner,
        uploaded_by=by,
        name=upload.name[:LONGEST_NAME],
        file_name=upload.file_name[:LONGEST_FILE_NAME],
        file_bytes=len(upload.content),
        file_digest=hashlib.sha256(upload.content).digest(),
        request_id=upload.request_id,
        created_at=at,
    )
    facts = {"file": batch.file_name, "sha256_of_file": batch.file_digest.hex()}
    act = Act(verb=Verb.UPLOAD, subject=subject_of(batch), after=facts)
    with audited(act):
        batch.save(force_insert=True)
        BatchFile.objects.create(batch=batch, sealed=_sealed(upload.content, batch))
        dispatch.ring_batches()
    return batch


def opened_file(batch: Batch) -> bytes:
    """The uploaded bytes.

    :raises consumers.vault.TextUnreadable: they do not open, because their key is gone.
    :raises BatchFile.DoesNotExist: they were read before, and are deleted.
    """
    sealed = bytes(BatchFile.objects.get(batch=batch).sealed)
    ring = key_ring_from_settings()
    bound_to = _bound_to(batch.pk, batch.partner_id)
    return base64.b64decode(unseal_text(sealed, bound_to=bound_to, ring=ring))


def _sealed(content: bytes, batch: Batch) -> bytes:
    return seal_text(
        base64.b64encode(content).decode("ascii"),
        bound_to=_bound_to(batch.pk, batch.partner_id),
        ring=key_ring_from_settings(),
    )


def _bound_to(batch_id: UUID, partner_id: UUID) -> str:
    return f"batch|{batch_id}|{partner_id}|file|v1"


BATCH_FILES: Final = SealedTexts(
    "files of batches",
    model=BatchFile,
    column="sealed",
    place=lambda row: _bound_to(row.batch_id, row.batch.partner_id),
    related=("batch",),
    # A file has up to some megabytes.
    rows_at_once=1,
)
