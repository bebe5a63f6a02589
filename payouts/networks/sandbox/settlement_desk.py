"""Where the sandbox network gives out settlement files: reads the wish, streams book into file."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar

from payouts.networks.sandbox import answers
from payouts.networks.sandbox.arrivals import MalformedMessage
from payouts.networks.sandbox.book import Book
from payouts.networks.sandbox.entries import Merchant, Settled
from payouts.networks.sandbox.planting import Plant, Planter, Wish
from payouts.networks.sandbox.settlement import (
    CREDIT,
    RETURN,
    Header,
    Line,
    Sums,
    Window,
    line_of,
    reference_of,
)
from payouts.networks.sandbox.wire import Reply, Request, Streamed

Value = TypeVar("Value")

_LINES_AT_ONCE: Final = 1000
# What is being decided just now is written down by then.
_WRITTEN_AFTER: Final = timedelta(seconds=2)
_TYPE: Final = "text/csv; charset=us-ascii"


class SettlementDesk:
    """Answers for settlement files of one book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def file(self, request: Request) -> Reply:
        """The file of a day, or of a window that is over by now."""
        header, wish = await self.asked(request)
        return Streamed(self._text(header, await self._planter(header, wish)), _TYPE)

    async def planted(self, request: Request) -> Reply:
        """What the same request for a file would have planted in it."""
        header, wish = await self.asked(request)
        planter = await self._planter(header, wish)
        async for _ in self._text(header, planter):
            pass
        told = [
            {"plant": one.plant.value, **one.line._asdict(), "settled_on": str(one.line.settled_on)}
            for one in planter.planted
        ]
        return answers.as_json({"planted": told})

    async def sums(self, header: Header, wish: Wish) -> Sums:
        """What the trailer of such a file says."""
        if not wish.plants:
            count, cents = await self._book.sum_settled(_settled(header))
            return Sums(count, {CREDIT: cents, RETURN: 0}, {CREDIT: count, RETURN: 0})
        sums = Sums()
        async for lines in self._lines(header, await self._planter(header, wish)):
            for line in lines:
                sums.add(line)
        return sums

    async def _planter(self, header: Header, wish: Wish) -> Planter:
        settled = _settled(header)
        declined = await self._book.declined(settled, limit=wish.each) if wish.plants else []
        return Planter(
            wish,
            lines=await self._book.count_settled(settled),
            declined=[line_of(one) for one in declined],
        )

    async def _text(self, header: Header, planter: Planter) -> AsyncIterator[bytes]:
        sums = Sums()
        yield header.text().encode()
        async for lines in self._lines(header, planter):
            for line in lines:
                sums.add(line)
            yield "".join(line.text() for line in lines).encode()
        yield sums.text().encode()

    async def _lines(self, header: Header, planter: Planter) -> AsyncIterator[list[Line]]:
        after = 0
        while entries := await self._book.settled(
            _settled(header), after=after, limit=_LINES_AT_ONCE
        ):
            after = entries[-1].id
            yield list(planter.struck(map(line_of, entries)))

    async def asked(self, request: Request) -> tuple[Header, Wish]:
        """The file that is asked for, and what is to be planted in it.

        :raises MalformedMessage: it cannot be read.
        """
        now = (datetime.now(UTC) - _WRITTEN_AFTER).replace(microsecond=0)
        window, wish = _window(request, now), _wish(request)
        suffix = f"-P{wish.seed}" if wish.plants else ""
        merchant = await self._merchant(request)
        header = Header(
            acquiring_bin=merchant.acquiring_bin,
            card_acceptor_id=merchant.card_acceptor_id,
            window=window,
            made_at=now,
            reference=reference_of(window, suffix=suffix),
        )
        return header, wish

    async def _merchant(self, request: Request) -> Merchant:
        """Whose file: as asked for, or the only one that the book knows."""
        asked = Merchant(request.query.get("acquiringBIN", ""), request.query.get("idCode", ""))
        if all(asked):
            return asked
        known = await self._book.merchants()
        if len(known) != 1:
            raise MalformedMessage("acquiringBIN", "idCode")
        return known[0]


def _settled(header: Header) -> Settled:
    window = header.window
    return Settled(
        header.acquiring_bin,
        header.card_acceptor_id,
        *map(_text_of, (window.begins_at, window.ends_at)),
    )


def _window(request: Request, now: datetime) -> Window:
    """A `day`, or `from` and `until`; never beyond the present, so that no file is out of date."""
    day = request.query.get("day")
    if day is not None:
        window = Window.of_day(_read(date.fromisoformat, "day", day))
    else:
        begins, ends = (request.query.get(name, "") for name in ("from", "until"))
        window = Window(_instant("from", begins), _instant("until", ends) if ends else now)
    window = Window(window.begins_at, min(window.ends_at, now))
    if window.begins_at >= window.ends_at:
        raise MalformedMessage("until")
    return window


def _instant(name: str, text: str) -> datetime:
    at = _read(datetime.fromisoformat, name, text)
    if at.tzinfo is None:
        raise MalformedMessage(name)
    return at.astimezone(UTC).replace(microsecond=0)


def _wish(request: Request) -> Wish:
    named = request.query.get("plant", "")
    plants = tuple(Plant) if named == "all" else tuple(filter(None, named.split(",")))
    try:
        return Wish(
            tuple(Plant(one) for one in plants),
            each=int(request.query.get("each", "1")),
            seed=int(request.query.get("seed", "0")),
        )
    except ValueError:
        raise MalformedMessage("plant", "each", "seed") from None


def _read(kind: Callable[[str], Value], name: str, text: str) -> Value:
    try:
        return kind(text)
    except ValueError:
        raise MalformedMessage(name) from None


def _text_of(at: datetime) -> str:
    """As the book writes instants."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
