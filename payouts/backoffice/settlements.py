"""Reconciliation: files of the network, what was found in each, bringing one, the second yes."""

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
from payouts.backoffice.settlement_words import (
    OUTCOME_WORDS,
    consequences,
    refusal_words,
    state_words,
)
from payouts.backoffice.step_up import fresh_second_factor
from payouts.backoffice.uploads import OnlyInMemory
from payouts.models import FileState, SettlementFile
from payouts.operations.reconciliation.decide_file import SETTLEMENTS
from payouts.operations.reconciliation.take_settlement import take_settlement
from payouts.reconciliation.settlement_queries import (
    FILES_SHOWN,
    FINDINGS_SHOWN,
    counts_of,
    findings_in,
    found_in,
    settlement_files,
)
from payouts.reconciliation.settlements import LARGEST_UPLOAD_BYTES, LineOutcome, SettlementRefused
from payouts.staff import RESOLVE_PAYMENT, SEE_SETTLEMENTS

TITLE: Final = "Reconciliation"
_MEGABYTES: Final = LARGEST_UPLOAD_BYTES // 1024 // 1024
_PAGES: Final = Pages(
    SETTLEMENTS,
    "backoffice:settlement",
    agreed="Agreed. It is being carried out.",
    refused="Refused. None of its lines counts.",
)


class UploadForm(forms.Form):
    """A file of the network."""

    file = upload_field(
        label="Settlement file",
        accept=".csv,.txt",
        megabytes=_MEGABYTES,
        help_text=f"As the network sent it, at most {_MEGABYTES} MB; larger ones by the command "
        "import_settlement.",
    )


@staff_page(SEE_SETTLEMENTS)
@require_GET
def files(request: HttpRequest) -> HttpResponse:
    """The files of the network, the newest first."""
    found = settlement_files(before=uuid_or_404(request.GET.get("before")))
    page = found[:FILES_SHOWN]
    counts = counts_of([file.pk for file in page])
    return shown(
        request,
        "backoffice/settlements.html",
        title=TITLE,
        rows=[(file, state_words(file), counts.get(file.pk, 0)) for file in page],
        is_first_page="before" not in request.GET,
        older=page[-1].pk if len(found) > FILES_SHOWN else None,
        may_upload=request.user.has_perm(RESOLVE_PAYMENT),
    )


@csrf_exempt
def new(request: HttpRequest) -> HttpResponseBase:
    """The upload. The page inside checks the token, after the file has found its way to memory."""
    request.upload_handlers = [OnlyInMemory(request, largest_bytes=LARGEST_UPLOAD_BYTES)]
    return _new(request)


@staff_page(RESOLVE_PAYMENT)
def _new(request: HttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
    if form.is_valid():
        try:
            return _PAGES.of(bring(request, form, take_settlement).pk)
        except SettlementRefused as refusal:
            form.add_error("file", refusal_words(refusal.code, refusal.details))
    return shown(
        request, "backoffice/upload_settlement.html", title="Import a settlement file", form=form
    )


@staff_page(SEE_SETTLEMENTS)
@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """How far a file is, and what was found in it."""
    found = _PAGES.found_or_404(file_id)
    outcome = choice_or_404(LineOutcome, request.GET.get("outcome"))
    after = number_or_404(request.GET.get("after"))
    findings = findings_in(found, outcome=outcome, after=after)
    page = findings[:FINDINGS_SHOWN]
    return shown(
        request,
        "backoffice/settlement.html",
        title=found.reference,
        **_progress(request, found),
        findings=[(one, OUTCOME_WORDS[one.row.outcome].title) for one in page],
        outcome=outcome,
        outcome_words=OUTCOME_WORDS[outcome].title if outcome else "",
        is_first_page=not after,
        more=page[-1].row.pk if len(findings) > FINDINGS_SHOWN else None,
    )


@staff_fragment(SEE_SETTLEMENTS)
@require_GET
def live(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The upper part of the page above, while something is in the making."""
    found = _PAGES.found_or_404(file_id)
    if has_come_to_rest(request, found):
        return load_anew()
    return render(request, "backoffice/settlement_progress.html", _progress(request, found))


@staff_page(RESOLVE_PAYMENT)
@require_POST
@fresh_second_factor
def decide(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The second person's yes or no to what a file would change."""
    return decide_about(request, _PAGES.found_or_404(file_id), _PAGES)


def _progress(request: HttpRequest, found: SettlementFile) -> dict[str, Any]:
    outcomes = found_in(found)
    findings = sum(one.count for one in outcomes)
    lines = sum(one.count for one in outcomes if one.outcome is not LineOutcome.MISSING_THERE)
    is_judged = found.state not in (FileState.READING, FileState.MATCHING)
    return {
        **standing(request, found),
        "state": state_words(found),
        "refusal": refusal_words(found.refusal["code"], found.refusal) if found.refusal else "",
        "found": [(one, OUTCOME_WORDS[one.outcome.value]) for one in outcomes],
        "findings_count": findings,
        "matched": found.lines - lines if is_judged and not found.refusal else None,
        "consequences": consequences(outcomes),
    }
