"""Cuts a wish for N payments over D days into slices that are written one transaction each.

A slice is a stretch of time within one UTC day and a group of people of its own, so a card's day
lies in one slice (its usage row is written once), slices can be written by several processes at
once, and each touches neighbouring pages of every index. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Final

from payouts.fees import FeeSchedule

PAYMENTS_PER_SLICE: Final = 10_000
PAYMENTS_PER_CONSUMER: Final = 20

DAY_US: Final = 24 * 60 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class SeededPartner:
    """A partner that payments are written for, with what its rows refer to, as COPY takes it."""

    id: str
    client_id: str
    client_label: str
    available_id: int
    held_id: int
    schedule: FeeSchedule


@dataclass(frozen=True, slots=True)
class House:
    """Our own side: accounts and what stands on every attempt."""

    bank_id: int
    fee_revenue_id: int
    network_payable_id: int
    network: str
    acquiring_bin: str
    approver_id: int
    approver_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. `run` is random: ids, keys and people of two runs never meet."""

    run: str
    payments: int
    days: int
    now_us: int
    partners: tuple[SeededPartner, ...]
    house: House

    @property
    def begin_us(self) -> int:
        return self.now_us - self.days * DAY_US

    @property
    def groups(self) -> int:
        """Into how many groups the people are divided; each group has one slice a day."""
        return max(1, round(self.payments / (self.days * PAYMENTS_PER_SLICE)))

    @property
    def consumers_per_group(self) -> int:
        return max(1, -(-self.payments // (PAYMENTS_PER_CONSUMER * self.groups)))


@dataclass(frozen=True, slots=True)
class Slice:
    """`payments` payments of one group's people, made in [begin_us, end_us) of one UTC day."""

    number: int
    group: int
    first: int
    payments: int
    begin_us: int
    end_us: int


def slices(plan: Plan) -> Iterator[Slice]:
    """All slices in the order of time. Their payments add up to the plan's exactly."""
    span_us = plan.now_us - plan.begin_us
    told = 0
    for number, (begin_us, end_us, group) in enumerate(_stretches(plan)):
        until = plan.payments * (end_us - plan.begin_us) // span_us
        if until > told:
            yield Slice(number, group, told, until - told, begin_us, end_us)
        told = until


def _stretches(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """Each UTC day that the plan touches, in as many stretches as there are groups."""
    begin_us = plan.begin_us
    while begin_us < plan.now_us:
        end_us = min((begin_us // DAY_US + 1) * DAY_US, plan.now_us)
        width = end_us - begin_us
        for group in range(plan.groups):
            yield (
                begin_us + width * group // plan.groups,
                begin_us + width * (group + 1) // plan.groups,
                group,
            )
        begin_us = end_us


def draws(plan: Plan, purpose: str) -> Random:
    """Random numbers that are the same whenever the same run asks for the same purpose."""
    # Nothing that is drawn is a secret.
    return Random(f"{plan.run} {purpose}")  # noqa: S311  # nosec B311


def instant(us: int) -> datetime:
    """The instant so many microseconds after the epoch."""
    seconds, micros = divmod(us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def text_of_instant(us: int) -> str:
    seconds, micros = divmod(us, 1_000_000)
    return f"{_text_of_second(seconds)}.{micros:06d}+00"


@lru_cache(maxsize=100_000)
def _text_of_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def text_of_cents(cents: int) -> str:
    """Cents as dollars, `-12.05` for -1205."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{dollars}.{rest:02d}"


def id_text(at_us: int, random_bits: int) -> str:
    """A UUIDv7 of that time as 32 hexadecimal digits; `random_bits` are 74 random bits."""
    high, low = random_bits >> 62, random_bits & ((1 << 62) - 1)
    return f"{(at_us // 1000) << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"
