"""Files of pushes: asked for on the list, watched while they are written, taken when done."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from consumers.admin.zone import viewer_zone
from payouts.admin.push_tools import words_of
from payouts.backoffice.pages import me, shown, staff_fragment, staff_page
from payouts.finding.push_lists import EXPORTS_SHOWN, choice_of, exports_for
from payouts.finding.push_query import PushQuery, UnreadableQuery
from payouts.models import Export, ExportKind, ExportState
from payouts.operations.export_pushes import (
    UNFINISHED_AT_MOST,
    TooManyExports,
    ask_for_export,
    file_of,
    record_download,
)
from payouts.spreadsheets import CSV_TYPE, XLSX_TYPE
from payouts.staff import EXPORT_PAYMENT

TITLE: Final = "Files of pushes"
_OF_EVERYBODY: Final = "payouts.view_export"
_TYPES: Final = {ExportKind.CSV: CSV_TYPE, ExportKind.XLSX: XLSX_TYPE}


@staff_page(EXPORT_PAYMENT)
@require_GET
def exports(request: HttpRequest) -> HttpResponse:
    """The files that this person asked for; auditors see everybody's."""
    return shown(request, "backoffice/exports.html", title=TITLE, **_shown(request))


@staff_fragment(EXPORT_PAYMENT)
@require_GET
def progress(request: HttpRequest) -> HttpResponse:
    """The table of the page above, while something is in the making."""
    return render(request, "backoffice/export_rows.html", _shown(request))


@staff_page(EXPORT_PAYMENT)
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a file of what the list shows, with the columns that this person has chosen."""
    try:
        query = PushQuery.from_address(request.POST.get("query", ""))
        kind = ExportKind(request.POST.get("kind", ""))
    except (UnreadableQuery, ValueError) as error:
        raise Http404 from error
    try:
        columns = choice_of(me(request)).columns
        ask_for_export(query, columns=columns, kind=kind, by=me(request), zone=viewer_zone())
    except TooManyExports:
        messages.error(
            request,
            f"You have {UNFINISHED_AT_MOST} files in the making. Ask again when one is done.",
        )
    return HttpResponseRedirect(reverse("backoffice:exports"))


@staff_page(EXPORT_PAYMENT)
@require_GET
def file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The file itself, for whoever asked for it and for auditors."""
    export = _visible(request).filter(pk=export_id, state=ExportState.DONE).first()
    if export is None:
        raise Http404
    record_download(export)
    pieces: Iterator[bytes] = file_of(export)
    answer = StreamingHttpResponse(pieces, content_type=_TYPES[ExportKind(export.kind)])
    name = f"pushes-{export.created_at:%Y-%m-%d-%H%M%S}.{export.kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Content-Length"] = str(export.size_bytes)
    return answer


def _shown(request: HttpRequest) -> dict[str, Any]:
    rows = list(_visible(request)[:EXPORTS_SHOWN])
    return {
        "exports": [(one, words_of(one.query)) for one in rows],
        "is_moving": any(one.state == ExportState.WAITING for one in rows),
        "of_everybody": request.user.has_perm(_OF_EVERYBODY),
    }


def _visible(request: HttpRequest) -> QuerySet[Export]:
    return exports_for(me(request), of_everybody=request.user.has_perm(_OF_EVERYBODY))
