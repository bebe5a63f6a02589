"""Changes that wait for a second person: lists, the page of one, deciding, fetching a secret."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from consumers.admin.base import label
from payouts.backoffice.addresses import uuid_or_404
from payouts.backoffice.change_words import (
    CHANGE_BAR_WORDS,
    KIND_WORDS,
    STATE_TONES,
    change_lines,
    costs,
    ended_words,
)
from payouts.backoffice.doubt_words import page_of_resolution
from payouts.backoffice.fields import LongText, NoteField
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.rule_reach import change_warning
from payouts.backoffice.signing import proof_or_question
from payouts.backoffice.step_up import fresh_second_factor
from payouts.changes import ChangeBar, Checker, bar_to_deciding_change, who_can_decide_change
from payouts.deciding.approvers import name_of
from payouts.deciding.checkers import (
    change_matter,
    changes_open_to,
    checker_of,
    permitted_checkers,
    waiting_changes,
)
from payouts.deciding.signatures import CHANGES, Proof
from payouts.models import ChangeRequest
from payouts.models.approvals import Verdict
from payouts.operations.change_kinds import KINDS, NotAChange, Target
from payouts.operations.change_kinds.terms import fees_in
from payouts.operations.change_secrets import NothingToCollect, can_collect, collect_secret
from payouts.operations.changes import (
    ChangeDecisionRefused,
    approve_change,
    reject_change,
    withdraw_change,
)
from payouts.operations.decide_many import Seen
from payouts.staff import SEE_CHANGES

ROWS_SHOWN: Final = 25
VIEWS: Final = ("mine", "own", "all")
_PEOPLE: Final = ("proposed_by", "decided_by", "partner", "concerns_user", "signature")


class DecisionForm(forms.Form):
    """Yes or no, why, and what was on the screen."""

    verdict = forms.ChoiceField(choices=[("approve", "approve"), ("reject", "reject")])
    seen = forms.RegexField("[0-9a-f]{64}", widget=forms.HiddenInput)
    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
        help_text="Stays with the change, and in the audit trail.",
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One change of a list. `blocked`: it waits, and nobody is left who may decide."""

    change: ChangeRequest
    kind: str
    state: SafeString
    proposer: str
    is_waiting: bool
    is_blocked: bool


@staff_page(SEE_CHANGES)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for the one who looks, what they proposed, or everything; newest first."""
    person = me(request)
    may_decide = bool(_decidable_kinds(person))
    view = request.GET.get("view") or ("mine" if may_decide else "all")
    if view not in VIEWS:
        raise Http404
    found = _listed(view, person)
    after = uuid_or_404(request.GET.get("after"))
    page = found if after is None else found.filter(pk__lt=after)
    rows = list(page.select_related(*_PEOPLE).order_by("-pk")[: ROWS_SHOWN + 1])
    return shown(
        request,
        "backoffice/changes.html",
        title="Changes",
        rows=_rows(rows[:ROWS_SHOWN]),
        later=rows[ROWS_SHOWN - 1].pk if len(rows) > ROWS_SHOWN else None,
        is_later=after is not None,
        view=view,
        may_decide=may_decide,
        mine_count=_listed("mine", person).count() if may_decide else 0,
    )


@staff_page(SEE_CHANGES)
@require_GET
def one(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """What would change, in words, and what this person can do about it."""
    change = _change_or_404(change_id)
    page = page_of_resolution(change)
    return HttpResponseRedirect(page) if page else _page(request, change, DecisionForm())


@staff_page(SEE_CHANGES)
@require_POST
def decide(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Approve, and so do it; or reject."""
    change, form = _change_or_404(change_id), DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, change, form)
    proof = proof_of_decision(request, change, form)
    if isinstance(proof, HttpResponse):
        return proof
    is_yes = form.cleaned_data["verdict"] == "approve"
    act = approve_change if is_yes else reject_change
    try:
        act(
            change.pk,
            by=me(request),
            digest=bytes.fromhex(form.cleaned_data["seen"]),
            reason=form.cleaned_data["reason"],
            proof=proof,
        )
    except ChangeDecisionRefused as refusal:
        if refusal.bar is ChangeBar.NOT_PERMITTED:
            raise PermissionDenied from refusal
        messages.error(request, CHANGE_BAR_WORDS[refusal.bar])
        return to_change(change)
    messages.success(request, "Approved and done." if is_yes else "Rejected. Nothing has changed.")
    return to_change(change)


def proof_of_decision(
    request: HttpRequest, change: ChangeRequest, form: DecisionForm
) -> Proof | HttpResponse:
    """What this POST shows for a decision about the change, or the page that asks for it."""
    return proof_or_question(
        request,
        seen=[Seen(change.pk, bytes.fromhex(form.cleaned_data["seen"]))],
        verdict=Verdict(form.cleaned_data["verdict"]),
        reason=form.cleaned_data["reason"],
        facts=lambda: [
            (KIND_WORDS.get(change.kind, change.kind), change.label),
            *(
                (line.name, f"{line.before} → {line.after}")
                for line in change_lines(change.before, change.after)
                if line.is_changed
            ),
        ],
        about=CHANGES,
        back=page_of_resolution(change) or reverse("backoffice:change", args=[change.pk]),
    )


