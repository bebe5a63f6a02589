"""Pushes in doubt: the board of all, the page of one, asking the network, proposing an end."""

from datetime import datetime
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from payouts.admin.push_page import push_page, push_rows
from payouts.backoffice.addresses import uuid_or_404
from payouts.backoffice.doubt_decisions import proposals_for
from payouts.backoffice.doubt_words import (
    ASKED_WORDS,
    EVIDENCE_WORDS,
    FOUND_WORDS,
    NOT_AGAIN_WORDS,
    VERDICT_MEANS,
    VERDICT_WORDS,
)
from payouts.backoffice.fields import LongText, NoteField
from payouts.backoffice.pages import me, shown, staff_fragment, staff_page
from payouts.backoffice.step_up import fresh_second_factor_to_look
from payouts.backoffice.uploads import OnlyInMemory
from payouts.doubt_queries import (
    DOUBTS_SHOWN,
    Doubt,
    doubt_sums,
    doubts,
    doubts_of,
    resolutions_of,
)
from payouts.doubts import LARGEST_EVIDENCE_BYTES, EvidenceRefused, Upload
from payouts.models import EvidenceFile, Payment
from payouts.operations.ask_now import ask_now
from payouts.operations.change_kinds import NotAChange
from payouts.operations.keep_evidence import reveal_evidence
from payouts.operations.resolve_unknown import Claim, propose_resolution
from payouts.operations.send_payments import obstacle_to_sending
from payouts.staff import RESOLVE_PAYMENT, REVEAL_EVIDENCE
from payouts.states import Status

SEE: Final = "payouts.view_payment"
_NOT_FOUND: Final = "not_found"
# What people may say of a push with this status.
_VERDICTS: Final = {
    Status.UNKNOWN.value: (Status.COMPLETED.value, Status.FAILED.value),
    Status.COMPLETED.value: (Status.RETURNED.value,),
}


