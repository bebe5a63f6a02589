"""Deciding what became of a push or how a case ends, and taking one's own proposal back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from consumers.admin.base import label
from payouts.backoffice.change_words import CHANGE_BAR_WORDS, STATE_TONES, ended_words
from payouts.backoffice.changes import DecisionForm, proof_of_decision
from payouts.backoffice.doubt_words import (
    VERDICT_MEANS,
    VERDICT_WORDS,
    WAY_WORDS,
    page_of_resolution,
)
from payouts.backoffice.pages import me, staff_page
from payouts.changes import ChangeBar, bar_to_deciding_change, who_can_decide_change
from payouts.deciding.approvers import name_of
from payouts.deciding.checkers import change_matter, checker_of, permitted_checkers
from payouts.models import ChangeRequest
from payouts.models.changes import CLOSING
from payouts.operations.changes import (
    ChangeDecisionRefused,
    approve_change,
    reject_change,
    withdraw_change,
)
from payouts.operations.resolve_unknown import resolve_unknown
from payouts.staff import RESOLVE_PAYMENT

_PERMISSIONS: Final = frozenset({RESOLVE_PAYMENT})


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal as a page shows it, and as the one who looks stands to it."""

    change: ChangeRequest
    says: str
    means: str
    state: SafeString
    proposer: str
    ended: str
    seen: str
    is_waiting: bool
    is_own: bool
    bar: str
    could: str


def proposals_for(person: User, changes: list[ChangeRequest], *, at: datetime) -> list[Proposal]:
    """What was proposed, for one who looks. One statement if something waits."""
    return [_proposal(person, change, at) for change in changes]


@staff_page(RESOLVE_PAYMENT)
@require_POST
def decide(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Approve, and so do it; or reject."""
    change, form = _change_or_404(change_id), DecisionForm(request.POST)
    if not form.is_valid():
        problems = [str(one) for some in form.errors.values() for one in some]
        messages.error(request, " ".join(problems))
        return HttpResponseRedirect(page_of_resolution(change))
    proof = proof_of_decision(request, change, form)
    if isinstance(proof, HttpResponse):
        return proof
    is_yes = form.cleaned_data["verdict"] == "approve"
    yes = approve_change if change.kind == CLOSING else resolve_unknown
    act = yes if is_yes else reject_change
    try:
        act(
            change.pk,
            by=me(request),
            digest=bytes.fromhex(form.cleaned_data["seen"]),
            reason=form.cleaned_data["reason"],
            proof=proof,
        )
    except ChangeDecisionRefused as refusal:
        return _refused(request, change, refusal)
    messages.success(request, "Decided and booked." if is_yes else "Rejected. Nothing has changed.")
    return HttpResponseRedirect(page_of_resolution(change))


@staff_page(RESOLVE_PAYMENT)
@require_POST
def withdraw(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Take one's own proposal back."""
    change = _change_or_404(change_id)
    try:
        withdraw_change(change.pk, by=me(request))
    except ChangeDecisionRefused as refusal:
        return _refused(request, change, refusal)
    messages.success(request, "Taken back. Nothing has changed.")
    return HttpResponseRedirect(page_of_resolution(change))


def _refused(
    request: HttpRequest, change: ChangeRequest, refusal: ChangeDecisionRefused
) -> HttpResponse:
    if refusal.bar is ChangeBar.NOT_PERMITTED:
        raise PermissionDenied from refusal
    said = str(refusal) if refusal.bar is ChangeBar.IMPOSSIBLE else ""
    messages.error(request, said or _BAR_WORDS.get(refusal.bar, CHANGE_BAR_WORDS[refusal.bar]))
    return HttpResponseRedirect(page_of_resolution(change))


_BAR_WORDS: Final = {
    ChangeBar.CONCERNED: "You issued this push, so somebody else has to decide about it.",
    ChangeBar.OUTDATED: "This is not as it was any more: the network has answered, or it was sent "
    "again. Look at what stands here now.",
    ChangeBar.NOT_WAITING: "This does not wait for a decision any more.",
}


def _change_or_404(change_id: UUID) -> ChangeRequest:
    change = ChangeRequest.objects.filter(pk=change_id).first()
    if change is None or not page_of_resolution(change):
        raise Http404
    return change


def _proposal(person: User, change: ChangeRequest, at: datetime) -> Proposal:
    matter = change_matter(change, at=at)
    bar = bar_to_deciding_change(checker_of(person, _PERMISSIONS), matter)
    could = (
        who_can_decide_change(matter, permitted_checkers(_PERMISSIONS)) if matter.is_waiting else []
    )
    verdict = change.after.get("verdict", "")
    way = change.after.get("way", "")
    return Proposal(
        change=change,
        says=VERDICT_WORDS.get(verdict) or WAY_WORDS.get(way, ""),
        means=VERDICT_MEANS.get(verdict, ""),
        state=label(change.state, STATE_TONES),
        proposer=name_of(change.proposed_by),
        ended=ended_words(change),
        seen=bytes(change.digest).hex(),
        is_waiting=matter.is_waiting,
        is_own=change.proposed_by_id == person.pk,
        bar="" if bar is None else _BAR_WORDS.get(bar, CHANGE_BAR_WORDS[bar]),
        could=", ".join(one.name for one in could[:5]),
    )
