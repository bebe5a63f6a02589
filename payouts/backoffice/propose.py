"""Proposing a change of settings: a form of its kind, and what it is answered with."""

from collections.abc import Mapping
from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from payouts.backoffice.addresses import uuid_or_404
from payouts.backoffice.change_words import KIND_WORDS
from payouts.backoffice.changes import to_change
from payouts.backoffice.fee_trial import fee_trial
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.setting_forms import BLANK, FORMS, FeeForm
from payouts.backoffice.words import LIMIT_WORDS
from payouts.deciding.checkers import has_a_second_person
from payouts.models import ChangeRequest
from payouts.operations.change_kinds import KINDS, NotAChange, Target
from payouts.operations.changes import Proposal, propose_change
from payouts.staff import SEE_CHANGES

_PROPOSED: Final = "Proposed. Nothing has changed yet: somebody else has to approve it."
_DONE_ALONE: Final = "Done at once, because there was nobody who could check it."
_NOT_ALONE_ANY_MORE: Final = " From now on there is: changes of staff need a second person."


@staff_page(SEE_CHANGES)
def propose(request: HttpRequest, kind_name: str) -> HttpResponse:
    """Ask what should be, and why; then store it for somebody else to decide about."""
    kind, form_class = KINDS.get(kind_name), FORMS.get(kind_name)
    if kind is None or form_class is None:
        raise Http404
    if not request.user.has_perm(kind.proposes):
        raise PermissionDenied
    target = Target(uuid_or_404(request.GET.get("partner")), request.GET.get("subject", ""))
    try:
        now = kind.now(target, BLANK.get(kind_name, {}))
        partner = None if target.partner_id is None else target.partner
    except (NotAChange, ValueError):
        raise Http404 from None
    form = form_class(request.POST or None, initial=form_class.initial_of(now))
    if request.method == "POST" and form.is_valid():
        wish = Proposal(
            kind=kind_name,
            partner_id=target.partner_id,
            subject=target.subject,
            after=form.after(),
        )
        try:
            change = propose_change(wish, by=me(request), reason=form.cleaned_data["reason"])
        except NotAChange as refusal:
            _add_problems(form, refusal.problems)
        else:
            messages.success(request, _done_words(change, me(request)))
            return to_change(change)
    return shown(
        request, "backoffice/propose.html", title=f"Propose: {KIND_WORDS[kind_name]}",
        form=form, partner=partner, limit=LIMIT_WORDS.get(target.subject, ""),
        kind=kind_name, trial=fee_trial(form, now) if isinstance(form, FeeForm) else None,
        is_alone=kind.bootstraps and not has_a_second_person(me(request), kind.decides),
    )  # fmt: skip


def _done_words(change: ChangeRequest, proposer: User) -> str:
    if not change.is_alone:
        return _PROPOSED
    is_alone = not has_a_second_person(proposer, KINDS[change.kind].decides)
    return _DONE_ALONE if is_alone else _DONE_ALONE + _NOT_ALONE_ANY_MORE


def _add_problems(form: forms.Form, problems: Mapping[str, list[str]]) -> None:
    for name, sentences in problems.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
