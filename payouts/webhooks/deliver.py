"""Delivers what is due: follows the outbox, keeps many in flight, records what came back.

An event loop holds the connections, a few threads talk to the database. Nothing here decides
anything. Endpoints that fail have places of their own, so that they cannot take all.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from payouts.operations.deliveries import Parcel, Tried, claim_deliveries, record_tries
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.webhook_endpoints import address_rules
from payouts.webhooks.sender import Sender
from payouts.work.connections import with_sound_connection

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

PLACES: Final = 400
PLACES_OF_FAILING: Final = 100
CLAIMED_AT_ONCE: Final = 50
# How long a round stays after its last delivery. One that finds nothing ends at once: beat rings
# every second.
LINGER_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.1
_FOLLOW_SECONDS: Final = 0.2
_RECORDED_AT_ONCE: Final = 100

# Threads of their own, because operations block and each thread keeps its connection.
_database: Final = ThreadPoolExecutor(3, thread_name_prefix="webhooks")
_delivering: Final = threading.Lock()
_stopping: Final = threading.Event()


def stop() -> None:
    """Claim nothing more: the worker is shutting down, and only waits for what is in flight."""
    _stopping.set()


def deliver_webhooks() -> None:
    """Deliver until nothing is due. A second call in this process leaves it to the first."""
    if _delivering.acquire(blocking=False):
        try:
            asyncio.run(_Round().run())
        finally:
            _delivering.release()


class _Round:
    """One stretch of delivering, from the first look until there was nothing for a moment."""

    def __init__(self) -> None:
        self.sender = Sender(
            rules=address_rules(),
            seconds=settings.WEBHOOK_TIMEOUT_SECONDS,
            most_connections=PLACES,
        )
        self.in_flight: dict[asyncio.Task[None], Parcel] = {}
        self.tried: asyncio.Queue[Tried | None] = asyncio.Queue()
        self.has_ended = False

    async def run(self) -> None:
        await _in_database(follow_outbox)
        recording = asyncio.ensure_future(self._record())
        following = asyncio.ensure_future(self._follow())
        try:
            await self._deliver()
        finally:
            self.has_ended = True
            await asyncio.gather(*self.in_flight, return_exceptions=True)
            self.tried.put_nowait(None)
            ends = await asyncio.gather(following, recording, return_exceptions=True)
            await self.sender.close()
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _deliver(self) -> None:
        # One look, unless something is found.
        idle_seconds = LINGER_SECONDS
        while self.in_flight or (idle_seconds <= LINGER_SECONDS and not _stopping.is_set()):
            claimed = [] if _stopping.is_set() else await self._claim()
            for parcel in claimed:
                task = asyncio.ensure_future(self._send(parcel))
                self.in_flight[task] = parcel
                task.add_done_callback(self._finished)
            if claimed:
                idle_seconds = 0.0
                continue
            await asyncio.sleep(_POLL_SECONDS)
            idle_seconds = 0.0 if self.in_flight else idle_seconds + _POLL_SECONDS

    async def _claim(self) -> list[Parcel]:
        failing = sum(parcel.is_failing for parcel in self.in_flight.values())
        free = {
            False: PLACES - PLACES_OF_FAILING - (len(self.in_flight) - failing),
            True: PLACES_OF_FAILING - failing,
        }
        claimed: list[Parcel] = []
        for is_failing, places in free.items():
            if places > 0:
                limit = min(places, CLAIMED_AT_ONCE)
                claimed += await _in_database(claim_deliveries, limit=limit, failing=is_failing)
        return claimed

    async def _send(self, parcel: Parcel) -> None:
        at = timezone.now()
        self.tried.put_nowait(Tried(parcel, await self.sender.send(parcel), at))

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self.in_flight[task]
        if not task.cancelled() and task.exception() is not None:
            # The lease ends, and it is sent again.
            logger.error("A delivery could not be sent.", exc_info=task.exception())

    async def _follow(self) -> None:
        while not self.has_ended:
            await asyncio.sleep(_FOLLOW_SECONDS)
            await _in_database(follow_outbox)

    async def _record(self) -> None:
        """Record what came back, in bundles of whatever has come meanwhile."""
        while (first := await self.tried.get()) is not None:
            bundle = [first]
            while not self.tried.empty() and len(bundle) < _RECORDED_AT_ONCE:
                following = self.tried.get_nowait()
                if following is None:
                    self.tried.put_nowait(None)
                    break
                bundle.append(following)
            await self._recorded(bundle)

    async def _recorded(self, bundle: list[Tried]) -> None:
        try:
            await _in_database(record_tries, bundle)
        except (OperationalError, InterfaceError):
            # Nothing is lost: the leases end, and receivers know an id that they have had.
            logger.warning("What came of %s deliveries could not be kept.", len(bundle))


async def _in_database(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Run a blocking operation on one of the database's threads."""
    call = partial(with_sound_connection, function, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_database, call)
