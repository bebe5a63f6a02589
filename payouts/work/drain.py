"""Sends what is due: keeps many calls to the card networks in flight from one thread.

An event loop holds the calls, a few threads talk to the database. Nothing here decides anything: it
claims, calls, and hands every outcome to an operation. One slow card occupies one of the places.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError

from payouts.networks.base import NotFound
from payouts.networks.routing import close_networks, network_named
from payouts.operations.inquire import (
    Inquiry,
    claim_due_inquiries,
    record_finding,
)
from payouts.operations.record_outcome import record_outcome
from payouts.operations.send_payments import Instruction, claim_due_payments, claim_resend
from payouts.work.connections import with_sound_connection

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

CALLS_IN_FLIGHT: Final = 200
CLAIMED_AT_ONCE: Final = 50
# How long an empty drain stays before it ends: most work comes in bursts.
LINGER_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.05
# An outcome that we know must not be lost to a database that restarts.
_RECORD_AGAIN_SECONDS: Final = (0.2, 1.0, 3.0, 10.0, 20.0)

# Threads of their own, because operations block and each thread keeps its connection.
_database: Final = ThreadPoolExecutor(3, thread_name_prefix="ledger")
_draining: Final = threading.Lock()
_rung: Final = threading.Event()
_stopping: Final = threading.Event()


def stop() -> None:
    """Claim nothing more: the worker is shutting down, and only waits for the calls in flight."""
    _stopping.set()


def send_due_payments() -> None:
    """Send until nothing is due. A second call in this process makes the first look once more."""
    _rung.set()
    while _rung.is_set() and _draining.acquire(blocking=False):
        try:
            _rung.clear()
            asyncio.run(_Drain(claim_due_payments, _send).run())
        finally:
            _draining.release()


def inquire_unknown_payments() -> None:
    """Ask the networks about every unclear payment whose time has come.

    What a network does not have is sent again under its identity, by the rules of `claim_resend`.
    """
    asyncio.run(_Drain(claim_due_inquiries, _inquire, linger_seconds=0).run())


class _Drain:
    """Claims items and works on them, at most `CALLS_IN_FLIGHT` at once, until none is left."""

    def __init__(
        self,
        claim: Callable[..., Sequence[Any]],
        work: Callable[[Any], Awaitable[None]],
        *,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self.claim = claim
        self.work = work
        self.linger_seconds = linger_seconds
        self.in_flight: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        idle_seconds = 0.0
        try:
            while self.in_flight or (
                idle_seconds <= self.linger_seconds and not _stopping.is_set()
            ):
                claimed = await self._claim()
                for item in claimed:
                    self._start(item)
                if claimed:
                    idle_seconds = 0.0
                    continue
                await asyncio.sleep(_POLL_SECONDS)
                idle_seconds = 0.0 if self.in_flight else idle_seconds + _POLL_SECONDS
        finally:
            await asyncio.gather(*self.in_flight, return_exceptions=True)
            await close_networks()

    async def _claim(self) -> Sequence[Any]:
        free = CALLS_IN_FLIGHT - len(self.in_flight)
        if free <= 0 or _stopping.is_set():
            return ()
        return await _in_database(self.claim, limit=min(free, CLAIMED_AT_ONCE))

    def _start(self, item: Any) -> None:
        task = asyncio.ensure_future(self.work(item))
        self.in_flight.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.in_flight.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # The payment stays submitted, and the sweep makes it unknown: nothing is assumed.
            logger.error("An outcome could not be recorded.", exc_info=task.exception())


async def _send(instruction: Instruction) -> None:
    network = network_named(instruction.network)
    outcome = await network.push(instruction.push)
    await _record(
        record_outcome, instruction.payment_id, outcome, send_number=instruction.send_number
    )


async def _inquire(inquiry: Inquiry) -> None:
    network = network_named(inquiry.network)
    finding = await network.inquire(inquiry.identity, status_identifier=inquiry.status_identifier)
    await _record(record_finding, inquiry.payment_id, finding)
    if isinstance(finding, NotFound) and not _stopping.is_set():
        instruction = await _in_database(claim_resend, inquiry.payment_id)
        if instruction is not None:
            await _send(instruction)


async def _record(operation: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Record what a network said; again while the database is away. Recording twice is safe."""
    for seconds in _RECORD_AGAIN_SECONDS:
        try:
            return await _in_database(operation, *arguments, **named)
        except (OperationalError, InterfaceError):
            logger.warning("The database is away; recording again in %s s.", seconds)
            await asyncio.sleep(seconds)
    return await _in_database(operation, *arguments, **named)


async def _in_database(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Run a blocking operation on one of the database's threads."""
    call = partial(with_sound_connection, function, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_database, call)
