"""Takes a network's settlement file in: quick, whole, and nothing is judged yet."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from consumers.audit import audited
from consumers.ids import new_id_at
from consumers.statements import fetch_rows
from consumers.typed_numbers import held_card_number
from payouts import dispatch
from payouts.models import Attempt, FileState, SettlementFile
from payouts.operations.reconciliation.brought_files import (
    LONGEST_NAME,
    BringingNotPermitted,
    FileUpload,
    Taken,
    may_bring,
    same_file,
    upload_act,
)
from payouts.reconciliation.settlement_files.sandbox_csv import NETWORK, Header, read_edges
from payouts.reconciliation.settlements import LARGEST_FILE_BYTES, SettlementRefused

PIECE_BYTES: Final = 4 * 1024 * 1024
# As far as the network's clock may be ahead of ours.
CLOCKS_APART: Final = timedelta(minutes=5)


def take_settlement(upload: FileUpload) -> Taken[SettlementFile]:
    """Keep the file whole, and have it read; the very same file again is the one that is here.

    Two at once are taken one after the other.

    :raises BringingNotPermitted: nothing is kept but an audit entry.
    :raises SettlementRefused: it is no such file, is not whole, is not about instructions of ours,
        or is about a time that another file is about. Nothing is kept but an audit entry.
    """
    known = same_file(upload, SettlementFile)
    if known is not None and may_bring(upload.by):
        return Taken(known, is_new=False)
    act = upload_act(upload, SettlementFile)
    with audited(act, refusals=(BringingNotPermitted, SettlementRefused)):
        return _taken(upload)


def lock_settlements() -> None:
    """Let nobody else work on settlement files until the transaction ends."""
    fetch_rows("SELECT pg_advisory_xact_lock(hashtext('payouts settlement files'))", {})


def pieces_of(content: bytes) -> Iterator[bytes]:
    """The content in pieces, each cut at the end of a line."""
    begin = 0
    while begin < len(content):
        end = content.find(b"\n", min(begin + PIECE_BYTES, len(content)))
        end = len(content) if end < 0 else end + 1
        yield content[begin:end]
        begin = end


def _taken(upload: FileUpload) -> Taken[SettlementFile]:
    if not may_bring(upload.by):
        raise BringingNotPermitted
    if len(upload.content) > LARGEST_FILE_BYTES:
        raise SettlementRefused("too_large")
    if held_card_number(upload.name):
        raise SettlementRefused("card_number_in_name")
    header, trailer = read_edges(upload.content)
    lock_settlements()
    if (known := same_file(upload, SettlementFile)) is not None:
        return Taken(known, is_new=False)
    _require_fits(header)
    at, pieces = timezone.now(), list(pieces_of(upload.content))
    file = SettlementFile(
        id=new_id_at(at),
        name=upload.name[:LONGEST_NAME],
        network=NETWORK,
        sha256=upload.sha256,
        size_bytes=len(upload.content),
        pieces=len(pieces),
        uploaded_by=upload.by,
        created_at=at,
        **{name: getattr(header, name) for name in header.__slots__},
        **{name: getattr(trailer, name) for name in trailer.__slots__},
    )
    file.save(force_insert=True)
    _keep_pieces(file, pieces)
    dispatch.ring_settlements()
    return Taken(file, is_new=True)


def _keep_pieces(file: SettlementFile, pieces: list[bytes]) -> None:
    copy = "COPY payouts_settlementpiece (file_id, number, content) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(copy) as copying:
        copying.set_types(["uuid", "int4", "bytea"])
        for number, content in enumerate(pieces):
            copying.write_row((file.pk, number, content))


def _require_fits(header: Header) -> None:
    """Refuse what is about somebody else, or about a time that another file has settled."""
    merchant = {
        "acquiring_bin": header.acquiring_bin, "card_acceptor_id": header.card_acceptor_id,
    }  # fmt: skip
    own = (settings.ACQUIRING_BIN, settings.CARD_ACCEPTOR_ID)
    if tuple(merchant.values()) != own and not Attempt.objects.filter(**merchant).exists():
        raise SettlementRefused("not_about_us", acceptor=header.card_acceptor_id)
    if header.currency != "USD":
        raise SettlementRefused("currency", currency=header.currency)
    # What is paid later would be in no file: this one does not know it, the next ones overlap.
    if header.ends_at > timezone.now() + CLOCKS_APART:
        raise SettlementRefused("window_is_not_over")
    counted = SettlementFile.objects.filter(network=NETWORK, **merchant).exclude(
        state=FileState.REFUSED
    )
    other = counted.filter(begins_at__lt=header.ends_at, ends_at__gt=header.begins_at).first()
    other = other or counted.filter(reference=header.reference).first()
    if other is not None:
        raise SettlementRefused("window_overlaps", other=other.reference, other_id=str(other.pk))


def refuse_settlement(file: SettlementFile, refusal: SettlementRefused) -> None:
    """End a file of which no line is to count. Runs under `lock_settlements`."""
    file.state = FileState.REFUSED
    file.refusal = {"code": refusal.code, **refusal.details}
    file.finished_at = timezone.now()
    with transaction.atomic():
        file.save(update_fields=["state", "refusal", "finished_at", "decided_by", "decided_at"])
        for table in ("settlementfinding", "settlementline", "settlementpiece"):
            statement = f"DELETE FROM payouts_{table} WHERE file_id = %(id)s RETURNING NULL"  # noqa: S608  # nosec B608: constants only
            fetch_rows(statement, {"id": file.pk})