@staff_page(SEE_CHANGES)
@require_POST
def withdraw(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Take one's own proposal back."""
    change = _change_or_404(change_id)
    try:
        withdraw_change(change.pk, by=me(request))
    except ChangeDecisionRefused as refusal:
        if refusal.bar is ChangeBar.NOT_PERMITTED:
            raise PermissionDenied from refusal
        messages.error(request, CHANGE_BAR_WORDS[refusal.bar])
        return to_change(change)
    messages.success(request, "Taken back. Nothing has changed.")
    return to_change(change)


@staff_page(SEE_CHANGES)
@require_POST
@fresh_second_factor
def collect(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """The one answer that holds the secret: no redirect, so that no cookie or session does."""
    change = _change_or_404(change_id)
    try:
        collected = collect_secret(change.pk, by=me(request))
    except NothingToCollect as refusal:
        messages.error(request, str(refusal))
        return to_change(change)
    return shown(
        request, "backoffice/secret.html", title="The secret, once", change=change,
        collected=collected,
    )  # fmt: skip


def _page(request: HttpRequest, change: ChangeRequest, form: DecisionForm) -> HttpResponse:
    kind, person, at = KINDS[change.kind], me(request), timezone.now()
    matter = change_matter(change, at=at)
    bar = bar_to_deciding_change(checker_of(person, kind.decides), matter)
    could = who_can_decide_change(matter, permitted_checkers(kind.decides))
    hindrance = _hindrance(change) if matter.is_waiting else ""
    return shown(
        request,
        "backoffice/change.html",
        title=change.label,
        change=change,
        kind=KIND_WORDS.get(change.kind, change.kind),
        state=label(change.state, STATE_TONES),
        lines=change_lines(change.before, change.after),
        costs=costs(fees_in(change.before), fees_in(change.after))
        if change.kind == "fee_schedule"
        else (),
        proposer=name_of(change.proposed_by),
        ended=ended_words(change),
        is_waiting=matter.is_waiting,
        is_blocked=matter.is_waiting and not could,
        could=", ".join(one.name for one in could[:5]),
        more=max(0, len(could) - 5),
        can_decide=bar is None,
        bar="" if bar is None else CHANGE_BAR_WORDS[bar],
        hindrance=hindrance,
        warning=change_warning(change) if matter.is_waiting else "",
        is_own=change.proposed_by_id == person.pk,
        can_collect=can_collect(change, person, at=at),
        form=form,
        seen=bytes(change.digest).hex(),
    )


def _hindrance(change: ChangeRequest) -> str:
    """Why it could not be approved as things are now, whoever would say yes."""
    if not change.proposed_by.is_active:
        return CHANGE_BAR_WORDS[ChangeBar.PROPOSER_GONE]
    try:
        now = KINDS[change.kind].now(Target(change.partner_id, change.subject), change.after)
    except NotAChange:
        return CHANGE_BAR_WORDS[ChangeBar.OUTDATED]
    return "" if now == change.before else CHANGE_BAR_WORDS[ChangeBar.OUTDATED]


def changes_open_to_me(person: User) -> int | None:
    """How many changes wait for this person's decision; None if deciding is not theirs.

    One statement, none if it is None.
    """
    if not (person.has_perm(SEE_CHANGES) and _decidable_kinds(person)):
        return None
    return _listed("mine", person).count()


def _listed(view: str, person: User) -> QuerySet[ChangeRequest]:
    if view == "own":
        return ChangeRequest.objects.filter(proposed_by=person)
    if view == "all":
        return ChangeRequest.objects.all()
    waiting = waiting_changes(at=timezone.now()).filter(kind__in=_decidable_kinds(person))
    return changes_open_to(person, waiting)


def _decidable_kinds(person: User) -> list[str]:
    return [kind.name for kind in KINDS.values() if person.has_perms(list(kind.decides))]


def _rows(changes: list[ChangeRequest]) -> list[Row]:
    at, checkers = timezone.now(), dict[frozenset[str], list[Checker]]()
    rows = []
    for change in changes:
        decides, matter = KINDS[change.kind].decides, change_matter(change, at=at)
        if matter.is_waiting and decides not in checkers:
            checkers[decides] = permitted_checkers(decides)
        could = who_can_decide_change(matter, checkers.get(decides, []))
        rows.append(
            Row(
                change=change,
                kind=KIND_WORDS.get(change.kind, change.kind),
                state=label(change.state, STATE_TONES),
                proposer=name_of(change.proposed_by),
                is_waiting=matter.is_waiting,
                is_blocked=matter.is_waiting and not could,
            )
        )
    return rows


def _change_or_404(change_id: UUID) -> ChangeRequest:
    change = ChangeRequest.objects.select_related(*_PEOPLE).filter(pk=change_id).first()
    if change is None or change.kind not in KINDS:
        raise Http404
    return change


def to_change(change: ChangeRequest) -> HttpResponse:
    """Lead to the page of the change."""
    return HttpResponseRedirect(reverse("backoffice:change", args=[change.pk]))
