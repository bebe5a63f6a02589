"""Differences that a settlement file may be asked to have: what a network gets wrong, by kinds.

Pure, and the same for the same seed. Which lines are struck is decided by their number alone, so a
file can be made while it is sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from payouts.networks.sandbox.settlement import RETURN, Line

MOST_PLANTED: Final = 10_000
_DAYS_LATE: Final = 3


class Plant(StrEnum):
    """One kind of difference."""

    AMOUNT_DIFFERS = "amount_differs"
    MISSING_THERE = "missing_there"
    MISSING_HERE = "missing_here"
    DUPLICATE = "duplicate"
    LATE = "late"
    RETURNED = "returned"
    RETURN_DIFFERS = "return_differs"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_IDENTITY = "wrong_identity"
    DECLINED_CREDITED = "declined_credited"


class Planted(NamedTuple):
    """What was planted, and in which line: the one that the network's book has."""

    plant: Plant
    line: Line


@dataclass(frozen=True, slots=True)
class Wish:
    """`each` differences of each kind, chosen by the seed."""

    plants: tuple[Plant, ...] = ()
    each: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.each * max(len(self.plants), 1) <= MOST_PLANTED:
            raise ValueError(f"At most {MOST_PLANTED} differences are planted in a file.")

    def strikes(self, lines: int) -> Mapping[int, Plant]:
        """Which lines, of so many, get which kind; fewer if there are not as many lines."""
        wanted = [plant for plant in self.plants for _ in range(self.each)]
        struck = self._draws().sample(range(lines), min(lines, len(wanted)))
        return dict(zip(struck, wanted, strict=False))

    def _draws(self) -> Random:
        # Nothing that is drawn is a secret.
        return Random(f"settlement {self.seed}")  # noqa: S311  # nosec B311


class Planter:
    """Puts a wish's differences into lines, which may come in parts; `planted` says what it did.

    `lines` is how many there will be in all. `declined` are lines as they would be about
    instructions that were declined: where there are none left, nothing is planted.
    """

    def __init__(self, wish: Wish, *, lines: int, declined: Iterable[Line]) -> None:
        self.planted: list[Planted] = []
        self._strikes = wish.strikes(lines)
        self._declined = iter(declined)
        self._number = 0

    def struck(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The next lines, with the differences in them."""
        for line in lines:
            plant = self._strikes.get(self._number)
            self._number += 1
            about = line
            if plant is Plant.DECLINED_CREDITED:
                about = next(self._declined, line)
                plant = None if about is line else plant
            if plant is None:
                yield line
                continue
            self.planted.append(Planted(plant, about))
            yield from _struck(plant, line, about)


def _struck(plant: Plant, line: Line, about: Line) -> tuple[Line, ...]:
    match plant:
        case Plant.AMOUNT_DIFFERS:
            return (line._replace(cents=line.cents + 1),)
        case Plant.MISSING_THERE:
            return ()
        case Plant.MISSING_HERE:
            return (line, _stranger(line))
        case Plant.DUPLICATE:
            return (line, line)
        case Plant.LATE:
            return (line._replace(settled_on=line.settled_on + timedelta(days=_DAYS_LATE)),)
        case Plant.RETURNED:
            return (line, line._replace(kind=RETURN))
        case Plant.RETURN_DIFFERS:
            return (line, line._replace(kind=RETURN, cents=line.cents + 1))
        case Plant.WRONG_CURRENCY:
            return (line._replace(currency="EUR"),)
        case Plant.WRONG_IDENTITY:
            return (line._replace(terminal_id=_terminal(line, "W")),)
        case Plant.DECLINED_CREDITED:
            return (line, about)


def _stranger(line: Line) -> Line:
    """A credit that nobody asked this network for."""
    return line._replace(
        terminal_id=_terminal(line, "X"),
        transaction_id=f"9{line.transaction_id[1:]}",
        cents=line.cents + 7,
        card_last4="0000",
    )


def _terminal(line: Line, letter: str) -> str:
    # Ours begin with PT; see `networks.base.identity_from_sequence`.
    return f"{letter}{line.terminal_id[1:]}"
