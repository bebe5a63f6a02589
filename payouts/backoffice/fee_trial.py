"""Beside the form for fees: what pushes cost today, and what they would under what is typed."""

from typing import Final, NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from payouts.backoffice.change_words import Cost, costs
from payouts.backoffice.pages import staff_fragment
from payouts.backoffice.setting_forms import BLANK, FeeForm
from payouts.backoffice.words import fees_words, points_words
from payouts.changes import Contents
from payouts.operations.change_kinds import KINDS, NotAChange, Target
from payouts.operations.change_kinds.terms import fees_in

_KIND: Final = "fee_schedule"


class FeeTrial(NamedTuple):
    """`then` are the typed fees in words and `share` their share as both units; empty while what is
    typed is not understood, and `costs` have today's fees on both sides."""

    today: str
    then: str
    share: str
    costs: list[Cost]


def fee_trial(form: FeeForm, now: Contents) -> FeeTrial:
    """Compare what the form holds with the fees of `now`, contents of the kind of fees."""
    today, then = fees_in(now), form.fees()
    return FeeTrial(
        today=fees_words(today),
        then="" if then is None else fees_words(then),
        share="" if then is None else points_words(then.basis_points),
        costs=costs(today, today if then is None else then),
    )


@staff_fragment(KINDS[_KIND].proposes)
@require_GET
def trial(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """The part of the page that follows what is typed."""
    try:
        now = KINDS[_KIND].now(Target(partner_id, ""), BLANK[_KIND])
    except NotAChange:
        raise Http404 from None
    return render(
        request, "backoffice/fee_trial.html", {"trial": fee_trial(FeeForm(request.GET), now)}
    )
