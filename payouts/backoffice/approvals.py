"""Deciding about pushes: the queue, the page that asks, and what came of each decision."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from consumers.admin.base import label
from consumers.models import Partner
from payouts.admin.words import STATUS_MEANS, STATUS_TONES
from payouts.approvals import Bar
from payouts.backoffice.addresses import uuid_or_404
from payouts.backoffice.fields import LongText, NoteField
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.queue import (
    COUNTED_AT_MOST,
    Chosen,
    Row,
    count,
    queue_page,
    queue_rows,
    rows_open_to,
    rows_waiting,
    summary,
)
from payouts.backoffice.signing import proof_or_question
from payouts.backoffice.words import BAR_WORDS
from payouts.models import PaymentTally
from payouts.models.approvals import Verdict
from payouts.operations.decide_many import Seen, decide_payments
from payouts.staff import APPROVE_PAYMENT
from payouts.states import Status

TITLE: Final = "Waiting for approval"
SEE: Final = "payouts.view_payment"
MOST_AT_ONCE: Final = 100

_MARK: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9a-f]{64})")


class DecisionForm(forms.Form):
    """Yes or no, and why. Kept with every one of the decisions."""

    verdict = forms.ChoiceField(choices=Verdict.choices, widget=forms.HiddenInput)
    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
        help_text="Stays in the history of each push.",
    )


@dataclass(frozen=True, slots=True)
class Refused:
    """A push that is left out, and why."""

    row: Row
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one decision."""

    row: Row | None
    label: SafeString | str
    words: str
    is_done: bool


@staff_page(SEE)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits: for the one who looks, or for anybody."""
    person, at = me(request), timezone.now()
    partner_id = uuid_or_404(request.GET.get("partner"))
    everything = rows_waiting(at=at, partner_id=partner_id)
    may_decide = person.has_perm(APPROVE_PAYMENT)
    mine = rows_open_to(person, at=at, partner_id=partner_id)
    is_mine = may_decide and request.GET.get("view") != "all"
    rows = mine if is_mine else everything
    sums = summary(rows)
    page = queue_page(
        rows,
        person,
        at=at,
        after=uuid_or_404(request.GET.get("after")),
        before=uuid_or_404(request.GET.get("before")),
    )
    return shown(
        request,
        "backoffice/approvals.html",
        title=TITLE,
        page=page,
        summary=sums,
        is_mine=is_mine,
        may_decide=may_decide,
        mine_count=_count_words(sums.count if is_mine else count(mine) if may_decide else 0),
        all_count=_count_words(count(everything) if is_mine else sums.count),
        partners=_partners_waiting(),
        chosen_partner="" if partner_id is None else str(partner_id),
        here=_here(request.GET),
    )


@staff_page(APPROVE_PAYMENT)
def confirm(request: HttpRequest) -> HttpResponse:
    """Repeat what is about to be decided, and ask why. Nothing is decided yet."""
    if request.method != "POST":
        return _to_queue({})
    marks = _marks(request.POST.getlist("chosen"))
    if not marks:
        messages.warning(request, "Choose at least one push first.")
        return _to_queue(request.POST)
    form = DecisionForm(initial={"verdict": _verdict_or_404(request.POST.get("verdict"))})
    return _ask(request, marks, form)


@staff_page(APPROVE_PAYMENT)
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Decide about each by itself, and say what came of each."""
    marks = _marks(request.POST.getlist("chosen"))
    form = DecisionForm(request.POST)
    if not marks:
        raise Http404
    if not form.is_valid():
        return _ask(request, marks, form)
    verdict, reason = Verdict(form.cleaned_data["verdict"]), form.cleaned_data["reason"]
    proof = proof_or_question(
        request, seen=marks, verdict=verdict, reason=reason, facts=lambda: _facts(request, marks)
    )
    if isinstance(proof, HttpResponse):
        return proof
    results = decide_payments(marks, by=me(request), verdict=verdict, reason=reason, proof=proof)
    rows = queue_rows([one.payment_id for one in marks], me(request), at=timezone.now())
    by_key = {row.payment.pk: row for row in rows}
    outcomes = [
        _outcome(by_key.get(one.payment_id), status=one.status, bar=one.bar) for one in results
    ]
    return shown(
        request,
        "backoffice/decided.html",
        title=TITLE,
        is_approval=verdict is Verdict.APPROVE,
        done=[one for one in outcomes if one.is_done],
        refused=[one for one in outcomes if not one.is_done],
        here=_here(request.POST),
    )


