"""Changes of the terms that pushes go out under: fees, limits, approval rules."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.utils import timezone

from payouts.changes import Contents
from payouts.fees import FeeSchedule as Fees
from payouts.limits import Limit as Bounds
from payouts.limits import Scope
from payouts.models import ApprovalRule, ChangeRequest, FeeSchedule, Limit
from payouts.money import LARGEST_PUSH
from payouts.operations.change_kinds.base import (
    Kind,
    NotAChange,
    Target,
    decimal,
    dollars,
    instant,
    instant_of,
    valid,
)
from payouts.operations.terms import RuleTerms, set_approval_rule, set_fee_schedule, set_limit

_BEYOND_ANY_PUSH: Final = f"No push is above ${LARGEST_PUSH:,}, so this would never do anything."


class FeeScheduleKind(Kind):
    """What pushes of a partner cost from an instant on; without one, from the approval on.

    Compared is what holds until then: fees that another schedule has changed are looked at anew.
    """

    name = "fee_schedule"
    proposes = "payouts.add_feeschedule"

    def now(self, target: Target, after: Contents) -> Contents:
        at = max(instant_of(after["valid_from"]) or timezone.now(), timezone.now())
        rows = FeeSchedule.objects.filter(**target.of_partner, valid_from__lte=at)
        row = rows.order_by("-valid_from").first()
        return {} if row is None else {"valid_from": instant(row.valid_from), **_fees_of(row)}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        begins = after["valid_from"]
        if begins is not None and begins <= timezone.now():
            raise NotAChange({"valid_from": ["Leave it empty to begin with the approval."]})
        if after["maximum"] is not None and after["maximum"] < after["minimum"]:
            raise NotAChange({"maximum": ["Must not be below what is charged at least."]})
        row = FeeSchedule(partner=target.partner, **{**after, "valid_from": timezone.now()})
        valid(row)
        contents = {"valid_from": instant(begins), **_fees_of(row)}
        if _without_begin(self.now(target, contents)) == _without_begin(contents):
            raise NotAChange("Pushes cost exactly this already.")
        return contents

    def label(self, target: Target, after: Contents) -> str:
        return f"Fees of {target.partner.name}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        at, target = timezone.now(), Target(change.partner_id, change.subject)
        wished = instant_of(change.after["valid_from"])
        # A day that has passed while it waited is no reason to change what was charged that day.
        begins = wished if wished is not None and wished > at else at
        fees = fees_in(change.after)
        return str(set_fee_schedule(target.partner, fees, begins=begins).pk)


def fees_in(contents: Contents) -> Fees:
    """The schedule that contents of this kind state; empty contents are free of charge."""
    if not contents:
        return Fees()
    minimum, fixed = decimal(contents["minimum"]), decimal(contents["fixed"])
    assert minimum is not None
    assert fixed is not None
    return Fees(fixed, contents["basis_points"], minimum, decimal(contents["maximum"]))


class LimitKind(Kind):
    """An upper bound within one scope (the subject); empty contents take it away."""

    name = "limit"
    proposes = "payouts.change_limit"

    def now(self, target: Target, after: Contents) -> Contents:
        row = _limit(target)
        return {} if row is None else _bounds_of(row)

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        if target.subject not in list(Scope):
            raise NotAChange("There is no such limit.")
        if all(value is None for value in after.values()):
            return {}
        if after["max_amount"] is not None and after["max_amount"] < 0:
            raise NotAChange({"max_amount": ["Must not be below 0."]})
        if target.subject == Scope.PUSH and _is_beyond_any_push(after["max_amount"]):
            raise NotAChange({"max_amount": [_BEYOND_ANY_PUSH]})
        row = _limit(target) or Limit(partner=target.partner, scope=target.subject)
        row.max_amount, row.max_count = after["max_amount"], after["max_count"]
        valid(row)
        return _bounds_of(row)

    def label(self, target: Target, after: Contents) -> str:
        return f"Limit of {target.partner.name}: {target.subject.replace('_', ', one ')}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        target, after = Target(change.partner_id, change.subject), change.after
        amount = decimal(after.get("max_amount"))
        row = set_limit(
            target.partner, Bounds(Scope(target.subject), amount, after.get("max_count"))
        )
        return "" if row is None else str(row.pk)


class ApprovalRuleKind(Kind):
    """A rule; the subject is its key, empty for a new one. Rules are switched off, not deleted."""

    name = "approval_rule"
    proposes = "payouts.change_approvalrule"

    def now(self, target: Target, after: Contents) -> Contents:
        row = _rule(target)
        return {} if row is None else _rule_contents(row)

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        row = _rule(target)
        if target.subject and row is None:
            raise NotAChange("There is no such rule.")
        if _is_beyond_any_push(after["amount_at_least"]):
            raise NotAChange({"amount_at_least": [_BEYOND_ANY_PUSH]})
        row = row or ApprovalRule(partner=None if target.partner_id is None else target.partner)
        for name, value in after.items():
            setattr(row, name, value)
        valid(row)
        return _rule_contents(row)

    def label(self, target: Target, after: Contents) -> str:
        of_whom = "every partner" if target.partner_id is None else target.partner.name
        return f"Approval rule “{after['name']}” for {of_whom}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        target = Target(change.partner_id, change.subject)
        rule = _rule(target)
        terms = _rule_terms(change.after)
        unchecked = rule or ApprovalRule(partner_id=change.partner_id)
        for name, value in terms.items():
            setattr(unchecked, name, value)
        valid(unchecked)
        partner = None if change.partner_id is None else target.partner
        return str(set_approval_rule(_rule(target), partner=partner, terms=terms).pk)


def _fees_of(row: FeeSchedule) -> Contents:
    return {
        "fixed": dollars(row.fixed),
        "basis_points": row.basis_points,
        "minimum": dollars(row.minimum),
        "maximum": dollars(row.maximum),
    }


def _without_begin(contents: Contents) -> Contents:
    return {name: value for name, value in contents.items() if name != "valid_from"}


def _limit(target: Target) -> Limit | None:
    return Limit.objects.filter(**target.of_partner, scope=target.subject).first()


def _bounds_of(row: Limit) -> Contents:
    return {"max_amount": dollars(row.max_amount), "max_count": row.max_count}


def _rule(target: Target) -> ApprovalRule | None:
    if not target.subject.isdigit():
        return None
    rows = ApprovalRule.objects.filter(pk=int(target.subject), **target.of_partner)
    return rows.select_related("group").first()


def _rule_contents(row: ApprovalRule) -> Contents:
    age = row.card_younger_than
    return {
        "name": row.name,
        "is_active": row.is_active,
        "decisions": row.decisions,
        "group": None if row.group is None else row.group.name,
        "amount_at_least": dollars(row.amount_at_least),
        "source": row.source,
        "first_push_to_card": row.first_push_to_card,
        "card_younger_than": None if age is None else int(age.total_seconds()),
        "possible_duplicate": row.possible_duplicate,
    }


def _rule_terms(contents: Contents) -> RuleTerms:
    seconds, group = contents["card_younger_than"], contents["group"]
    named: Any = None if group is None else Group.objects.filter(name=group).first()
    if group is not None and named is None:
        raise NotAChange("The group of this rule is gone.")
    return {
        "name": contents["name"],
        "is_active": contents["is_active"],
        "decisions": contents["decisions"],
        "group": named,
        "amount_at_least": decimal(contents["amount_at_least"]),
        "source": contents["source"],
        "first_push_to_card": contents["first_push_to_card"],
        "card_younger_than": None if seconds is None else timedelta(seconds=seconds),
        "possible_duplicate": contents["possible_duplicate"],
    }


def _is_beyond_any_push(amount: Decimal | None) -> bool:
    return amount is not None and amount > LARGEST_PUSH
