"""Statements of our bank: the list, what came of each entry, bringing one, the second yes."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from payouts.backoffice.addresses import choice_or_404, number_or_404, uuid_or_404
from payouts.backoffice.brought_files import (
    Pages,
    bring,
    decide_about,
    has_come_to_rest,
    standing,
    upload_field,
)
from payouts.backoffice.pages import load_anew, shown, staff_fragment, staff_page
from payouts.backoffice.statement_words import (
    ENTRY_WORDS,
    FORMAT_WORDS,
    problem_words,
    problems_in_words,
    statement_state,
)
from payouts.backoffice.step_up import fresh_second_factor
from payouts.backoffice.uploads import OnlyInMemory
from payouts.models import StatementFile
from payouts.operations.reconciliation.decide_file import STATEMENTS
from payouts.operations.reconciliation.take_statement import take_statement
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
_PAGES: Final = Pages(
    STATEMENTS,
    "backoffice:statement",
    agreed="Agreed. It is being booked.",
    refused="Refused. None of its entries counts.",
)


class UploadForm(forms.Form):
    """A file of our bank."""

    file = upload_field(
        label="Bank statement",
        accept=".xml,.csv,.txt",
        megabytes=_MEGABYTES,
        help_text=f"camt.053 as the bank sent it, or CSV, at most {_MEGABYTES} MB.",
    )


@staff_page(SEE_STATEMENTS)
@require_GET
def files(request: HttpRequest) -> HttpResponse:
    """The files of our bank, the newest first."""
    found = list(statement_files(before=uuid_or_404(request.GET.get("before"))))
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
    if form.is_valid():
        try:
            return _PAGES.of(bring(request, form, take_statement).pk)
        except StatementRefused as refusal:
            for problem in refusal.problems:
                form.add_error("file", problem_words(problem))
    return shown(
        request, "backoffice/upload_statement.html", title="Import a bank statement", form=form
    )


@staff_page(SEE_STATEMENTS)
@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """How far a file is, and what came of its entries."""
    found = _PAGES.found_or_404(file_id)
    outcome = choice_or_404(EntryOutcome, request.GET.get("outcome"))
    after = number_or_404(request.GET.get("after"))
    entries = entries_in(found, outcome=outcome, after=after)
    page = entries[:ENTRIES_SHOWN]
    return shown(
        request,
        "backoffice/statement.html",
        title=f"Statement {found.name}",
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
    found = _PAGES.found_or_404(file_id)
    if has_come_to_rest(request, found):
        return load_anew()
    return render(request, "backoffice/statement_progress.html", _progress(request, found))


@staff_page(RESOLVE_PAYMENT)
@require_POST
@fresh_second_factor
def decide(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The second person's yes or no to what a statement would book."""
    return decide_about(request, _PAGES.found_or_404(file_id), _PAGES)


def _progress(request: HttpRequest, found: StatementFile) -> dict[str, Any]:
    sums = sums_of(found)
    return {
        **standing(request, found),
        "format": FORMAT_WORDS[found.format],
        "state": statement_state(found),
        "problems": problems_in_words(found.problems),
        "statements": statements_in(found),
        "sums": [(one, ENTRY_WORDS[one.outcome.value]) for one in sums],
        "missing": missing_found_by(found),
        "would_book": would_book(sums),
    }


def _title(outcome: str) -> str:
    return ENTRY_WORDS[outcome].title if outcome else "Not matched yet"
