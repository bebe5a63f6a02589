"""Stages and judges the lines of settlement files, a bounded piece at a time.

Each piece is one transaction with how far the file is, so whatever dies is gone on with exactly
there. No payment changes here: see `act_on_settlement`.
"""

from typing import Final

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from consumers.audit import Act, Verb, record_act, subject_of
from payouts.models import (
    BEING_JUDGED,
    FileState,
    SettlementFile,
    SettlementLine,
    SettlementPiece,
)
from payouts.operations.reconciliation.match_settlement import (
    compare_with_payments,
    judge_lines,
    wants_two_people,
)
from payouts.operations.reconciliation.take_settlement import (
    lock_settlements,
    refuse_settlement,
)
from payouts.reconciliation.settlement_files.sandbox_csv import COLUMNS, count_records, read_lines
from payouts.reconciliation.settlements import SettlementRefused

JUDGED_AT_ONCE: Final = 50_000
_COPY: Final = f"COPY payouts_settlementline (file_id, number, {', '.join(COLUMNS)}) FROM STDIN"


def read_next_settlement() -> SettlementFile | None:
    """Do the next piece of the oldest file that is not judged; None if there is none.

    Of any number of workers one at a time does a piece.
    """
    with transaction.atomic():
        lock_settlements()
        file = SettlementFile.objects.filter(state__in=BEING_JUDGED).order_by("pk").first()
        if file is None:
            return None
        _STEPS[file.state](file)
    return file


def _read_piece(file: SettlementFile) -> None:
    try:
        with transaction.atomic():
            if file.pieces_read < file.pieces:
                _stage(file)
            else:
                _require_whole(file)
                file.state = FileState.MATCHING
            file.save(update_fields=["pieces_read", "records_read", "state"])
    except SettlementRefused as refusal:
        refuse_settlement(file, refusal)
        record_act(Act(verb=Verb.UPLOAD, subject=subject_of(file)).refused(refusal.code))


def _stage(file: SettlementFile) -> None:
    piece = SettlementPiece.objects.get(file=file, number=file.pieces_read)
    content, first = bytes(piece.content), file.records_read + 1
    with connection.cursor() as cursor, cursor.copy(_COPY) as copying:
        # Lines are numbered as the file's records are; the forms of all cells allow no escape.
        for number, cells in read_lines(content, first=first):
            copying.write(f"{file.pk}\t{number}\t" + "\t".join(cells) + "\n")
    file.records_read += count_records(content)
    file.pieces_read += 1


def _require_whole(file: SettlementFile) -> None:
    """Refuse a file whose lines do not add up to what its end says."""
    own = Q(currency=file.currency)
    credit, returned = own & Q(kind="credit"), own & Q(kind="return")
    found = SettlementLine.objects.filter(file=file).aggregate(
        lines=Count("number"),
        credits=Count("number", filter=credit),
        credited=Sum("amount", filter=credit, default=0),
        returns=Count("number", filter=returned),
        returned=Sum("amount", filter=returned, default=0),
    )
    # Edges in the middle were passed over; here they are missed.
    found["records"] = file.records_read - 2
    told = {name: getattr(file, name) for name in found if name != "records"}
    told["records"] = file.lines
    wrong = sorted(name for name, value in found.items() if value != told[name])
    if wrong:
        raise SettlementRefused("sums_differ", of=", ".join(wrong))


def _match_lines(file: SettlementFile) -> None:
    # Numbers of lines lie between those of the edges.
    until = min(file.lines_matched + JUDGED_AT_ONCE, file.lines + 1)
    judge_lines(file, after=file.lines_matched, until=until)
    file.lines_matched = until
    if until > file.lines:
        file.state = FileState.COMPARING
    file.save(update_fields=["lines_matched", "state"])


def _compare(file: SettlementFile) -> None:
    compare_with_payments(file)
    waits = file.uploaded_by_id is not None and wants_two_people(file)
    file.state = FileState.WAITING if waits else FileState.ACTING
    file.save(update_fields=["state"])


_STEPS: Final = {
    FileState.READING.value: _read_piece,
    FileState.MATCHING.value: _match_lines,
    FileState.COMPARING.value: _compare,
}
