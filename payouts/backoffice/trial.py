"""A push that nobody makes: what would it cost under a partner's terms, and what would it need?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django import forms
from django.urls import reverse
from django.utils import timezone

from consumers.admin.zone import in_zone, viewer_zone
from consumers.models import Partner
from payouts.approvals import (
    Circumstances,
    Matter,
    Requirement,
    Rule,
    Source,
    people_needed,
    requirements,
    who_can_decide,
)
from payouts.backoffice.approval_lines import ApprovalLine, approval_lines
from payouts.backoffice.fields import AmountField, ShortText
from payouts.backoffice.term_lines import LimitLine, ScheduleLine
from payouts.backoffice.words import SOURCE_WORDS, fees_words
from payouts.deciding.approvers import permitted_approvers
from payouts.deciding.checkers import waiting_changes
from payouts.fees import FREE, fee_for
from payouts.fees import FeeSchedule as Fees
from payouts.limits import Scope
from payouts.models import ApprovalRule, FeeSchedule
from payouts.operations.change_kinds.terms import fees_in

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


class PartnerTerms(NamedTuple):
    """What holds for a partner, as its page has read it."""

    schedules: Sequence[ScheduleLine]
    limits: Sequence[LimitLine]
    rules: Sequence[ApprovalRule]


@dataclass(frozen=True, slots=True)
class Price:
    """What the push would cost, in dollars, when, and how that is worked out."""

    when: str
    of: str
    fee: Decimal
    total: Decimal
    address: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a push of `amount` dollars would cost and need; `too_much` if it would be refused."""

    amount: Decimal
    prices: list[Price]
    needs: list[ApprovalLine]
    people: int
    too_much: str


def trial_of(row: Partner, push: dict[str, Any], *, terms: PartnerTerms) -> Trial:
    """Try a push as `TryForm` has read it. Changes nothing."""
    amount = push["amount"]
    required = _required(push, terms.rules)
    everybody = who_can_decide(Matter(is_waiting=True, maker_id=None), permitted_approvers())
    groups = {rule.group_id: rule.group.name for rule in terms.rules if rule.group is not None}
    return Trial(
        amount=amount,
        prices=_prices(row, amount, terms.schedules),
        needs=approval_lines(required, could=everybody, groups=groups),
        people=people_needed(required),
        too_much=_too_much(amount, terms.limits),
    )


def _required(push: dict[str, Any], rules: Sequence[ApprovalRule]) -> tuple[Requirement, ...]:
    circumstances = Circumstances(
        amount=push["amount"],
        source=Source(push["source"]),
        is_first_push_to_card=push["first"] == "yes",
        card_age=timedelta(days=push["age"]),
        is_possible_duplicate=push["twin"] == "yes",
    )
    holding = [_as_rule(rule) for rule in rules if rule.is_active]
    return tuple(requirements(circumstances, rules=holding))


def _too_much(amount: Decimal, limits: Sequence[LimitLine]) -> str:
    limit = next(line.limit for line in limits if line.scope == Scope.PUSH)
    most = None if limit is None else limit.max_amount
    if most is None or amount <= most:
        return ""
    return f"It would be refused: one push may be ${most:,.2f} at most."


def _prices(row: Partner, amount: Decimal, schedules: Sequence[ScheduleLine]) -> list[Price]:
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