def _facts(request: HttpRequest, marks: list[Seen]) -> list[tuple[str, str]]:
    """What is decided about, summed up for whoever signs it."""
    rows = queue_rows([one.payment_id for one in marks], me(request), at=timezone.now())
    chosen = Chosen(rows)
    if not rows:
        return []
    largest = chosen.largest.payment
    return [
        ("Pushes", f"{len(marks):,}"),
        ("In all", f"${chosen.total:,.2f}"),
        ("Largest", f"${largest.amount:,.2f} to {largest.consumer.full_name}"),
    ]


def _ask(request: HttpRequest, marks: list[Seen], form: DecisionForm) -> HttpResponse:
    rows = queue_rows([one.payment_id for one in marks], me(request), at=timezone.now())
    seen = {one.payment_id: one.digest.hex() for one in marks}
    refused = [Refused(row, why) for row in rows if (why := _hindrance(row, seen))]
    left_out = {one.row.payment.pk for one in refused}
    return shown(
        request,
        "backoffice/confirm_decision.html",
        title=TITLE,
        form=form,
        verdict=form["verdict"].value(),
        is_approval=form["verdict"].value() == Verdict.APPROVE,
        chosen=Chosen([row for row in rows if row.payment.pk not in left_out]),
        refused=refused,
        here=_here(request.POST),
        values=_kept(request.POST),
    )


def _hindrance(row: Row, seen: Mapping[UUID, str]) -> str:
    if row.hindrance:
        return row.hindrance
    return "" if seen[row.payment.pk] == row.digest else BAR_WORDS[Bar.CHANGED]


def _outcome(row: Row | None, *, status: Status | None, bar: Bar | None) -> Outcome:
    if status is None:
        return Outcome(row, "", BAR_WORDS[bar or Bar.NOT_WAITING], is_done=False)
    tone = label(status.value, STATUS_TONES)
    return Outcome(row, tone, STATUS_MEANS[status.value], is_done=True)


def _partners_waiting() -> list[dict[str, Any]]:
    """Partners with something that waits, and how much; from rows that the database keeps."""
    tallies = (
        PaymentTally.objects.filter(status=Status.PENDING_APPROVAL.value)
        .values("partner_id")
        .annotate(pushes=Sum("payments"))
        .filter(pushes__gt=0)
    )
    pushes = {tally["partner_id"]: tally["pushes"] for tally in tallies}
    names = Partner.objects.filter(pk__in=pushes).order_by("name").values_list("pk", "name")
    return [{"id": str(key), "name": name, "pushes": pushes[key]} for key, name in names]


def _marks(texts: Iterable[str]) -> list[Seen]:
    """Read what `Row.mark` wrote; each push once.

    :raises Http404: for anything else, and for more than a page ever offers.
    """
    found: dict[UUID, Seen] = {}
    for text in texts:
        mark = _MARK.fullmatch(text)
        if mark is None or len(found) == MOST_AT_ONCE:
            raise Http404
        found[UUID(mark[1])] = Seen(UUID(mark[1]), bytes.fromhex(mark[2]))
    return list(found.values())


def _verdict_or_404(text: str | None) -> str:
    if text not in Verdict.values:
        raise Http404
    return text


def _count_words(rows: int) -> str:
    return f"{rows:,}" if rows <= COUNTED_AT_MOST else f"more than {COUNTED_AT_MOST:,}"


def _kept(values: Mapping[str, Any]) -> dict[str, str]:
    """Where in the queue somebody was, without what would not lead there again."""
    view, partner = str(values.get("view", "")), uuid_or_404(values.get("partner"))
    kept = {"view": "all"} if view == "all" else {}
    return kept if partner is None else {**kept, "partner": str(partner)}


def _here(values: Mapping[str, Any]) -> str:
    address = reverse("backoffice:approvals")
    kept = _kept(values)
    return f"{address}?{urlencode(kept)}" if kept else address


def _to_queue(values: Mapping[str, Any]) -> HttpResponse:
    return HttpResponseRedirect(_here(values))
