"""The daily three-way proof: the days, one of them, its file, and proving one at once."""

from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from consumers.audit import Act, Verb, record_act, subject_of
from payouts.backoffice.day_proof_words import BANK_WORDS, BOOKS, STEPS, VERDICT_WORDS
from payouts.backoffice.pages import me, shown, staff_page
from payouts.deciding.approvers import name_of
from payouts.models import DayProof
from payouts.operations.reconciliation.prove_day import prove_day
from payouts.spreadsheets import CSV_TYPE, csv_chunks
from payouts.staff import RESOLVE_PAYMENT, SEE_SETTLEMENTS

DAYS_SHOWN: Final = 31


@staff_page(SEE_SETTLEMENTS)
@require_GET
def days(request: HttpRequest) -> HttpResponse:
    """The newest proof of each day."""
    before = _day_or_404(request.GET.get("before"))
    rows = DayProof.objects.all() if before is None else DayProof.objects.filter(day__lt=before)
    merchant = ("day", "acquiring_bin", "card_acceptor_id")
    newest = list(rows.order_by("-day", *merchant[1:], "-id").distinct(*merchant)[: DAYS_SHOWN + 1])
    page = newest[:DAYS_SHOWN]
    return shown(
        request,
        "backoffice/day_proofs.html",
        title="Daily proof",
        rows=[(proof, VERDICT_WORDS[proof.verdict], _at_bank(proof)) for proof in page],
        older=page[-1].day if len(newest) > DAYS_SHOWN else None,
        is_first_page=before is None,
        may_prove=request.user.has_perm(RESOLVE_PAYMENT),
        today=timezone.now().date(),
    )


@staff_page(SEE_SETTLEMENTS)
@require_GET
def day(request: HttpRequest, proof_id: int) -> HttpResponse:
    """What the three books said about a day."""
    proof = _proof_or_404(proof_id)
    return shown(
        request,
        "backoffice/day_proof.html",
        title=f"Proof of {proof.day:%d %b %Y}",
        proof=proof,
        verdict=VERDICT_WORDS[proof.verdict],
        # Proofs of before know nothing of the bank.
        books=[(words, proof.figures[name]) for name, words in BOOKS if name in proof.figures],
        at_bank=_at_bank(proof),
        steps=[(words, sign, proof.figures[name]) for name, words, sign in STEPS],
        may_prove=request.user.has_perm(RESOLVE_PAYMENT),
    )


@staff_page(SEE_SETTLEMENTS)
@require_GET
def document(request: HttpRequest, proof_id: int) -> HttpResponse:
    """The proof as a file, with its SHA-256."""
    proof = _proof_or_404(proof_id)
    record_act(Act(verb=Verb.EXPORT, subject=subject_of(proof), after={"sha256": proof.digest}))
    chunks = csv_chunks(("what", "number", "amount"), _rows(proof))
    answer = HttpResponse("".join(chunks), content_type=CSV_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="proof-{proof.day}.csv"'
    return answer


@staff_page(SEE_SETTLEMENTS)
@require_GET
def pdf(request: HttpRequest, proof_id: int) -> HttpResponse:
    """The proof for printing."""
    # Here, because every process would spend a fifth of its start on what few of them ever draw.
    from payouts.backoffice.day_proof_pdf import day_proof_pdf

    proof = _proof_or_404(proof_id)
    record_act(Act(verb=Verb.EXPORT, subject=subject_of(proof), after={"sha256": proof.digest}))
    content = day_proof_pdf(proof, printed_at=timezone.now(), printed_by=name_of(me(request)))
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="proof-{proof.day}.pdf"'
    return answer


@staff_page(RESOLVE_PAYMENT)
@require_POST
def prove(request: HttpRequest) -> HttpResponse:
    """Prove a day at once."""
    chosen = _day_or_404(request.POST.get("day"))
    if chosen is None:
        messages.error(request, "Choose a day.")
        return HttpResponseRedirect(reverse("backoffice:day_proofs"))
    # A kept proof of what has not happened would look to an auditor like one of an idle day.
    if chosen > timezone.now().date():
        messages.error(request, "That day has not begun yet, in UTC. Choose another one.")
        return HttpResponseRedirect(reverse("backoffice:day_proofs"))
    return HttpResponseRedirect(reverse("backoffice:day_proof", args=[prove_day(chosen).pk]))


def _at_bank(proof: DayProof) -> str:
    return BANK_WORDS.get(proof.figures.get("bank", ""), "")


def _rows(proof: DayProof) -> list[tuple[Any, Any, Any]]:
    figures = proof.figures
    sums = [
        (name.replace("_", " "), one["number"], one["amount"])
        for name, one in figures.items()
        if isinstance(one, dict)
    ]
    return [
        ("day", proof.day.isoformat(), ""),
        ("verdict", proof.verdict, ""),
        ("bank", figures.get("bank", ""), ""),
        ("files", " ".join(figures["files"]), ""),
        *sums,
        ("unexplained", "", figures["unexplained"]),
        ("made at (UTC)", proof.made_at, ""),
        ("SHA-256 of the figures", proof.digest, ""),
    ]


def _proof_or_404(proof_id: int) -> DayProof:
    found = DayProof.objects.filter(pk=proof_id).first()
    if found is None:
        raise Http404
    return found


def _day_or_404(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Http404 from None
