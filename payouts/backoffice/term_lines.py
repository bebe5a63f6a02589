"""The terms of a partner as pages show them: fees by time, limits, rules. Reads, and words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from consumers.models import Partner
from payouts.approvals import Approver
from payouts.backoffice.change_words import age_words
from payouts.backoffice.rule_reach import too_few_words
from payouts.backoffice.words import LIMIT_WORDS, SOURCE_WORDS, people_words, share_words
from payouts.deciding.approvers import permitted_approvers
from payouts.limits import Scope
from payouts.models import ApprovalRule, FeeSchedule, Limit

_PAST_SHOWN: Final = 3


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
    """What a limit is about, in words, and how it is set; None where it is not."""

    scope: str
    words: str
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class RuleLine:
    """When a rule asks for whom, in words; `too_few` says that there are not so many."""

    row: ApprovalRule
    when: str
    needs: str
    too_few: str


def schedules_of(row: Partner, *, at: datetime) -> list[ScheduleLine]:
    """Newest first: those to come, the one that holds, and a few before it."""
    begun = FeeSchedule.objects.filter(partner=row, valid_from__lte=at).order_by("-valid_from")
    past = list(begun[: _PAST_SHOWN + 1])
    later = FeeSchedule.objects.filter(partner=row, valid_from__gt=at).order_by("-valid_from")
    lines = [ScheduleLine(one, is_later=True) for one in later[:20]]
    return lines + [ScheduleLine(one, is_now=place == 0) for place, one in enumerate(past)]


def limits_of(row: Partner) -> list[LimitLine]:
    """Every limit that there can be, also those that are not set."""
    kept = {limit.scope: limit for limit in Limit.objects.filter(partner=row)}
    return [LimitLine(scope.value, LIMIT_WORDS[scope], kept.get(scope.value)) for scope in Scope]


def rules_where(condition: Q) -> Any:
    """The rules of approval, those that hold first; a hundred at the most."""
    rows = ApprovalRule.objects.filter(condition).select_related("group", "partner")
    return rows.order_by("-is_active", "name")[:100]


def rule_lines(rules: Iterable[ApprovalRule]) -> list[RuleLine]:
    """The rules in words. One statement, to see who may approve."""
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
