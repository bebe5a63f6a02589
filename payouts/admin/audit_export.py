"""Audit entries as a file: exactly what the list shows, and never a part of it unsaid."""

import json
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from consumers.admin.actors import actor_words
from consumers.models import AuditEntry
from payouts.spreadsheets import (
    CSV_TYPE,
    XLSX_TYPE,
    Row,
    csv_chunks,
    instant_cells,
    instant_titles,
    write_xlsx,
)

# More is refused: evidence that was cut off without a word would be worse than none.
EXPORTED_AT_MOST: Final = 100_000
_READ_AT_ONCE: Final = 2_000

_AFTER_INSTANT: Final = (
    "who", "actor", "verb", "result", "object type", "object id", "object",
    "partner", "from", "agent", "request id", "before", "after", "reason",
)  # fmt: skip


def is_exportable(entries: QuerySet[AuditEntry]) -> bool:
    """Whether there are few enough; looks at no more than that."""
    bound = EXPORTED_AT_MOST + 1
    return entries.order_by().values("pk")[:bound].count() < bound


def as_csv(entries: QuerySet[AuditEntry], *, zone: str) -> HttpResponseBase:
    """The entries as CSV, streamed while they are read. Instants in `zone`, an IANA name."""
    answer = StreamingHttpResponse(
        csv_chunks(_header(zone), _rows(entries, zone)), content_type=CSV_TYPE
    )
    answer["Content-Disposition"] = f'attachment; filename="{_name()}.csv"'
    return answer


def as_xlsx(entries: QuerySet[AuditEntry], *, zone: str) -> HttpResponseBase:
    """The same as a workbook, which is complete before it is sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the answer closes it
    write_xlsx(file, _header(zone), _rows(entries, zone), title="Audit trail")
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=f"{_name()}.xlsx", content_type=XLSX_TYPE
    )


def _name() -> str:
    return f"audit-{timezone.now():%Y-%m-%d-%H%M%S}"


def _header(zone: str) -> list[str]:
    return ["entry", *instant_titles("at", zone=zone), *_AFTER_INSTANT]


def _rows(entries: QuerySet[AuditEntry], zone: str) -> Iterator[Row]:
    names: dict[str, str] = {}
    for entry in entries.iterator(chunk_size=_READ_AT_ONCE):
        # At most one statement for each of the people in it, who are few.
        if entry.actor not in names:
            names |= actor_words([entry.actor])
        yield (
            entry.pk,
            *instant_cells(entry.created_at, zone=zone),
            names[entry.actor],
            entry.actor,
            entry.verb,
            entry.result,
            entry.subject_type,
            entry.subject_id,
            entry.subject_label,
            entry.partner.name if entry.partner else "",
            entry.ip_address,
            entry.agent,
            entry.request_id,
            _json(entry.before),
            _json(entry.after),
            entry.reason,
        )


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True) if fields else ""
