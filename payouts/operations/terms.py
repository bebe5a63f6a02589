"""Sets the terms that pushes go out under: fee schedules, limits, approval rules.

Each is one deed with its entry in the audit trail. Who may do it, and that two people agreed to it,
is judged by whoever calls: `payouts.operations.changes` for staff.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, changed_fields, record_act, subject_of
from consumers.models import Partner
from payouts.fees import FeeSchedule as Fees
from payouts.limits import Limit as Bounds
from payouts.models import ApprovalRule, FeeSchedule, Limit


class ScheduleHasBegun(Exception):
    """A fee schedule that has begun is history and stays as it is; a new one can begin later."""


class RuleTerms(TypedDict):
    """When a rule matches and what it asks for; see `payouts.approvals.Rule`."""

    name: str
    is_active: bool
    decisions: int
    group: Group | None
    amount_at_least: Decimal | None
    source: str
    first_push_to_card: bool | None
    card_younger_than: timedelta | None
    possible_duplicate: NotRequired[bool | None]


def set_fee_schedule(partner: Partner, fees: Fees, *, begins: datetime) -> FeeSchedule:
    """Let these fees hold from `begins` on, in the place of a schedule that would begin then.

    Pushes that were accepted before keep their fee.

    :raises ScheduleHasBegun: a schedule has begun at that instant.
    """
    terms = {
        "fixed": fees.fixed,
        "basis_points": fees.basis_points,
        "minimum": fees.minimum,
        "maximum": fees.maximum,
    }
    with transaction.atomic():
        schedules = FeeSchedule.objects.select_for_update().filter(partner=partner)
        row = schedules.filter(valid_from=begins).first()
        if row is None:
            row = FeeSchedule.objects.create(partner=partner, valid_from=begins, **terms)
            after = {"valid_from": begins, **terms}
            record_act(Act(verb=Verb.ADD, subject=subject_of(row), after=after))
            return row
        if begins <= timezone.now():
            raise ScheduleHasBegun
        _change(row, terms)
    return row


def set_limit(partner: Partner, bounds: Bounds) -> Limit | None:
    """Bound the partner's pushes within one scope; without any bound the limit is taken away.

    Holds from the next push on. What was pushed today counts. Returns the limit, if one is left.
    """
    terms = {"max_amount": bounds.max_amount, "max_count": bounds.max_count}
    with transaction.atomic():
        rows = Limit.objects.select_for_update().filter(partner=partner, scope=bounds.scope)
        row = rows.first()
        if bounds.max_amount is None and bounds.max_count is None:
            if row is not None:
                record_act(Act(verb=Verb.DELETE, subject=_named(row), before=_bounds(row)))
                row.delete()
            return None
        if row is None:
            row = Limit.objects.create(partner=partner, scope=bounds.scope, **terms)
            record_act(Act(verb=Verb.ADD, subject=_named(row), after=terms))
            return row
        _change(row, terms)
    return row


def set_approval_rule(
    rule: ApprovalRule | None, *, partner: Partner | None, terms: RuleTerms
) -> ApprovalRule:
    """Make a rule, or change one: it holds for pushes that are accepted from now on.

    Pushes that wait already keep what was asked for them. `partner` None: for every partner; the
    partner of a rule that is there stays.
    """
    with transaction.atomic():
        if rule is not None:
            _change(rule, dict(terms))
            return rule
        row = ApprovalRule.objects.create(partner=partner, **terms)
        record_act(Act(verb=Verb.ADD, subject=subject_of(row), after=dict(terms)))
        return row


def _change(row: Any, columns: dict[str, Any]) -> None:
    before, after = changed_fields(row, columns)
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))
    subject = _named(row) if isinstance(row, Limit) else subject_of(row)
    record_act(Act(verb=Verb.CHANGE, subject=subject, before=before, after=after))


def _named(limit: Limit) -> Any:
    return subject_of(limit, label=f"{limit.scope} limit of {limit.partner}")


def _bounds(limit: Limit) -> dict[str, Any]:
    return {"max_amount": limit.max_amount, "max_count": limit.max_count}