class ClaimForm(forms.Form):
    """What became of a push, what shows it, and why."""

    verdict = forms.ChoiceField(
        label="What became of it",
        widget=forms.RadioSelect,
        error_messages={"required": "Say what became of it."},
    )
    file = forms.FileField(
        label="Evidence",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "po-input", "accept": ".pdf,.png,.jpg,.jpeg,.txt"}),
        error_messages={"required": "Choose a file of at most 5 MB that shows it."},
        help_text="PDF, PNG, JPEG or plain text, at most 5 MB. It is kept encrypted, and opening "
        "it is recorded.",
    )
    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
        help_text="Whoever decides reads it, and it is kept.",
    )

    def __init__(self, verdicts: tuple[str, ...], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        offered = [(one, f"{VERDICT_WORDS[one]}. {VERDICT_MEANS[one]}") for one in verdicts]
        self.fields["verdict"].choices = offered  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["verdict"].initial = offered[0][0]


@staff_page(SEE)
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Every push of which nobody knows whether it was paid, the oldest first."""
    return shown(request, "backoffice/in_doubt.html", title="In doubt", **_board(request))


@staff_fragment(SEE)
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The board's rows, while the network is being asked about one of them."""
    return render(request, "backoffice/in_doubt_rows.html", _board(request))


@staff_page(SEE)
@require_GET
def doubt(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """One push: what was asked and answered, what people have proposed, and what can be done."""
    return _page(request, _payment_or_404(payment_id))


@staff_page(RESOLVE_PAYMENT)
@require_POST
def ask(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Have the network asked at once; a worker does it."""
    payment = _payment_or_404(payment_id)
    messages.info(request, ASKED_WORDS[ask_now(payment.pk, by=me(request))])
    if request.POST.get("back") == "board":
        return HttpResponseRedirect(reverse("backoffice:in_doubt"))
    return _to(payment)


@csrf_exempt
def propose(request: HttpRequest, payment_id: UUID) -> HttpResponseBase:
    """What somebody says became of it. The page inside checks the token, after the file has found
    its way to memory."""
    request.upload_handlers = [OnlyInMemory(request, largest_bytes=LARGEST_EVIDENCE_BYTES)]
    return _propose(request, payment_id)


@staff_page(RESOLVE_PAYMENT)
@require_POST
def _propose(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    payment = _payment_or_404(payment_id)
    form = ClaimForm(_VERDICTS.get(payment.status, ()), request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, payment, form)
    try:
        propose_resolution(payment.pk, _claim(form.cleaned_data), by=me(request))
    except EvidenceRefused as refusal:
        form.add_error("file", EVIDENCE_WORDS[refusal.problem])
        return _page(request, payment, form)
    except NotAChange as refusal:
        messages.error(request, str(refusal))
        return _to(payment)
    messages.success(request, "Proposed. No money moves until somebody else has agreed.")
    return _to(payment)


@staff_page(REVEAL_EVIDENCE)
@fresh_second_factor_to_look
def evidence(request: HttpRequest, evidence_id: UUID) -> HttpResponse:
    """The file itself; that somebody took it stays in the audit trail."""
    try:
        found, content = reveal_evidence(evidence_id, by=me(request))
    except EvidenceFile.DoesNotExist:
        raise Http404 from None
    answer = HttpResponse(content, content_type=found.media_type)
    # Never shown inside our own pages, whatever is in it.
    name = "".join(one if one.isalnum() or one in "._-" else "_" for one in found.name)
    answer["Content-Disposition"] = (
        f'attachment; filename="{name.encode("ascii", "ignore").decode()}"'
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _claim(given: dict[str, Any]) -> Claim:
    file = given["file"]
    upload = Upload(PurePath(file.name or "evidence").name, file.read())
    return Claim(Status(given["verdict"]), given["reason"], upload)


def _board(request: HttpRequest) -> dict[str, Any]:
    after = uuid_or_404(request.GET.get("after"))
    at = timezone.now()
    found = doubts(after=after, at=at)
    page = found[:DOUBTS_SHOWN]
    return {
        "rows": [(one, _last_words(one, at=at)) for one in page],
        "sums": doubt_sums(),
        "later": page[-1].payment.pk if len(found) > DOUBTS_SHOWN else None,
        "after": after,
        "is_moving": any(one.is_asking for one in page),
        "may_resolve": request.user.has_perm(RESOLVE_PAYMENT),
        "now": at,
    }


def _last_words(one: Doubt, *, at: datetime) -> str:
    found = one.inquiries.last_found or one.payment.attempt.unknown_reason
    words = FOUND_WORDS.get(found, found.replace("_", " "))
    if found != _NOT_FOUND or one.payment.status != Status.UNKNOWN.value:
        return words
    # What the network does not have goes again by itself. Where it does not, people have to act.
    obstacle = obstacle_to_sending(one.payment, at=at)
    return f"{words}, and it is not sent again: {NOT_AGAIN_WORDS[obstacle]}" if obstacle else words


def _page(request: HttpRequest, payment: Payment, form: ClaimForm | None = None) -> HttpResponse:
    at, verdicts = timezone.now(), _VERDICTS.get(payment.status, ())
    (about,) = doubts_of([payment], at=at)
    proposals = proposals_for(me(request), list(resolutions_of(payment.pk)), at=at)
    may_resolve = request.user.has_perm(RESOLVE_PAYMENT)
    is_maker = payment.maker_user_id == me(request).pk
    waits = any(one.is_waiting for one in proposals)
    can_propose = may_resolve and verdicts and not waits and not is_maker
    return shown(
        request,
        "backoffice/doubt.html",
        title=f"${payment.amount:,.2f} to {payment.consumer}",
        page=push_page(payment, with_journals=False),
        about=about,
        said=_last_words(about, at=at) if hasattr(payment, "attempt") else "",
        proposals=proposals,
        is_unknown=Status(payment.status) is Status.UNKNOWN,
        is_maker=is_maker,
        can_ask=may_resolve and Status(payment.status) is Status.UNKNOWN,
        form=(form or ClaimForm(verdicts)) if can_propose else None,
        may_reveal=request.user.has_perm(REVEAL_EVIDENCE),
        may_resolve=may_resolve,
    )


def _payment_or_404(payment_id: UUID) -> Payment:
    payment = push_rows().filter(pk=payment_id).first()
    if payment is None:
        raise Http404
    return payment


def _to(payment: Payment) -> HttpResponse:
    return HttpResponseRedirect(reverse("backoffice:doubt", args=[payment.pk]))
