"""Settings: every partner, all terms of one on one page, and what a push would cost and need there.

Nothing is changed here: each button leads to a proposal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from consumers.admin.zone import in_zone, viewer_zone
from consumers.models import APIClient, Partner
from consumers.search import partners_called
from payouts.approvals import (
    Approver,
    Circumstances,
    Matter,
    Rule,
    Source,
    people_needed,
    progress,
    requirements,
    who_can_decide,
)
from payouts.backoffice.change_words import age_words
from payouts.backoffice.fields import AmountField, LongText, NoteField, ShortText
from payouts.backoffice.pages import me, shown, staff_page
from payouts.backoffice.rule_reach import too_few_words
from payouts.backoffice.words import (
    SCOPE_WORDS,
    SOURCE_WORDS,
    fees_words,
    people_words,
    rule_words,
    share_words,
)
from payouts.deciding.approvers import permitted_approvers
from payouts.deciding.checkers import waiting_changes
from payouts.fees import FREE, fee_for
from payouts.fees import FeeSchedule as Fees
from payouts.limits import Scope
from payouts.models import ApprovalRule, FeeSchedule, Limit, WebhookEndpoint
from payouts.operations.change_kinds import KINDS
from payouts.operations.change_kinds.terms import fees_in
from payouts.operations.partners import switch_off_partner
from payouts.operations.webhook_endpoints import webhooks_of
from payouts.queries import partner_balance

SEE: Final = "payouts.view_feeschedule"
PARTNERS_SHOWN: Final = 25
_PAST_SHOWN: Final = 3
_YES_NO: Final = (("no", "No"), ("yes", "Yes"))


def _beginning(words: str) -> str:
    """The words as a line begins, with what is written in capitals left alone."""
    return words[:1].upper() + words[1:]


class TryForm(forms.Form):
    """A push that nobody makes: what would it cost, and what would it need?"""

    amount = AmountField(
        widget=ShortText(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        label="A push of US dollars",
        error_messages={"required": "Say how much."},
    )
    source = forms.ChoiceField(
        choices=[(s.value, _beginning(SOURCE_WORDS[s.value])) for s in Source],
        widget=forms.Select(attrs={"class": "po-input"}), label="Asked for",
    )  # fmt: skip
    first = forms.ChoiceField(
        choices=_YES_NO, widget=forms.Select(attrs={"class": "po-input"}),
        label="The card's first push",
    )  # fmt: skip
    age = forms.IntegerField(
        min_value=0, max_value=36500, label="The card was added, days ago",
        widget=ShortText(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    twin = forms.ChoiceField(
        choices=_YES_NO, widget=forms.Select(attrs={"class": "po-input"}),
        label="May be a duplicate",
    )  # fmt: skip


class StopForm(forms.Form):
    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 2}),
        error_messages={"required": "Say why."},
    )


@dataclass(frozen=True, slots=True)
class Price:
    """What the push would cost, in dollars, when, and how that is worked out."""

    when: str
    of: str
    fee: Decimal
    total: Decimal
    address: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """One reason why the push would wait, how many people of whom, and who that could be."""

    why: str
    people: str
    names: str
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Trial:
    amount: Decimal
    prices: list[Price]
    needs: list[Need]
    people: int
    too_much: str


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A schedule: the one that holds, one to come, or (neither) one of before."""

    row: FeeSchedule
    is_now: bool = False
    is_later: bool = False

    @property
    def share(self) -> str:
        """Of the amount, as a percentage."""
        return share_words(self.row.basis_points)


