"""How much may be pushed, per push and per day. Plain Python, no Django.

Days are UTC days of the payment's creation. What ended without being paid does not count.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from payouts.money import ZERO

# Limits look at the current day only. What was used on the others is kept for so long, for whoever
# asks why a push was refused; checks compare those days only.
USAGE_KEPT_DAYS: Final = 14

Number = TypeVar("Number", Decimal, int)


class Scope(StrEnum):
    """What a limit counts: one push, or the day of a card, a consumer or the whole partner."""

    PUSH = "push"
    CARD_DAY = "card_day"
    CONSUMER_DAY = "consumer_day"
    PARTNER_DAY = "partner_day"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `max_amount` dollars and `max_count` pushes within `scope`; None is no bound."""

    scope: Scope
    max_amount: Decimal | None = None
    max_count: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What has been pushed so far today within one scope: dollars and number of pushes."""

    amount: Decimal = ZERO
    count: int = 0


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A limit that one more push would break, by its public name."""

    name: str
    limit: Decimal | int
    used: Decimal | int


@dataclass(frozen=True, slots=True)
class Headroom:
    """What a limit still has room for. None where it sets no bound."""

    scope: Scope
    amount: Decimal | None
    count: int | None


def broken_limits(
    amount: Decimal, *, limits: Iterable[Limit], used: Mapping[Scope, Usage]
) -> list[BrokenLimit]:
    """Return every limit that pushing `amount` dollars now would break, not only the first."""
    return [broken for limit in limits for broken in _broken(amount, limit, used)]


def headrooms(*, limits: Iterable[Limit], used: Mapping[Scope, Usage]) -> list[Headroom]:
    """Return the room that each limit still has, never below zero."""
    return [
        Headroom(
            scope=limit.scope,
            amount=_room(limit.max_amount, used.get(limit.scope, Usage()).amount, ZERO),
            count=_room(limit.max_count, used.get(limit.scope, Usage()).count, 0),
        )
        for limit in limits
    ]


def _broken(amount: Decimal, limit: Limit, used: Mapping[Scope, Usage]) -> Iterator[BrokenLimit]:
    usage = used.get(limit.scope, Usage())
    if limit.max_amount is not None and usage.amount + amount > limit.max_amount:
        yield BrokenLimit(f"{limit.scope}_amount", limit.max_amount, usage.amount)
    if limit.max_count is not None and usage.count + 1 > limit.max_count:
        yield BrokenLimit(f"{limit.scope}_count", limit.max_count, usage.count)


def _room(bound: Number | None, used: Number, zero: Number) -> Number | None:
    return None if bound is None else max(bound - used, zero)
