"""Reconciliation: files of the network, what was found in each, bringing one, the second yes."""

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
from payouts.backoffice.settlement_words import (
    OUTCOME_WORDS,
    consequences,
    refusal_words,
    state_words,
)
from payouts.backoffice.step_up import fresh_second_factor
from payouts.backoffice.uploads import OnlyInMemory
from payouts.deciding.approvers import name_of
from payouts.models import FileState, SettlementFile
from payouts.operations.reconciliation.act_on_settlement import (
    SettlementByUploader,
    SettlementDecisionNotPermitted,
    SettlementNotWaiting,
    apply_settlement,
    reject_settlement,
)
from payouts.operations.reconciliation.take_settlement import (
    SettlementNotPermitted,
    SettlementUpload,
    take_settlement,
)
from payouts.reconciliation.settlement_queries import (
    FILES_SHOWN,
    FINDINGS_SHOWN,
    counts_of,
    findings_in,
    found_in,
    settlement_files,
)
from payouts.reconciliation.settlements import LARGEST_UPLOAD_BYTES, Outcome, SettlementRefused
from payouts.staff import RESOLVE_PAYMENT, SEE_SETTLEMENTS

TITLE: Final = "Reconciliation"
_MEGABYTES: Final = LARGEST_UPLOAD_BYTES // 1024 // 1024
_AT_WORK: Final = (
    FileState.READING,
    FileState.MATCHING,
    FileState.COMPARING,
    FileState.ACTING,
)


class UploadForm(forms.Form):
    """A file of the network."""

    file = forms.FileField(
        allow_empty_file=True,
        label="Settlement file",
        widget=forms.FileInput(attrs={"class": "po-input", "accept": ".csv,.txt"}),
        error_messages={"required": f"Choose a file of at most {_MEGABYTES} MB."},
        help_text=f"As the network sent it, at most {_MEGABYTES} MB; larger ones by the command "
        "import_settlement.",
    )


@staff_page(SEE_SETTLEMENTS)
@require_GET
def files(request: HttpRequest) -> HttpResponse:
    """The files of the network, the newest first."""
    found = settlement_files(before=_uuid_or_404(request.GET.get("before")))
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
    if is_sent and form.is_valid():
        given: Any = form.cleaned_data["file"]
        name = PurePath(given.name or "file").name
        try:
            taken = take_settlement(SettlementUpload(name, given.read(), me(request)))
        except SettlementNotPermitted as refusal:
            raise PermissionDenied from refusal
        except SettlementRefused as refusal:
            form.add_error("file", refusal_words(refusal.code, refusal.details))
        else:
            if not taken.is_new:
                messages.info(request, "This very file was imported before. Nothing has changed.")
            return _to(taken.file.pk)
    return shown(
        request, "backoffice/upload_settlement.html", title="Import a settlement file", form=form
    )


@staff_page(SEE_SETTLEMENTS)
@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """How far a file is, and what was found in it."""
    found = _file_or_404(file_id)
    outcome = _outcome_or_404(request.GET.get("outcome"))
    after = _number_or_404(request.GET.get("after"))
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
    found = _file_or_404(file_id)
    if request.GET.get("state") != found.state and found.state not in _AT_WORK:
        # What was found is in the lower part.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "backoffice/settlement_progress.html", _progress(request, found))


@staff_page(RESOLVE_PAYMENT)
@require_POST
@fresh_second_factor
def decide(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """The second person's yes or no to what a file would change."""
    found = _file_or_404(file_id)
    reason = request.POST.get("reason", "").strip()
    is_yes = request.POST.get("verdict") == "apply"
    if not is_yes and not reason:
        messages.error(request, "Say why none of it is to count.")
        return _to(found.pk)
    try:
        if is_yes:
            apply_settlement(found.pk, by=me(request))
            messages.success(request, "Agreed. It is being carried out.")
        else:
            reject_settlement(found.pk, by=me(request), reason=reason)
            messages.success(request, "Refused. None of its lines counts.")
    except SettlementDecisionNotPermitted as refusal:
        raise PermissionDenied from refusal
    except SettlementByUploader:
        messages.error(request, "You brought this file, so somebody else has to agree.")
    except SettlementNotWaiting:
        messages.error(request, "This file does not wait for a decision any more.")
    return _to(found.pk)


def _progress(request: HttpRequest, found: SettlementFile) -> dict[str, Any]:
    outcomes = found_in(found)
    findings = sum(one.count for one in outcomes)
    lines = sum(one.count for one in outcomes if one.outcome is not Outcome.MISSING_THERE)
    is_judged = found.state not in (FileState.READING, FileState.MATCHING)
    waits = found.state == FileState.WAITING
    may_decide = waits and request.user.has_perm(RESOLVE_PAYMENT)
    is_own = found.uploaded_by_id == me(request).pk
    return {
        "file": found,
        "state": state_words(found),
        "is_moving": found.state in _AT_WORK,
        "uploader": "" if found.uploaded_by is None else name_of(found.uploaded_by),
        "decider": "" if found.decided_by is None else name_of(found.decided_by),
        "refusal": refusal_words(found.refusal["code"], found.refusal) if found.refusal else "",
        "found": [(one, OUTCOME_WORDS[one.outcome.value]) for one in outcomes],
        "findings_count": findings,
        "matched": found.lines - lines if is_judged and not found.refusal else None,
        "consequences": consequences(outcomes),
        "waits": waits,
        "may_decide": may_decide and not is_own,
        "is_own": may_decide and is_own,
    }


def _file_or_404(file_id: UUID) -> SettlementFile:
    rows = SettlementFile.objects.select_related("uploaded_by", "decided_by")
    found = rows.filter(pk=file_id).first()
    if found is None:
        raise Http404
    return found


def _to(file_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("backoffice:settlement", args=[file_id]))


def _outcome_or_404(text: str | None) -> Outcome | None:
    try:
        return Outcome(text) if text else None
    except ValueError:
        raise Http404 from None


def _number_or_404(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return int(text)


def _uuid_or_404(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
