"""Settings: every partner, all terms of one on one page, and what a push would cost and need there.

Nothing is changed here but by stopping a partner, which one person may do. Every other button leads
to a proposal.
"""

from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from consumers.models import APIClient, Partner
from consumers.search import partners_called
from payouts.backoffice.fields import LongText, NoteField
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.term_lines import limits_of, rule_lines, rules_where, schedules_of
from payouts.backoffice.trial import PartnerTerms, TryForm, trial_of
from payouts.deciding.checkers import waiting_changes
from payouts.models import WebhookEndpoint
from payouts.operations.change_kinds import KINDS
from payouts.operations.partners import switch_off_partner
from payouts.operations.webhook_endpoints import webhooks_of
from payouts.queries import partner_balance

SEE: Final = "payouts.view_feeschedule"
PARTNERS_SHOWN: Final = 25


class StopForm(forms.Form):
    """Why a partner is stopped."""

    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 2}),
        error_messages={"required": "Say why."},
    )


@staff_page(SEE)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Partners by name, and the ways to what belongs to no single one."""
    text = request.GET.get("q", "").strip().replace("\0", "")
    after = request.GET.get("after", "").replace("\0", "")
    found = partners_called(text) if text else Partner.objects.all()
    found = found.filter(name__gt=after) if after else found
    partners = list(found.order_by("name")[: PARTNERS_SHOWN + 1])
    return shown(
        request,
        "backoffice/settings.html",
        title="Settings",
        partners=partners[:PARTNERS_SHOWN],
        later=partners[PARTNERS_SHOWN - 1].name if len(partners) > PARTNERS_SHOWN else "",
        is_later=bool(after),
        text=text,
        rules=rule_lines(rules_where(Q(partner=None))),
        waiting=waiting_changes(at=timezone.now()).count(),
        may=_may(request),
    )


@staff_page(SEE)
@require_GET
def partner(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """All terms of one partner; and what a push that is filled in would cost and need."""
    row, at = _partner_or_404(partner_id), timezone.now()
    asked = "amount" in request.GET
    initial = {"amount": "250.00", "age": 30}
    form = TryForm(request.GET if asked else None, initial=initial)
    schedules, limits = schedules_of(row, at=at), limits_of(row)
    rules = list(rules_where(Q(partner=None) | Q(partner=row)))
    trial = None
    if asked and form.is_valid():
        terms = PartnerTerms(schedules, limits, rules)
        trial = trial_of(row, form.cleaned_data, terms=terms)
    return shown(
        request,
        "backoffice/partner_settings.html",
        title=row.name,
        partner=row,
        balance=partner_balance(row.pk),
        schedules=schedules,
        limits=limits,
        rules=rule_lines(rules),
        clients=_clients(row) if request.user.has_perm("consumers.view_apiclient") else None,
        webhooks=_webhooks(row) if request.user.has_perm("payouts.view_webhookendpoint") else None,
        waiting=waiting_changes(at=at).filter(partner=row).order_by("pk")[:20],
        form=form,
        trial=trial,
        stop=StopForm(),
        may=_may(request),
    )


@staff_page("consumers.change_partner")
@require_POST
def switch_off(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """Stop a partner at once; one person may."""
    row, form = _partner_or_404(partner_id), StopForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say why. Nothing has changed.")
    else:
        switch_off_partner(row, reason=form.cleaned_data["reason"])
        messages.success(request, f"{row.name} is switched off.")
    return HttpResponseRedirect(reverse("backoffice:partner_settings", args=[row.pk]))


def _webhooks(row: Partner) -> list[WebhookEndpoint]:
    return list(webhooks_of(row.pk))


def _clients(row: Partner) -> list[APIClient]:
    return list(APIClient.objects.filter(partner=row).order_by("disabled_at", "-pk")[:50])


def _may(request: HttpRequest) -> dict[str, bool]:
    """What this person may propose, by the kind's name."""
    person = me(request)
    return {kind.name: person.has_perm(kind.proposes) for kind in KINDS.values()}


def _partner_or_404(partner_id: UUID) -> Partner:
    row = Partner.objects.filter(pk=partner_id).first()
    if row is None:
        raise Http404
    return row
