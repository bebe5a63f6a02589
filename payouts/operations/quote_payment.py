"""Says what a create would do, and does nothing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from payouts.approvals import Requirement, Source
from payouts.limits import Headroom, Scope, headrooms
from payouts.operations.facts import CardFacts, Wish, push_facts
from payouts.operations.judge import Reason, judge_push


@dataclass(frozen=True, slots=True)
class Quote:
    """What a push would cost and need now; amounts in dollars. `reasons` is everything against it."""

    amount: Decimal
    fee: Decimal
    reasons: tuple[Reason, ...]
    requirements: tuple[Requirement, ...]
    headrooms: tuple[Headroom, ...]
    card: CardFacts | None
    is_possible_duplicate: bool
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
        requirements=judgement.requirements,
        headrooms=tuple(
            room
            for room in headrooms(limits=facts.limits, used=facts.used)
            if room.scope is not Scope.PUSH
        ),
        card=facts.card,
        is_possible_duplicate=facts.has_twin,
        quoted_at=wish.at,
    )
