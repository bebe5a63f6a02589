"""Files of pushes: asked for by a person, written piece by piece in the background, deleted later.

A file holds what the list showed: the same filters, columns and order. Pushes that came after it
was asked for are not in it; each row is as it stood when its piece was written.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from consumers.audit import Act, Subject, Verb, Visitor, acting_as, record_act
from consumers.ids import new_id
from payouts import dispatch
from payouts.finding.push_columns import cells, header, known_columns, with_columns
from payouts.finding.push_pages import count_of_pushes, page_of_pushes
from payouts.finding.push_query import PushQuery
from payouts.models import Export, ExportKind, ExportPiece, ExportState, Payment
from payouts.spreadsheets import Row, csv_beginning, csv_lines, write_xlsx

# More could not be opened by anybody; it is refused, and never cut off without a word.
ROWS_AT_MOST: Final = 5_000_000
UNFINISHED_AT_MOST: Final = 3
KEPT_FOR: Final = timedelta(days=7)

_ROWS_AT_ONCE: Final = 2_000
_BYTES_OF_PIECE: Final = 2**20
# Whoever writes says so with every piece, which takes a second; after this long it has died.
_CLAIM_LASTS: Final = timedelta(minutes=2)


class TooManyExports(Exception):
    """The person has files in the making; these have to be finished first."""


class _ClaimLost(Exception):
    """Somebody else writes the file now."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The right to write an export for a while, as it stood when it was claimed."""

    export: Export
    query: PushQuery
    by: Visitor


def ask_for_export(
    query: PushQuery, *, columns: Sequence[str], kind: ExportKind, by: User, zone: str = "UTC"
) -> Export:
    """Have the pushes of `query` written into a file, and say so in the audit trail.

    Instants are written as in `zone`, an IANA name, and in UTC. Asked twice it makes two files.

    :raises TooManyExports: `UNFINISHED_AT_MOST` of this person's are not finished yet.
    """
    with transaction.atomic():
        # One at a time for each person, so that two clicks are counted one after the other.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        unfinished = Export.objects.filter(asked_by=by, state=ExportState.WAITING)
        if unfinished.count() >= UNFINISHED_AT_MOST:
            raise TooManyExports
        export = Export.objects.create(
            asked_by=by,
            query=query.address(),
            columns=list(known_columns(columns)),
            kind=kind,
            zone=zone,
            created_at=timezone.now(),
        )
        record_act(Act(verb=Verb.EXPORT, subject=_subject(export), after=_told(export)))
        dispatch.ring_exporter()
    return export


def write_next_export() -> bool:
    """Write one export that waits, to its end; False if none does.

    1. Claim it, for as long as pieces keep coming.
    2. Write piece by piece, each with how far it is, in a transaction of its own.
    3. Hash what stands in the pieces, and finish.

    Killed between any two lines, somebody else goes on after the last piece of a CSV file, and
    begins a workbook anew. Two at once write different files. Call it outside of any transaction.
    """
    claim = _claim_next()
    if claim is None:
        return False
    try:
        with acting_as(claim.by):
            if claim.export.kind == ExportKind.CSV:
                _write_csv(claim)
            else:
                _write_workbook(claim)
    except _ClaimLost:
        # Whoever has it now finishes it; nothing of ours is left behind.
        return True
    return True


def delete_expired_exports() -> int:
    """Delete the files that were kept long enough; the rows stay. Return how many files."""
    due = Export.objects.filter(state=ExportState.DONE, expires_at__lte=timezone.now())
    expired = 0
    for export_id in list(due.values_list("pk", flat=True)[:100]):
        with transaction.atomic():
            moved = due.filter(pk=export_id).update(state=ExportState.EXPIRED)
            if moved:
                ExportPiece.objects.filter(export_id=export_id).delete()
            expired += moved
    return expired


def _claim_next() -> _Claim | None:
    now = timezone.now()
    with transaction.atomic():
        export = (
            Export.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("asked_by")
            .filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))
            .filter(state=ExportState.WAITING)
            .order_by("pk")
            .first()
        )
        if export is None:
            return None
        export.claim, export.claimed_until = new_id(), now + _CLAIM_LASTS
        export.save(update_fields=["claim", "claimed_until"])
    query = PushQuery.from_address(export.query)
    if export.rows_expected is None:
        counted = count_of_pushes(query)
        export.rows_expected = counted.rows if counted.is_exact else None
    person = export.asked_by
    by = Visitor(label=f"staff:{person.get_username()}", user_id=person.pk, agent="worker")
    return _Claim(export, query, by)


def _write_csv(claim: _Claim) -> None:
    export = claim.export
    number, rows, last_id = _pieces(export), export.rows_written, export.last_id
    if number == 0:
        beginning = csv_beginning(header(export.columns, zone=export.zone)).encode()
        _keep_piece(claim, number=0, content=beginning, rows=0, last_id=None)
        number = 1
    for payments, looked_to in _pages(claim, older_than=last_id):
        rows += len(payments)
        content = csv_lines(_cells(export, one) for one in payments).encode()
        if not _is_within(claim, rows):
            return
        _keep_piece(claim, number=number, content=content, rows=rows, last_id=looked_to)
        number += 1
    _finish(claim, rows=rows)


