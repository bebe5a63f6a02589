"""Judges a wished-for push by the rules: what it costs, what forbids it, who must approve it.

The create and the quote both read this one judgement, so a create does what the quote promised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from consumers.cards import is_expired
from consumers.models import CardStatus
from payouts.approvals import Circumstances, Requirement, Source, requirements
from payouts.fees import fee_for
from payouts.limits import BrokenLimit, broken_limits
from payouts.networks.routing import PUSHABLE_CARD_NETWORKS
from payouts.operations.facts import PushFacts


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a push cannot be done: a stable code, the field that it is about, a sentence."""

    code: str
    field: str
    message: str
    details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a push costs, in dollars, and what has to be approved before it is sent."""

    fee: Decimal
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The terms of the push, and every reason against it."""

    terms: Terms
    reasons: tuple[Reason, ...]

    @property
    def fee(self) -> Decimal:
        return self.terms.fee

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return self.terms.requirements


def judge_push(facts: PushFacts, *, amount: Decimal, source: Source, at: datetime) -> Judgement:
    """Judge pushing `amount` dollars under `facts`; pure, names every reason at once."""
    fee = fee_for(amount, schedule=facts.schedule)
    reasons = (
        *_partner_reasons(facts),
        *_consumer_reasons(facts),
        *_card_reasons(facts, at),
        *(_limit_reason(broken) for broken in _broken(facts, amount)),
        *_funds_reasons(facts, amount + fee),
    )
    return Judgement(Terms(fee, _requirements(facts, amount, source, at)), reasons)


def _partner_reasons(facts: PushFacts) -> Iterator[Reason]:
    if not facts.is_partner_active:
        yield Reason("partner_inactive", "", "The partner is switched off: it takes no new pushes.")


def _consumer_reasons(facts: PushFacts) -> Iterator[Reason]:
    if facts.consumer is None:
        yield Reason("consumer_not_found", "consumer_id", "There is no such consumer.")
    elif not facts.consumer.is_active:
        yield Reason("consumer_inactive", "consumer_id", "The consumer's account is closed.")


def _card_reasons(facts: PushFacts, at: datetime) -> Iterator[Reason]:
    field = "external_payment_card_id"
    card = facts.card
    if card is None:
        yield Reason("card_not_found", field, "The consumer has no such card.")
        return
    if card.status != CardStatus.ACTIVE:
        yield Reason("card_inactive", field, "The card is deactivated.")
    if is_expired(card.expiration_month, card.expiration_year, on=at.date()):
        yield Reason("card_expired", field, "The card has expired: new card data is needed.")
    if card.push_eligible is False or card.network not in PUSHABLE_CARD_NETWORKS:
        yield Reason("card_not_eligible", field, "The network says that this card takes no pushes.")


def _broken(facts: PushFacts, amount: Decimal) -> list[BrokenLimit]:
    return broken_limits(amount, limits=facts.limits, used=facts.used)


def _limit_reason(broken: BrokenLimit) -> Reason:
    return Reason(
        "limit_exceeded",
        "amount",
        f"The limit {broken.name} of {broken.limit} would be passed ({broken.used} used).",
        {"limit": broken.name, "maximum": broken.limit, "used": broken.used},
    )


def _funds_reasons(facts: PushFacts, total: Decimal) -> Iterator[Reason]:
    if facts.available < total:
        yield Reason(
            "insufficient_funds",
            "amount",
            f"Amount and fee are {total}, only {max(facts.available, Decimal(0))} is available.",
        )


def _requirements(
    facts: PushFacts, amount: Decimal, source: Source, at: datetime
) -> tuple[Requirement, ...]:
    if facts.card is None:
        return ()
    circumstances = Circumstances(
        amount=amount,
        source=source,
        is_first_push_to_card=facts.is_first_push_to_card,
        card_age=at - facts.card.created_at,
        is_possible_duplicate=facts.has_twin,
    )
    return tuple(requirements(circumstances, rules=facts.rules))
