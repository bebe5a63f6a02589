"""Says what a create would do, and does nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.contrib.auth.models import Group

from payouts.approvals import Requirement, Source
from payouts.limits import Headroom, headrooms
from payouts.operations.facts import CardFacts, Wish, push_facts
from payouts.operations.judge import Reason, judge_push


class Approval(NamedTuple):
    """Why people must decide, how many of them, and of which group (None: anybody who may)."""

    reason: str
    decisions: int
    group: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a push would cost and need now, in dollars. `reasons` is everything against it."""

    amount: Decimal
    fee: Decimal
    reasons: tuple[Reason, ...]
    approvals: tuple[Approval, ...]
    headrooms: tuple[Headroom, ...]
    card: CardFacts | None
    is_possible_duplicate: bool
    is_key_required: bool
    quoted_at: datetime

    @property
    def total(self) -> Decimal:
        return self.amount + self.fee


def quote_payment(wish: Wish, *, source: Source) -> Quote:
    """Judge the push as a create would at this instant; changes nothing, promises nothing later.

    :raises consumers.models.Partner.DoesNotExist: if there is no such partner.
    """
    facts = push_facts(wish)
    judgement = judge_push(facts, amount=wish.amount, source=source, at=wish.at)
    return Quote(
        amount=wish.amount,
        fee=judgement.fee,
        reasons=judgement.reasons,
        approvals=_approvals(judgement.requirements),
        headrooms=tuple(headrooms(limits=facts.limits, used=facts.used)),
        card=facts.card,
        is_possible_duplicate=facts.has_twin,
        is_key_required=facts.key_required,
        quoted_at=wish.at,
    )


def _approvals(requirements: Sequence[Requirement]) -> tuple[Approval, ...]:
    groups = {one.group_id for one in requirements if one.group_id is not None}
    names = dict(Group.objects.filter(pk__in=groups).values_list("pk", "name")) if groups else {}
    return tuple(
        Approval(one.name, one.decisions, None if one.group_id is None else names[one.group_id])
        for one in requirements
    )
