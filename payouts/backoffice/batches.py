"""Batches: the list, the upload, and the templates to fill in."""

from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from consumers.models import Partner
from payouts.backoffice.addresses import uuid_or_404
from payouts.backoffice.batch_words import state_label
from payouts.backoffice.fields import NoteField, ShortText
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.uploads import OnlyInMemory
from payouts.batch_files.columns import TEMPLATE
from payouts.batch_files.findings import FileRefused, refusal_words
from payouts.batch_files.lines import LARGEST_FILE_BYTES, MOST_ROWS
from payouts.batch_files.template import csv_template, xlsx_template
from payouts.batch_queries import BATCHES_SHOWN, counts_of, newest_batches
from payouts.models import RowState
from payouts.operations.batches.upload_batch import LONGEST_NAME, Upload, upload_batch
from payouts.spreadsheets import CSV_TYPE, XLSX_TYPE
from payouts.staff import ISSUE_PAYMENT

TITLE: Final = "Batches"
SEE: Final = "payouts.view_payment"
_TEMPLATES: Final = {"csv": (csv_template, CSV_TYPE), "xlsx": (xlsx_template, XLSX_TYPE)}
_MEGABYTES: Final = LARGEST_FILE_BYTES // (1024 * 1024)


class UploadForm(forms.Form):
    """Whose money, which file, and what it is called."""

    partner = forms.ModelChoiceField(
        Partner.objects.filter(is_active=True).order_by("name"),
        empty_label="Choose a partner",
        error_messages={"required": "Choose whose money is pushed."},
        widget=forms.Select(attrs={"class": "po-input"}),
    )
    file = forms.FileField(
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "po-input", "accept": ".csv,.txt,.xlsx"}),
        error_messages={"required": f"Choose a file of at most {_MEGABYTES} MB."},
        help_text=f"CSV or XLSX, at most {MOST_ROWS:,} lines and {_MEGABYTES} MB.",
    )
    name = NoteField(
        max_length=LONGEST_NAME,
        required=False,
        widget=ShortText(attrs={"autocomplete": "off"}),
        help_text="What to call it, such as “November payroll”. Optional.",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        partners = list(Partner.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
        if len(partners) == 1:
            self.fields["partner"].initial = partners[0]


@staff_page(SEE)
@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """The newest batches, with what came of them."""
    found = newest_batches(before=uuid_or_404(request.GET.get("before")))
    page = found[:BATCHES_SHOWN]
    counts = counts_of([batch.pk for batch in page])
    rows = [
        {
            "batch": batch,
            "state": state_label(batch),
            "lines": counts[batch.pk].lines,
            "bad": counts[batch.pk].of(RowState.BAD, RowState.REFUSED).rows,
            "sums": counts[batch.pk].of(RowState.GOOD, RowState.ISSUED),
        }
        for batch in page
    ]
    return shown(
        request,
        "backoffice/batches.html",
        title=TITLE,
        rows=rows,
        is_first_page="before" not in request.GET,
        older=page[-1].pk if len(found) > BATCHES_SHOWN else None,
        may_upload=request.user.has_perm(ISSUE_PAYMENT),
    )


@csrf_exempt
def new(request: HttpRequest) -> HttpResponseBase:
    """The upload. The page inside checks the token, after the file has found its way to memory."""
    request.upload_handlers = [OnlyInMemory(request, largest_bytes=LARGEST_FILE_BYTES)]
    return _new(request)


@staff_page(ISSUE_PAYMENT)
def _new(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            batch = _uploaded(request, form.cleaned_data)
        except FileRefused as refusal:
            form.add_error("file", refusal_words(refusal.code, refusal.details))
        else:
            return HttpResponseRedirect(reverse("backoffice:batch", args=[batch]))
    return shown(
        request, "backoffice/upload_batch.html", title="Upload a batch", form=form, columns=TEMPLATE
    )


@staff_page(ISSUE_PAYMENT)
@require_GET
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """An empty file with the columns of a batch."""
    if kind not in _TEMPLATES:
        raise Http404
    made, content_type = _TEMPLATES[kind]
    headers = {"Content-Disposition": f'attachment; filename="batch-template.{kind}"'}
    return HttpResponse(made(), content_type=content_type, headers=headers)


def _uploaded(request: HttpRequest, given: dict[str, Any]) -> UUID:
    file: Any = given["file"]
    file_name = PurePath(file.name or "file").name
    upload = Upload(
        name=given["name"] or PurePath(file_name).stem,
        file_name=file_name,
        content=file.read(),
        request_id=getattr(request, "request_id", ""),
    )
    return upload_batch(upload, partner=given["partner"], by=me(request)).pk
