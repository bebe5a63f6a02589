"""Deciding about a batch: the whole of it or a part, under one digest, carried out by a worker."""

import hmac
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from payouts.backoffice.approvals import DecisionForm
from payouts.backoffice.batch_address import batch_or_404, line_or_404, to_batch
from payouts.backoffice.batch_words import FindingLine, findings_of
from payouts.backoffice.line_choice import (
    Range,
    UnreadableLines,
    holds,
    read_lines,
    with_lines,
    without_lines,
    written,
)
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.queue import Row, queue_rows
from payouts.backoffice.signing import proof_or_question
from payouts.batch_queries import (
    LINES_SHOWN,
    digests_of,
    lines_of,
    open_pushes,
    waiting_pushes,
)
from payouts.models import Batch, BatchRow, Payment
from payouts.models.approvals import Verdict
from payouts.operations.batches.order_batch import digest_of_marks, marks_of, order_decisions
from payouts.operations.decide_many import Seen
from payouts.staff import APPROVE_PAYMENT

TITLE: Final = "Decide about a batch"
_LONGEST_CHOICE: Final = 5_000
_UNREADABLE: Final = "Lines are written like 17, 203-210, at most 500 numbers or ranges."
_CHANGED: Final = "Something has changed since you looked. This is how it is now."


@dataclass(frozen=True, slots=True)
class Choice:
    """One line on the page of the approver: in or out.

    `waiting` is its push as the queue shows it; None if it has gone from there just now.
    """

    row: BatchRow
    is_in: bool
    findings: list[FindingLine]
    waiting: Row | None


@staff_page(APPROVE_PAYMENT)
def decide(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """The pushes that one may decide about; ticks and a text say which lines are left out.

    Every button sends the choice along, so that it outlives turning the page.
    """
    found = batch_or_404(batch_id)
    asked = request.POST if request.method == "POST" else request.GET
    try:
        left_out = _chosen(request)
    except UnreadableLines:
        messages.error(request, _UNREADABLE)
        left_out = []
    go = asked.get("go", "")
    if go in Verdict.values:
        form = DecisionForm(initial={"verdict": go})
        return _ask(request, found, left_out, form)
    after = line_or_404(go.removeprefix("after-") if go.startswith("after-") else "0")
    return _choose(request, found, left_out, after)


@staff_page(APPROVE_PAYMENT)
@require_POST
def order(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Have it decided, if the pushes are still those that were summed up on the page before."""
    found = batch_or_404(batch_id)
    form = DecisionForm(request.POST)
    try:
        left_out = read_lines(request.POST.get("left_out", "")[:_LONGEST_CHOICE])
    except UnreadableLines:
        raise Http404 from None
    if not form.is_valid():
        return _ask(request, found, left_out, form)
    seen = _seen(_pushes(request, found, left_out))
    digest = digest_of_marks(marks_of(seen)).hex()
    if not seen or not hmac.compare_digest(digest, request.POST.get("digest", "")):
        messages.error(request, _CHANGED)
        return _ask(request, found, left_out, form)
    verdict, reason = Verdict(form.cleaned_data["verdict"]), form.cleaned_data["reason"]
    proof = proof_or_question(
        request,
        seen=seen,
        verdict=verdict,
        reason=reason,
        facts=lambda: _facts(request, found, left_out),
    )
    if isinstance(proof, HttpResponse):
        return proof
    order_decisions(found, seen=seen, by=me(request), verdict=verdict, reason=reason, proof=proof)
    messages.success(request, "Your decision is recorded and being carried out.")
    return to_batch(found)


def _facts(request: HttpRequest, found: Batch, left_out: list[Range]) -> list[tuple[str, str]]:
    """What is decided about, summed up for whoever signs it."""
    sums = waiting_pushes(_pushes(request, found, left_out))
    facts = [
        ("Batch", found.name),
        ("Pushes", f"{sums.count:,}"),
        ("In all", f"${sums.amount:,.2f}"),
    ]
    return [*facts, ("Left out", f"lines {written(left_out)}")] if left_out else facts


def _choose(request: HttpRequest, found: Batch, left_out: list[Range], after: int) -> HttpResponse:
    at = timezone.now()
    everything = open_pushes(found.pk, me(request), at=at)
    sums = waiting_pushes(everything)
    if not sums.count:
        messages.info(request, "Nothing of this batch waits for you.")
        return to_batch(found)
    rows = lines_of(found.pk, Q(payment__in=everything), after=after)
    page = rows[:LINES_SHOWN]
    ids = [row.payment_id for row in page if row.payment_id is not None]
    waiting = {one.payment.pk: one for one in queue_rows(ids, me(request), at=at)}
    return shown(
        request,
        "backoffice/decide_batch.html",
        title=TITLE,
        batch=found,
        everything=sums,
        chosen=waiting_pushes(_pushes(request, found, left_out)) if left_out else sums,
        left_out=written(left_out),
        lines=[
            Choice(
                row,
                not holds(left_out, row.line),
                findings_of(row),
                waiting.get(row.payment_id) if row.payment_id is not None else None,
            )
            for row in page
        ],
        is_first_page=after == 0,
        next_after=page[-1].line if len(rows) > LINES_SHOWN else None,
    )


def _ask(
    request: HttpRequest, found: Batch, left_out: list[Range], form: forms.Form
) -> HttpResponse:
    pushes = _pushes(request, found, left_out)
    seen = _seen(pushes)
    if not seen:
        messages.error(request, "No line is left to decide about.")
        return HttpResponseRedirect(reverse("backoffice:decide_batch", args=[found.pk]))
    context: dict[str, Any] = {
        "batch": found,
        "form": form,
        "verdict": form["verdict"].value(),
        "is_approval": form["verdict"].value() == Verdict.APPROVE,
        "chosen": waiting_pushes(pushes),
        "left_out": written(left_out),
        "digest": digest_of_marks(marks_of(seen)).hex(),
    }
    return shown(request, "backoffice/confirm_batch_decision.html", title=TITLE, **context)


def _chosen(request: HttpRequest) -> list[Range]:
    """What is left out: the text, and the lines of the page whose ticks were taken away.

    :raises UnreadableLines: the text cannot be read.
    """
    if request.method != "POST":
        return []
    ranges = read_lines(request.POST.get("left_out", "")[:_LONGEST_CHOICE])
    on_page = {line_or_404(text) for text in request.POST.getlist("line")[:LINES_SHOWN]}
    kept = {line_or_404(text) for text in request.POST.getlist("keep")[:LINES_SHOWN]}
    # A tick and the text can contradict each other; to leave out is the safe one to believe, unless
    # the tick was made on purpose.
    was_out = {line_or_404(text) for text in request.POST.getlist("was_out")[:LINES_SHOWN]}
    ranges = with_lines(ranges, on_page - kept)
    return without_lines(ranges, kept & was_out)


def _pushes(request: HttpRequest, found: Batch, left_out: list[Range]) -> QuerySet[Payment]:
    return open_pushes(found.pk, me(request), at=timezone.now(), without=left_out)


def _seen(pushes: QuerySet[Payment]) -> list[Seen]:
    return [Seen(push_id, digest) for push_id, digest in digests_of(pushes)]
