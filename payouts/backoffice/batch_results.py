"""What became of every line of a batch, as a file that is safe to open. Leaves an entry."""

import tempfile
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.views.decorators.http import require_GET

from consumers.audit import Act, Verb, record_act, subject_of
from payouts.backoffice.batch_words import failure_words, findings_of, outcome_words
from payouts.backoffice.pages import staff_page
from payouts.batch_files.columns import METADATA
from payouts.batch_queries import batch_of, every_line_of
from payouts.finding.push_columns import value_words
from payouts.models import Batch, BatchRow
from payouts.spreadsheets import CSV_TYPE, XLSX_TYPE, Row, csv_chunks, write_xlsx
from payouts.staff import EXPORT_PAYMENT

HEADER: Final = (
    "line", "status", "failure", "warnings", "push", "amount", "fee", "consumer as given",
    "card as given", "amount as given", "reference", "description", "consumer", "pcid", "card",
    "metadata",
)  # fmt: skip


@staff_page(EXPORT_PAYMENT)
@require_GET
def results(request: HttpRequest, batch_id: UUID, kind: str) -> HttpResponse:
    """Every line with its number, its push, the push's status, and what went wrong."""
    found = batch_of(batch_id)
    if found is None or kind not in {"csv", "xlsx"}:
        raise Http404
    record_act(Act(verb=Verb.EXPORT, subject=subject_of(found), after={"as": kind}))
    return _file(found, kind)  # type: ignore[return-value]


def _file(found: Batch, kind: str) -> HttpResponseBase:
    name = f"batch-{found.created_at:%Y-%m-%d}-{str(found.pk)[-8:]}-results.{kind}"
    if kind == "csv":
        chunks = csv_chunks(HEADER, _rows(found))
        answer = StreamingHttpResponse(chunks, content_type=CSV_TYPE)
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the answer closes it
    write_xlsx(file, HEADER, _rows(found), title="Results")
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX_TYPE)


def _rows(found: Batch) -> Iterator[Row]:
    for row in every_line_of(found.pk):
        yield (
            row.line,
            outcome_words(row),
            failure_words(row),
            " ".join(one.words for one in findings_of(row) if not one.is_problem),
            row.payment_id,
            row.amount,
            row.fee_amount,
            row.cells.get("consumer", ""),
            row.cells.get("card", ""),
            row.cells.get("amount", ""),
            row.cells.get("reference", ""),
            row.cells.get("description", ""),
            row.consumer.full_name if row.consumer is not None else "",
            row.consumer.pcid if row.consumer is not None else "",
            f"{value_words(row.card.network)} ···· {row.card.last4}"
            if row.card is not None
            else "",
            _metadata(row),
        )


def _metadata(row: BatchRow) -> str:
    given = (
        (name.removeprefix(METADATA), cell)
        for name, cell in row.cells.items()
        if name.startswith(METADATA)
    )
    return "; ".join(f"{name}: {cell}" for name, cell in given)
