"""What seeded partners push: a few hundred amounts each, with fee and ledger lines. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple

from payouts.fees import fee_for
from payouts.models.ledger import JournalKind
from payouts.money import CENT
from payouts.seeding.plan import House, Plan, SeededPartner, draws
from payouts.states import Status

_PRICES_PER_PARTNER: Final = 600
_SHARE_OF_ROUND_AMOUNTS: Final = 0.4
_ROUND_CENTS: Final = 25_00
_LEAST_CENTS: Final = 5_00
_MOST_CENTS: Final = 25_000_00

# An account's id and an amount in dollars, as COPY takes them.
Line = tuple[int, str]
# An account's id and cents.
Move = tuple[int, int]


class Price(NamedTuple):
    """An amount and its fee, with the postings of each kind of journal.

    `moves` is what all journals of a payment that ended in a status did to the balances together.
    """

    amount_cents: int
    total_cents: int
    amount: str
    fee: str
    lines: Mapping[str, tuple[Line, ...]]
    moves: Mapping[Status, tuple[Move, ...]]


@lru_cache(maxsize=64)
def prices_of(plan: Plan) -> Mapping[str, tuple[Price, ...]]:
    """The amounts of each partner, by its id: many round ones, most some hundred dollars."""
    return {partner.id: _prices(plan, partner) for partner in plan.partners}


def _prices(plan: Plan, partner: SeededPartner) -> tuple[Price, ...]:
    rng = draws(plan, f"prices {partner.id}")
    return tuple(_price(_cents(rng), partner, plan.house) for _ in range(_PRICES_PER_PARTNER))


def _cents(rng: Random) -> int:
    cents = min(max(int(rng.lognormvariate(9.6, 1.1)), _LEAST_CENTS), _MOST_CENTS)
    if rng.random() < _SHARE_OF_ROUND_AMOUNTS:
        cents = max(cents // _ROUND_CENTS, 1) * _ROUND_CENTS
    return cents


def _price(cents: int, partner: SeededPartner, house: House) -> Price:
    amount = cents * CENT
    fee = fee_for(amount, schedule=partner.schedule)
    lines = _lines(amount, fee, partner, house)
    posted = {
        Status.COMPLETED: ("accepted", "completed"),
        Status.RETURNED: ("accepted", "completed", "returned"),
        Status.PENDING_APPROVAL: ("accepted",),
    }
    return Price(
        amount_cents=cents,
        total_cents=_in_cents(amount + fee),
        amount=str(amount),
        fee=str(fee),
        lines={
            kind: tuple((account, str(dollars)) for account, dollars in postings)
            for kind, postings in lines.items()
        },
        moves={
            status: tuple(
                (account, _in_cents(dollars)) for kind in kinds for account, dollars in lines[kind]
            )
            for status, kinds in posted.items()
        },
    )


def _lines(
    amount: Decimal, fee: Decimal, partner: SeededPartner, house: House
) -> dict[str, list[tuple[int, Decimal]]]:
    total, available, held = amount + fee, partner.available_id, partner.held_id
    completed = [(held, total), (house.network_payable_id, -amount), (house.fee_revenue_id, -fee)]
    return {
        JournalKind.ACCEPTED.value: [(available, total), (held, -total)],
        JournalKind.COMPLETED.value: completed if fee else completed[:2],
        JournalKind.RELEASED.value: [(held, total), (available, -total)],
        JournalKind.RETURNED.value: [(house.network_payable_id, amount), (available, -amount)],
    }


def _in_cents(dollars: Decimal) -> int:
    return int(dollars / CENT)
