"""Says what a create would do, and does nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.contrib.auth.models import Group

from payouts.approvals import Requirement
from payouts.limits import Headroom, headrooms
from payouts.operations.facts import CardFacts, Wish, push_facts
from payouts.operations.judge import Reason, Terms, judge_push


class Approval(NamedTuple):
    """Why people must decide, how many of them, and of which group (None: anybody who may)."""

    reason: str
    decisions: int
    group: str | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a push would cost and need now, in dollars. `reasons` is everything against it.

    `available` is what the partner could push now, `terms` is what a create can be held to.
    """

    amount: Decimal
    available: Decimal
    terms: Terms
    reasons: tuple[Reason, ...]
    approvals: tuple[Approval, ...]
    headrooms: tuple[Headroom, ...]
    card: CardFacts | None
    is_possible_duplicate: bool
    is_key_required: bool
    quoted_at: datetime

    @property
    def fee(self) -> Decimal:
        return self.terms.fee

    @property
    def total(self) -> Decimal:
        return self.amount + self.fee


def quote_payment(wish: Wish) -> Quote:
    """Judge the push as a create would at this instant; changes nothing, promises nothing later.

    :raises consumers.models.Partner.DoesNotExist: if there is no such partner.
    """
    facts = push_facts(wish)
    judgement = judge_push(facts, amount=wish.amount, source=wish.source, at=wish.at)
    return Quote(
        amount=wish.amount,
        available=facts.available,
        terms=judgement.terms,
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
