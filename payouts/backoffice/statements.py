"""Statements of our bank: the list, what came of each entry, bringing one, the second yes."""

from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from payouts.backoffice.pages import me, shown, staff_fragment, staff_page
from payouts.backoffice.statement_words import (
    ENTRY_WORDS,
    FORMAT_WORDS,
    problem_words,
    problems_in_words,
    statement_state,
)
from payouts.backoffice.step_up import fresh_second_factor
from payouts.backoffice.uploads import OnlyInMemory
from payouts.deciding.approvers import name_of
from payouts.models import FileState, StatementFile
from payouts.operations.reconciliation.act_on_statement import (
    StatementByUploader,
    StatementDecisionNotPermitted,
    StatementNotWaiting,
    apply_statement,
    reject_statement,
)
from payouts.operations.reconciliation.take_statement import (
    StatementNotPermitted,
    StatementUpload,
    take_statement,
)
from payouts.reconciliation.bank_statements import (
    LARGEST_STATEMENT_BYTES,
    EntryOutcome,
    StatementRefused,
)
from payouts.reconciliation.statement_queries import (
    ENTRIES_SHOWN,
    STATEMENTS_SHOWN,
    entries_in,
    missing_found_by,
    open_cases_of,
    statement_files,
    statements_in,
    sums_of,
    would_book,
)
from payouts.staff import RESOLVE_PAYMENT, SEE_STATEMENTS

TITLE: Final = "Bank statements"
_MEGABYTES: Final = LARGEST_STATEMENT_BYTES // 1024 // 1024
_AT_WORK: Final = (
    FileState.READING,
    FileState.MATCHING,
    FileState.COMPARING,
    FileState.ACTING,
)


class UploadForm(forms.Form):
    """A file of our bank."""

    file = forms.FileField(
        allow_empty_file=True,
        label="Bank statement",
        widget=forms.FileInput(attrs={"class": "po-input", "accept": ".xml,.csv,.txt"}),
        error_messages={"required": f"Choose a file of at most {_MEGABYTES} MB."},
        help_text=f"camt.053 as the bank sent it, or CSV, at most {_MEGABYTES} MB.",
    )


@staff_page(SEE_STATEMENTS)
@require_GET
def files(request: HttpRequest) -> HttpResponse:
    """The files of our bank, the newest first."""
    found = list(statement_files(before=_uuid_or_404(request.GET.get("before"))))
    page = found[:STATEMENTS_SHOWN]
    cases = open_cases_of([file.pk for file in page])
    return shown(
        request,
        "backoffice/statements.html",
        title=TITLE,
        rows=[(file, statement_state(file), cases.get(file.pk, 0)) for file in page],
        is_first_page="before" not in request.GET,
        older=page[-1].pk if len(found) > STATEMENTS_SHOWN else None,
        may_upload=request.user.has_perm(RESOLVE_PAYMENT),
    )


@csrf_exempt
def new(request: HttpRequest) -> HttpResponseBase:
    """The upload. The page inside checks the token, after the file has found its way to memory."""
    request.upload_handlers = [OnlyInMemory(request, largest_bytes=LARGEST_STATEMENT_BYTES)]
    return _new(request)


@staff_page(RESOLVE_PAYMENT)
def _new(request: HttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
    if is_sent and form.is_valid():
        given: Any = form.cleaned_data["file"]
        name = PurePath(given.name or "file").name
        try:
            taken = take_statement(StatementUpload(name, given.read(), me(request)))
        except StatementNotPermitted as refusal:
            raise PermissionDenied from refusal
        except StatementRefused as refusal:
            for problem in refusal.problems:
                form.add_error("file", problem_words(problem))
        else:
            if not taken.is_new:
                messages.info(request, "This very file was imported before. Nothing has changed.")
            return _to(taken.file.pk)
    return shown(
        request, "backoffice/upload_statement.html", title="Import a bank statement", form=form
    )


@staff_page(SEE_STATEMENTS)
@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """How far a file is, and what came of its entries."""
    found = _file_or_404(file_id)
    outcome = _outcome_or_404(request.GET.get("outcome"))
    after = _number_or_404(request.GET.get("after"))
    entries = entries_in(found, outcome=outcome, after=after)
    page = entries[:ENTRIES_SHOWN]
    return shown(
        request,
        "backoffice/statement.html",
        title=found.name,
        **_progress(request, found),
        entries=[(one, _title(one.row.outcome)) for one in page],
        outcome=outcome,
        outcome_words=_title(outcome) if outcome else "",
        is_first_page=not after,
        more=page[-1].row.number if len(entries) > ENTRIES_SHOWN else None,
    )


@staff_fragment(SEE_STATEMENTS)
@require_GET
def live(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The upper part of the page above, while something is in the making."""
    found = _file_or_404(file_id)
    if request.GET.get("state") != found.state and found.state not in _AT_WORK:
        # The entries are in the lower part.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "backoffice/statement_progress.html", _progress(request, found))


@staff_page(RESOLVE_PAYMENT)
@require_POST
@fresh_second_factor
def decide(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The second person's yes or no to what a statement would book."""
    found = _file_or_404(file_id)
    reason = request.POST.get("reason", "").strip()
    is_yes = request.POST.get("verdict") == "apply"
    if not is_yes and not reason:
        messages.error(request, "Say why none of it is to count.")
        return _to(found.pk)
    try:
        if is_yes:
            apply_statement(found.pk, by=me(request))
            messages.success(request, "Agreed. It is being booked.")
        else:
            reject_statement(found.pk, by=me(request), reason=reason)
            messages.success(request, "Refused. None of its entries counts.")
    except StatementDecisionNotPermitted as refusal:
        raise PermissionDenied from refusal
    except StatementByUploader:
        messages.error(request, "You brought this file, so somebody else has to agree.")
    except StatementNotWaiting:
        messages.error(request, "This file does not wait for a decision any more.")
    return _to(found.pk)


def _progress(request: HttpRequest, found: StatementFile) -> dict[str, Any]:
    sums = sums_of(found)
    waits = found.state == FileState.WAITING
    may_decide = waits and request.user.has_perm(RESOLVE_PAYMENT)
    is_own = found.uploaded_by_id == me(request).pk
    return {
        "file": found,
        "format": FORMAT_WORDS[found.format],
        "state": statement_state(found),
        "is_moving": found.state in _AT_WORK,
        "uploader": "" if found.uploaded_by is None else name_of(found.uploaded_by),
        "decider": "" if found.decided_by is None else name_of(found.decided_by),
        "problems": problems_in_words(found.problems),
        "statements": statements_in(found),
        "sums": [(one, ENTRY_WORDS[one.outcome.value]) for one in sums],
        "missing": missing_found_by(found),
        "would_book": would_book(sums),
        "waits": waits,
        "may_decide": may_decide and not is_own,
        "is_own": may_decide and is_own,
    }


def _title(outcome: str) -> str:
    return ENTRY_WORDS[outcome].title if outcome else "Not matched yet"


def _file_or_404(file_id: UUID) -> StatementFile:
    rows = StatementFile.objects.select_related("uploaded_by", "decided_by")
    found = rows.filter(pk=file_id).first()
    if found is None:
        raise Http404
    return found


def _to(file_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("backoffice:statement", args=[file_id]))


def _outcome_or_404(text: str | None) -> EntryOutcome | None:
    try:
        return EntryOutcome(text) if text else None
    except ValueError:
        raise Http404 from None


def _number_or_404(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isdecimal() or len(text) > 9:
        raise Http404
    return int(text)


def _uuid_or_404(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
