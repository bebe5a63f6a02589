"""Which pushes need people's decisions before they are sent, and why. Plain Python, no Django.

Rules are data. All rules that match apply; each asks for a number of decisions by distinct people,
of one group if it names one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Source(StrEnum):
    API = "api"
    BACK_OFFICE = "back_office"
    BATCH = "batch"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a push needs `decisions` approvals. A condition that is None does not narrow the rule."""

    name: str
    decisions: int
    group_id: int | None = None
    amount_at_least: Decimal | None = None
    source: Source | None = None
    first_push_to_card: bool | None = None
    card_younger_than: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the rules look at, as it was when the push was asked for."""

    amount: Decimal
    source: Source
    is_first_push_to_card: bool
    card_age: timedelta
    is_possible_duplicate: bool


@dataclass(frozen=True, slots=True)
class Requirement:
    """`decisions` approvals by distinct people, of group `group_id` if it is set; `name` says why."""

    name: str
    decisions: int
    group_id: int | None


# Without an idempotency key we cannot tell a retry from a second push, so a person looks.
POSSIBLE_DUPLICATE: Final = Requirement("possible_duplicate", decisions=1, group_id=None)
DUPLICATE_WINDOW: Final = timedelta(minutes=10)


def requirements(circumstances: Circumstances, *, rules: Iterable[Rule]) -> list[Requirement]:
    """Return what must be decided before this push may be sent; empty means: send at once."""
    matched = [
        Requirement(rule.name, rule.decisions, rule.group_id)
        for rule in rules
        if _matches(circumstances, rule)
    ]
    if circumstances.is_possible_duplicate:
        matched.append(POSSIBLE_DUPLICATE)
    return matched


def _matches(circumstances: Circumstances, rule: Rule) -> bool:
    return (
        (rule.amount_at_least is None or circumstances.amount >= rule.amount_at_least)
        and (rule.source is None or circumstances.source is rule.source)
        and (
            rule.first_push_to_card is None
            or circumstances.is_first_push_to_card is rule.first_push_to_card
        )
        and (rule.card_younger_than is None or circumstances.card_age < rule.card_younger_than)
    )
