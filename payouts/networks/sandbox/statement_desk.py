"""Where the bank of the sandbox network gives out statements: what its settlements did to us.

It keeps nothing: what the account opens with follows from all that the network ever settled, so
statements of one day after the other fit together.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from payouts.networks.sandbox.arrivals import MalformedMessage
from payouts.networks.sandbox.planting import Wish
from payouts.networks.sandbox.settlement import Header, Window, reference_of
from payouts.networks.sandbox.settlement_desk import SettlementDesk
from payouts.networks.sandbox.statement import (
    BankPlant,
    Head,
    camt_text,
    csv_text,
    movement_of,
    planted,
)
from payouts.networks.sandbox.wire import Answer, Reply, Request

# What the account had before the network settled anything.
_FIRST_CENTS: Final = 100_000_000_00
_MOST_DAYS: Final = 366
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MOST_DIGITS: Final = 15


class StatementDesk:
    """Answers for statements about the settlements of one network."""

    def __init__(self, desk: SettlementDesk) -> None:
        self._desk = desk

    async def file(self, request: Request) -> Reply:
        """The statement about the same files as a request for settlement files.

        A window of whole days is settled day by day, as the network makes its files; any other one
        at once.
        """
        header, wish = await self._desk.asked(request)
        headers = _days_of(header, request) or [header]
        movements = [
            movement
            for one in headers
            if (movement := movement_of(one, await self._desk.sums(one, wish))).cents
        ]
        kinds, seed = _plants(request)
        struck = [movement for movement, _ in planted(movements, kinds, seed=seed)]
        head = Head(
            reference=f"B{header.window.ends_at:%Y%m%d%H%M%S}",
            opens_on=_day(headers[0].window.ends_at),
            closes_on=_day(header.window.ends_at),
            opening_cents=await self._opening(request, header),
            made_at=header.made_at,
        )
        if request.query.get("format") == "csv":
            return Answer(200, csv_text(head, struck).encode(), "text/csv; charset=utf-8")
        return Answer(200, camt_text(head, struck).encode(), "application/xml")

    async def _opening(self, request: Request, header: Header) -> int:
        told = request.query.get("openingCents")
        if told is not None:
            if not told.isdecimal() or len(told) > _MOST_DIGITS:
                raise MalformedMessage("openingCents")
            return int(told)
        before = replace(header, window=Window(_LONG_AGO, header.window.begins_at))
        sums = await self._desk.sums(before, Wish())
        return _FIRST_CENTS - sum(sums.cents.values())


def _days_of(header: Header, request: Request) -> list[Header]:
    """A header for each whole day, if the window is made of such; else none."""
    begin, end = header.window.begins_at, header.window.ends_at
    if request.query.get("plant") or begin != _midnight(begin) or end != _midnight(end):
        return []
    days = (end - begin).days
    if days > _MOST_DAYS:
        raise MalformedMessage("from", "until")
    windows = (Window.of_day(begin.date() + timedelta(days=number)) for number in range(days))
    return [replace(header, window=one, reference=reference_of(one)) for one in windows]


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _plants(request: Request) -> tuple[tuple[BankPlant, ...], int]:
    named = request.query.get("bank", "")
    try:
        if named == "all":
            return tuple(BankPlant), int(request.query.get("seed", "0"))
        kinds = tuple(BankPlant(one) for one in named.split(",") if one)
        return kinds, int(request.query.get("seed", "0"))
    except ValueError:
        raise MalformedMessage("bank", "seed") from None
