"""Cases: the list, the page of one, making it one's own, and how it ends."""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from payouts.admin.words import pretty
from payouts.backoffice.addresses import uuid_or_404
from payouts.backoffice.doubt_decisions import proposals_for
from payouts.backoffice.doubt_words import CASE_WORDS, HINT_WORDS, SIDE_WORDS, WAY_WORDS
from payouts.backoffice.fields import LongText, NoteField
from payouts.backoffice.pages import me, shown, staff_page
from payouts.deciding.approvers import name_of
from payouts.doubt_queries import CASE_VIEWS, CASES_SHOWN, closings_of
from payouts.doubt_queries import cases as cases_in
from payouts.doubts import CaseKind, CaseState
from payouts.models import Case, SettlementFile
from payouts.models.changes import CLOSING
from payouts.operations.case_bookings import was_corrected
from payouts.operations.cases import (
    CaseClosed,
    CaseNotPermitted,
    CaseRefused,
    close_case,
    take_case,
    ways_of,
)
from payouts.operations.change_kinds import NotAChange
from payouts.operations.changes import Proposal, propose_change
from payouts.staff import RESOLVE_PAYMENT, SEE_CASES
from payouts.states import Status

_CLOSED: Final = "This case is closed."
# Parts of what a side says that stand elsewhere on the page, and those that are words of the code.
_SHOWN_APART: Final = frozenset({"answer", "statement_file"})
_PLACES: Final = {name: place for place, name in enumerate(SIDE_WORDS)}
_DOLLARS: Final = frozenset({"amount", "difference", "owed_to_network"})
_DAYS: Final = frozenset({"settled_on", "booked_on", "last_day"})
_MONEY: Final = re.compile(r"-?\d+\.\d\d", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OF_OURS: Final = frozenset({"says", "status", "failure"})


class ClosingForm(forms.Form):
    """How the case ends, and why."""

    way = forms.ChoiceField(
        label="How it ends",
        widget=forms.RadioSelect,
        error_messages={"required": "Say how it ends."},
    )
    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
        help_text="Stays with the case, and in the audit trail.",
    )

    def __init__(self, case: Case, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        status = None if case.payment is None else Status(case.payment.status)
        offered = [(way.value, WAY_WORDS[way.value]) for way in ways_of(case, status)]
        self.fields["way"].choices = offered  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["way"].initial = offered[0][0]


@staff_page(SEE_CASES)
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """What somebody has to look into, the newest first."""
    view = request.GET.get("view") or "open"
    if view not in CASE_VIEWS:
        raise Http404
    before = uuid_or_404(request.GET.get("before"))
    found = cases_in(view=view, user_id=me(request).pk, before=before)
    page = found[:CASES_SHOWN]
    return shown(
        request,
        "backoffice/cases.html",
        title="Cases",
        rows=[(one, CASE_WORDS.get(one.kind, one.kind), _name(one)) for one in page],
        view=view,
        is_first_page=before is None,
        older=page[-1].pk if len(found) > CASES_SHOWN else None,
    )


@staff_page(SEE_CASES)
@require_GET
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """What each side says, and what can be done."""
    return _page(request, _case_or_404(case_id))


@staff_page(RESOLVE_PAYMENT)
@require_POST
def take(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Make it one's own."""
    found = _case_or_404(case_id)
    try:
        take_case(found.pk, by=me(request))
    except CaseNotPermitted as refusal:
        raise PermissionDenied from refusal
    except CaseClosed:
        messages.error(request, _CLOSED)
    else:
        messages.success(request, "This case is yours now.")
    return _to(found)


@staff_page(RESOLVE_PAYMENT)
@require_POST
def close(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Propose how it ends; without money at stake it ends at once."""
    found = _case_or_404(case_id)
    form = ClosingForm(found, request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    reason = form.cleaned_data["reason"]
    try:
        if found.amount:
            _propose(request, found, form.cleaned_data["way"], reason)
            messages.success(request, "Proposed. Nothing is booked until somebody else has agreed.")
        else:
            close_case(found.pk, by=me(request), reason=reason)
            messages.success(request, "Closed.")
    except CaseNotPermitted as refusal:
        raise PermissionDenied from refusal
    except CaseRefused:
        messages.error(request, _CLOSED)
    except NotAChange as refusal:
        messages.error(request, str(refusal))
    return _to(found)


def _propose(request: HttpRequest, found: Case, way: str, reason: str) -> None:
    proposal = Proposal(
        kind=CLOSING, partner_id=found.partner_id, subject=str(found.pk), after={"way": way}
    )
    propose_change(proposal, by=me(request), reason=reason)


def _page(request: HttpRequest, found: Case, form: ClosingForm | None = None) -> HttpResponse:
    is_open = found.state == CaseState.OPEN
    proposals = proposals_for(me(request), list(closings_of(found)), at=timezone.now())
    waits = any(one.is_waiting for one in proposals)
    may_work = is_open and request.user.has_perm(RESOLVE_PAYMENT)
    return shown(
        request,
        "backoffice/case.html",
        title=found.title,
        case=found,
        kind=CASE_WORDS.get(found.kind, found.kind),
        ours=_side(found.ours),
        theirs=_side(found.theirs),
        answer=pretty(found.theirs["answer"]) if found.theirs.get("answer") else "",
        owner=_name(found),
        closer="" if found.closed_by is None else name_of(found.closed_by),
        way=WAY_WORDS.get(found.way, ""),
        proposals=proposals,
        settlement=_settlement_of(found),
        form=(form or ClosingForm(found)) if may_work and not waits else None,
        may_take=may_work and found.owner_id != me(request).pk,
        is_open=is_open,
        hint=HINT_WORDS.get(found.theirs.get("says", "")) or HINT_WORDS.get(found.kind, ""),
        may_come_back=_may_come_back(found),
        was_corrected=may_work and was_corrected(found),
    )


def _settlement_of(found: Case) -> SettlementFile | None:
    """The network's file that the case comes from; None if it does from something else."""
    reference = found.theirs.get("file")
    if not reference:
        return None
    files = SettlementFile.objects.filter(network=found.theirs.get("network"), reference=reference)
    return files.only("reference").order_by("-pk").first()


def _may_come_back(found: Case) -> bool:
    status = None if found.payment is None else Status(found.payment.status)
    return found.kind == CaseKind.RETURN_DIFFERS and status is Status.COMPLETED


def _side(says: dict[str, Any]) -> list[tuple[str, str]]:
    """What a side says, in the order in which people ask; the database keeps none."""
    told = [
        name
        for name, value in says.items()
        if value not in (None, "", {}) and name not in _SHOWN_APART
    ]
    return [
        (SIDE_WORDS.get(name, name.replace("_", " ").capitalize()), _said(name, says[name]))
        for name in sorted(told, key=lambda name: _PLACES.get(name, len(_PLACES)))
    ]


def _said(name: str, value: Any) -> str:
    text = str(value)
    if name in _OF_OURS:
        return text.replace("_", " ")
    if name in _DOLLARS and _MONEY.fullmatch(text):
        return f"${Decimal(text):,.2f}".replace("$-", "-$")
    if name in _DAYS and _DAY.fullmatch(text):
        return f"{date.fromisoformat(text):%d %b %Y}"
    return text


def _name(found: Case) -> str:
    return "" if found.owner is None else name_of(found.owner)


def _case_or_404(case_id: UUID) -> Case:
    rows = Case.objects.select_related("payment", "partner", "owner", "closed_by")
    found = rows.filter(pk=case_id).first()
    if found is None:
        raise Http404
    return found


def _to(found: Case) -> HttpResponse:
    return HttpResponseRedirect(reverse("backoffice:case", args=[found.pk]))