def _write_workbook(claim: _Claim) -> None:
    """A workbook is closed only at its end, so nothing of an earlier try is of use."""
    ExportPiece.objects.filter(export=claim.export).delete()
    with tempfile.TemporaryFile() as file:
        table = _rows(claim)
        titles = header(claim.export.columns, zone=claim.export.zone)
        write_xlsx(file, titles, table, title="Pushes")
        claim.export.refresh_from_db(fields=["state", "rows_written"])
        if claim.export.state != ExportState.WAITING:
            return
        file.seek(0)
        rows = claim.export.rows_written
        pieces = enumerate(iter(partial(_read, file), b""))
        for number, content in pieces:
            _keep_piece(claim, number=number, content=content, rows=rows, last_id=None)
    _finish(claim, rows=rows)


def _read(file: IO[bytes]) -> bytes:
    return file.read(_BYTES_OF_PIECE)


def _rows(claim: _Claim) -> Iterator[Row]:
    """The rows of a workbook; how far it is gets known while they come."""
    written = 0
    _note_progress(claim, rows=0, last_id=None)
    for payments, _ in _pages(claim, older_than=None):
        written += len(payments)
        if not _is_within(claim, written):
            return
        _note_progress(claim, rows=written, last_id=None)
        for payment in payments:
            yield _cells(claim.export, payment)


def _cells(export: Export, payment: Payment) -> Row:
    return cells(payment, export.columns, zone=export.zone)


def _pages(claim: _Claim, *, older_than: UUID | None) -> Iterator[tuple[list[Payment], UUID]]:
    """The query's pushes, newest first, each page with the key that the next one begins below."""
    # Keys carry the time: whatever was asked for later lies above the export's own.
    below = older_than or claim.export.pk
    while True:
        page = page_of_pushes(claim.query, limit=_ROWS_AT_ONCE, older_than=below)
        if not page.ids and page.looked_to is None:
            return
        below = page.looked_to or page.ids[-1]
        rows = with_columns(Payment.objects.filter(pk__in=page.ids), claim.export.columns)
        yield list(rows.order_by("-pk")), below


def _is_within(claim: _Claim, rows: int) -> bool:
    """Whether a file may have so many rows; if not, the export ends here."""
    if rows <= ROWS_AT_MOST:
        return True
    with transaction.atomic():
        _update(claim, state=ExportState.REFUSED, claim=None, claimed_until=None)
        ExportPiece.objects.filter(export=claim.export).delete()
        act = Act(verb=Verb.EXPORT, subject=_subject(claim.export), after=_told(claim.export))
        record_act(act.refused(f"more than {ROWS_AT_MOST:,} rows"))
    return False


def _keep_piece(
    claim: _Claim, *, number: int, content: bytes, rows: int, last_id: UUID | None
) -> None:
    with transaction.atomic():
        _note_progress(claim, rows=rows, last_id=last_id, more_bytes=len(content))
        ExportPiece.objects.create(export=claim.export, number=number, content=content)


def _note_progress(claim: _Claim, *, rows: int, last_id: UUID | None, more_bytes: int = 0) -> None:
    _update(
        claim,
        rows_written=rows,
        rows_expected=claim.export.rows_expected,
        last_id=last_id,
        size_bytes=F("size_bytes") + more_bytes if rows or more_bytes else 0,
        claimed_until=timezone.now() + _CLAIM_LASTS,
    )


def _finish(claim: _Claim, *, rows: int) -> None:
    digest, size = hashlib.sha256(), 0
    for content in file_of(claim.export):
        digest.update(content)
        size += len(content)
    now: datetime = timezone.now()
    told = {**_told(claim.export), "rows": rows, "bytes": size, "sha256": digest.hexdigest()}
    with transaction.atomic():
        _update(
            claim,
            state=ExportState.DONE,
            sha256=digest.digest(),
            size_bytes=size,
            rows_written=rows,
            claim=None,
            claimed_until=None,
            finished_at=now,
            expires_at=now + KEPT_FOR,
        )
        record_act(Act(verb=Verb.EXPORT, subject=_subject(claim.export), after=told))


def _update(claim: _Claim, /, **columns: object) -> None:
    """Write to the export while it is ours. Only this writes to one that is not finished."""
    mine = Export.objects.filter(pk=claim.export.pk, claim=claim.export.claim)
    if mine.filter(state=ExportState.WAITING).update(**columns) != 1:
        raise _ClaimLost(claim.export.pk)


def file_of(export: Export) -> Iterator[bytes]:
    """The bytes of the export's file, a piece at a time."""
    for number in range(_pieces(export)):
        piece = ExportPiece.objects.filter(export=export, number=number).values_list("content")
        yield bytes(piece.get()[0])


def record_download(export: Export) -> None:
    """Say in the audit trail that the current visitor takes the file."""
    told = {"rows": export.rows_written, "sha256": bytes(export.sha256 or b"").hex()}
    record_act(Act(verb=Verb.DOWNLOAD, subject=_subject(export), after=told))


def _pieces(export: Export) -> int:
    return ExportPiece.objects.filter(export=export).count()


def _subject(export: Export) -> Subject:
    return Subject(Export._meta.label_lower, str(export.pk), f"pushes as {export.kind.upper()}")


def _told(export: Export) -> dict[str, object]:
    return {
        "as": export.kind,
        "filters": export.query,
        "columns": list(export.columns),
        "zone": export.zone,
    }
