"""Posts what the sandbox network has to say by itself to whoever it works for.

One loop: what is due is read from the book, posted and marked there. Nothing is decided here.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from payouts.networks.sandbox import answers
from payouts.networks.sandbox.book import Book
from payouts.networks.sandbox.entries import Entry
from payouts.networks.sandbox.notices import DECISION, IN_PROGRESS, RETURN, SIGNATURE_HEADER, sign
from payouts.networks.sandbox.telling import Due, Kind

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 5.0
_AT_ONCE = 20
_STRANGERS_KEY = "somebody else's"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where notifications go, and the key that the network shares with who listens there."""

    url: str
    key: str = field(repr=False)


class Teller:
    """Posts until it is stopped."""

    def __init__(self, book: Book, listener: Listener) -> None:
        self._book = book
        self._listener = listener

    async def run(self) -> None:
        """Until it is cancelled."""
        # A proxy from the environment would be asked for our own machine.
        async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS, trust_env=False) as client:
            while True:
                told = await self._book.untold(limit=_AT_ONCE)
                await asyncio.gather(*(self._tell(client, one) for one in told))
                if not told:
                    await asyncio.sleep(_LOOK_SECONDS)

    async def _tell(self, client: httpx.AsyncClient, one: Due) -> None:
        entry = await self._book.entry(one.instruction)
        assert entry is not None
        has_arrived = await self._post(client, entry, one.kind)
        await self._book.mark_told(one, has_arrived=has_arrived)

    async def _post(self, client: httpx.AsyncClient, entry: Entry, kind: Kind) -> bool:
        body = body_of(entry, kind)
        key = _STRANGERS_KEY if kind is Kind.FORGED else self._listener.key
        signature = sign(body, key=key, at=datetime.now(UTC))
        headers = {SIGNATURE_HEADER: signature, "Content-Type": "application/json"}
        try:
            answer = await client.post(self._listener.url, content=body, headers=headers)
        except httpx.HTTPError as problem:
            _log.info("a notification did not arrive: %s", type(problem).__name__)
            return False
        return answer.is_success


def body_of(entry: Entry, kind: Kind) -> bytes:
    """What is posted about an entry."""
    if kind is Kind.IN_PROGRESS:
        return answers.told(entry, IN_PROGRESS)
    if kind is Kind.RETURN:
        return answers.told(entry, RETURN, returned=True)
    if kind is Kind.FORGED:
        return answers.told(answers.opposite(answers.as_planned(entry)), DECISION)
    return answers.told(entry, DECISION)