@dataclass(frozen=True, slots=True)
class LimitLine:
    scope: str
    words: str
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class RuleLine:
    row: ApprovalRule
    when: str
    needs: str
    too_few: str


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
        rules=_rule_lines(_rules(Q(partner=None))),
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
    schedules, limits = _schedules(row, at), _limits(row)
    rules = list(_rules(Q(partner=None) | Q(partner=row)))
    trial = None
    if asked and form.is_valid():
        trial = _trial(row, form.cleaned_data, schedules=schedules, limits=limits, rules=rules)
    return shown(
        request,
        "backoffice/partner_settings.html",
        title=row.name,
        partner=row,
        balance=partner_balance(row.pk),
        schedules=schedules,
        limits=limits,
        rules=_rule_lines(rules),
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


def _trial(
    row: Partner,
    push: dict[str, Any],
    *,
    schedules: list[ScheduleLine],
    limits: list[LimitLine],
    rules: list[ApprovalRule],
) -> Trial:
    amount = push["amount"]
    required = requirements(
        Circumstances(
            amount=amount,
            source=Source(push["source"]),
            is_first_push_to_card=push["first"] == "yes",
            card_age=timedelta(days=push["age"]),
            is_possible_duplicate=push["twin"] == "yes",
        ),
        rules=[_as_rule(rule) for rule in rules if rule.is_active],
    )
    everybody = who_can_decide(Matter(is_waiting=True, maker_id=None), permitted_approvers())
    groups = {rule.group_id: rule.group.name for rule in rules if rule.group is not None}
    needs = []
    for one in progress(required, approved_by=(), can_decide=everybody):
        asked = one.requirement
        fits = [
            person.name
            for person in everybody
            if asked.group_id is None or asked.group_id in person.group_ids
        ]
        of_group = None if asked.group_id is None else groups[asked.group_id]
        people = people_words(asked.decisions, of_group)
        needs.append(Need(rule_words(asked.name), people, ", ".join(fits[:4]), one.is_blocked))
    push_limit = next(line.limit for line in limits if line.scope == Scope.PUSH)
    over = push_limit is not None and push_limit.max_amount is not None
    too_much = ""
    if over and push_limit is not None and (push_limit.max_amount or 0) < amount:
        too_much = f"It would be refused: one push may be ${push_limit.max_amount:,.2f} at most."
    return Trial(amount, _prices(row, amount, schedules), needs, people_needed(required), too_much)


def _prices(row: Partner, amount: Decimal, schedules: list[ScheduleLine]) -> list[Price]:
    current = next((line.row for line in schedules if line.is_now), None)
    prices = [_price("Today", amount, FREE if current is None else _fees(current))]
    for line in reversed(schedules):
        if line.is_later:
            begins = in_zone(line.row.valid_from, zone=viewer_zone()).strftime("%d %b %Y, %H:%M")
            prices.append(_price(f"From {begins}", amount, _fees(line.row)))
    proposed = waiting_changes(at=timezone.now()).filter(partner=row, kind="fee_schedule")
    for change in proposed.order_by("pk")[:5]:
        address = reverse("backoffice:change", args=[change.pk])
        prices.append(_price("As proposed", amount, fees_in(change.after), address))
    return prices


def _price(when: str, amount: Decimal, fees: Fees, address: str = "") -> Price:
    fee = fee_for(amount, schedule=fees)
    return Price(when, fees_words(fees), fee, amount + fee, address)


def _fees(row: FeeSchedule) -> Fees:
    return Fees(row.fixed, row.basis_points, row.minimum, row.maximum)


def _schedules(row: Partner, at: datetime) -> list[ScheduleLine]:
    """Newest first: those to come, the one that holds, and a few before it."""
    begun = FeeSchedule.objects.filter(partner=row, valid_from__lte=at).order_by("-valid_from")
    past = list(begun[: _PAST_SHOWN + 1])
    later = FeeSchedule.objects.filter(partner=row, valid_from__gt=at).order_by("-valid_from")
    lines = [ScheduleLine(one, is_later=True) for one in later[:20]]
    return lines + [ScheduleLine(one, is_now=place == 0) for place, one in enumerate(past)]


def _limits(row: Partner) -> list[LimitLine]:
    kept = {limit.scope: limit for limit in Limit.objects.filter(partner=row)}
    words = {
        Scope.PUSH: "One push",
        Scope.CARD_DAY: "One card, one day",
        Scope.CONSUMER_DAY: "One consumer, one day",
        Scope.PARTNER_DAY: "The partner, one day",
    }
    assert set(words) == set(SCOPE_WORDS)
    return [LimitLine(scope.value, words[scope], kept.get(scope.value)) for scope in Scope]


def _rules(condition: Q) -> Any:
    rows = ApprovalRule.objects.filter(condition).select_related("group", "partner")
    return rows.order_by("-is_active", "name")[:100]


def _rule_lines(rules: Iterable[ApprovalRule]) -> list[RuleLine]:
    people = permitted_approvers()
    return [_rule_line(row, people) for row in rules]


def _rule_line(row: ApprovalRule, people: list[Approver]) -> RuleLine:
    conditions = [
        "" if row.amount_at_least is None else f"${row.amount_at_least:,.2f} or more",
        SOURCE_WORDS[row.source] if row.source else "",
        {None: "", True: "first push to the card", False: "not the first push to the card"}[
            row.first_push_to_card
        ],
        ""
        if row.card_younger_than is None
        else f"card younger than {age_words(int(row.card_younger_than.total_seconds()))}",
        {None: "", True: "possible duplicate", False: "no possible duplicate"}[
            row.possible_duplicate
        ],
    ]
    when = ", ".join(filter(None, conditions)) or "always"
    group = None if row.group is None else row.group.name
    asked = [one for one in people if row.group_id is None or row.group_id in one.group_ids]
    too_few = too_few_words(row.decisions, group, asked) if row.is_active else ""
    return RuleLine(row, when, people_words(row.decisions, group), too_few)


def _as_rule(row: ApprovalRule) -> Rule:
    return Rule(
        name=row.name,
        decisions=row.decisions,
        group_id=row.group_id,
        amount_at_least=row.amount_at_least,
        source=Source(row.source) if row.source else None,
        first_push_to_card=row.first_push_to_card,
        card_younger_than=row.card_younger_than,
        possible_duplicate=row.possible_duplicate,
    )


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
