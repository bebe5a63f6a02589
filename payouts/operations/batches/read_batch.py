"""Reads the file of a batch into lines, all of them or none."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from consumers.vault import TextUnreadable
from payouts.batch_files.findings import FileRefused
from payouts.batch_files.opening import read_batch_file
from payouts.batch_files.wishes import LineWish
from payouts.models import Batch, BatchFile, BatchState
from payouts.operations.batches.claim_batch import claim_batch, claimed_batch, got_through
from payouts.operations.batches.upload_batch import opened_file

_COPY: Final = """
COPY payouts_batchrow (batch_id, line, cells, state, amount, description, reference, metadata,
                       findings, has_warning, is_first_push_to_card) FROM STDIN
"""


def read_next_batch() -> bool:
    """Read the oldest file that waits for it and whose key we have; False if there is none.

    One transaction: killed within it, nothing of the file is stored and the next worker begins
    anew, until `MOST_TRIES` have died of the file. Of several workers each takes another batch. A
    file that cannot be taken as a whole leaves no line behind; in any of these cases the uploaded
    bytes are deleted in the end.
    """
    claim = claim_batch(BatchState.READING)
    if claim is None:
        return False
    with transaction.atomic():
        batch = claimed_batch(claim, BatchState.READING)
        if batch is None:
            return True
        try:
            with transaction.atomic():
                batch.read_as = _stored(batch)
            batch.state = BatchState.CHECKING
        except FileRefused as refusal:
            batch.state = BatchState.REFUSED
            batch.refusal = {"code": refusal.code, **refusal.details}
            batch.ended_at = timezone.now()
        BatchFile.objects.filter(batch=batch).delete()
        ended = ["state", "read_as", "refusal", "ended_at"]
        batch.save(update_fields=[*ended, *got_through(batch)])
    return True


def _stored(batch: Batch) -> str:
    try:
        content = opened_file(batch)
    except TextUnreadable:
        raise FileRefused("sealed_by_lost_key") from None
    read = read_batch_file(content)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copying:
        for row in _rows(batch, read.wishes):
            copying.write_row(row)
    return read.read_as


def _rows(batch: Batch, wishes: Iterable[LineWish]) -> Iterable[tuple[Any, ...]]:
    for wish in wishes:
        yield (
            batch.pk,
            wish.line,
            Jsonb(_storable(wish.cells)),
            "new",
            wish.amount,
            wish.description,
            wish.reference,
            Jsonb(wish.metadata),
            Jsonb([finding.stored() for finding in wish.findings]),
            False,
            False,
        )


def _storable(cells: dict[str, str]) -> dict[str, str]:
    """Cells as given, but for what no database stores."""
    return {
        name: cell.replace("\0", "").encode("utf-8", "replace").decode()
        for name, cell in cells.items()
    }
