"""The sandbox network's own book: every instruction received, and whether it was credited.

One SQLite file in WAL mode, apart from the product's database, so that what we believe can be
compared with what the network did. One row per identity (unique), so one identity is credited at
most once. A write is answered only after its transaction is committed; WAL without a sync per
commit survives a killed process, which is what this network has to survive.

All writes run in one thread, which commits whatever has gathered in one group: the event loop never
waits for the disk. What a row holds is in `entries`, what an answer looks like in `answers`.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from payouts.networks.sandbox import entries, telling
from payouts.networks.sandbox.entries import Entry, Merchant, Order, Receipt, Settled
from payouts.networks.sandbox.telling import Due, Telling

_log = logging.getLogger(__name__)

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_GROUP_LIMIT = 500
_PAGE_LIMIT = 1000
_BUSY_SECONDS = 30
_STATUS_IDENTIFIER_DIGITS = 18


class Book:
    """The book in one file. Opening one that exists goes on with it."""

    def __init__(self, path: Path) -> None:
        connection = _connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in (entries.SCHEMA, telling.SCHEMA, telling.INDEX):
            connection.execute(statement)
        self._reading = connection
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="book-reader")
        self._writer = _GroupWriter(path)

    def close(self) -> None:
        """Write what is waiting and close the file."""
        self._writer.close()
        self._readers.shutdown()
        self._reading.close()

    async def receive(self, order: Order) -> Receipt:
        """Enter an instruction, or recognise its identity. At most one caller is told NEW."""
        now = _now()
        return await self._writer.write(lambda book: entries.receive(book, order, received_at=now))

    async def decide(
        self, entry_id: int, *, code: str, tellings: tuple[Telling, ...] = ()
    ) -> Entry:
        """Decide a running instruction, credit it if the code approves, and plan what is told.

        Only once: a later call changes nothing and finds the first decision.
        """
        at = datetime.now(UTC)

        def work(book: sqlite3.Connection) -> Entry:
            telling.plan(book, entry_id, tellings, at=at)
            return entries.decide(book, entry_id, code=code, decided_at=_text(at))

        return await self._writer.write(work)

    async def tell(self, entry_id: int, tellings: tuple[Telling, ...]) -> None:
        """Plan what is told about an instruction. The same again changes nothing."""
        at = datetime.now(UTC)
        await self._writer.write(lambda book: telling.plan(book, entry_id, tellings, at=at))

    async def untold(self, *, limit: int) -> list[Due]:
        """What is to be posted now."""
        at = datetime.now(UTC)
        return await self._read(lambda book: telling.due(book, at=at, limit=limit))

    async def mark_told(self, one: Due, *, has_arrived: bool) -> None:
        at = datetime.now(UTC)
        await self._writer.write(
            lambda book: telling.mark(book, one, has_arrived=has_arrived, at=at)
        )

    async def entry(self, entry_id: int) -> Entry | None:
        return await self._read(lambda book: entries.entry_of(book, entry_id))

    async def inquire(self, query: Mapping[str, str]) -> Entry | None:
        """What the network's inquiry may tell; an instruction may be hidden from the first ones."""
        entry = await self._read(lambda book: entries.find(book, query))
        if entry is None or not entry.hidden_inquiries:
            return entry
        await self._writer.write(lambda book: entries.uncover(book, entry.id))
        return None

    async def by_status_identifier(self, identifier: str) -> Entry | None:
        if not identifier.isdecimal() or len(identifier) > _STATUS_IDENTIFIER_DIGITS:
            return None
        return await self._read(lambda book: entries.entry_of(book, int(identifier)))

    async def running(self) -> list[Entry]:
        """What was taken up and never decided, because the process was killed."""
        return await self._read(
            lambda book: entries.select(book, "WHERE state = 'running' ORDER BY id", ())
        )

    async def page(self, *, after: int, limit: int) -> list[Entry]:
        """Entries in the order of arrival, after one's id; at most a thousand."""
        bounds = (after, max(1, min(limit, _PAGE_LIMIT)))
        return await self._read(
            lambda book: entries.select(book, "WHERE id > ? ORDER BY id LIMIT ?", bounds)
        )

    async def totals(self) -> dict[str, int]:
        return await self._read(entries.totals)

    async def merchants(self) -> list[Merchant]:
        return await self._read(entries.merchants)

    async def count_settled(self, settled: Settled) -> int:
        return await self._read(lambda book: entries.count_settled(book, settled))

    async def sum_settled(self, settled: Settled) -> tuple[int, int]:
        """How many credits a settlement file has, and their sum in cents."""
        return await self._read(lambda book: entries.sum_settled(book, settled))

    async def settled(self, settled: Settled, *, after: int, limit: int) -> list[Entry]:
        """Credits of a settlement file in the order of arrival, after one's id."""
        return await self._read(
            lambda book: entries.settled_entries(book, settled, after=after, limit=limit)
        )

    async def declined(self, settled: Settled, *, limit: int) -> list[Entry]:
        return await self._read(lambda book: entries.declined_entries(book, settled, limit=limit))

    async def _read(self, work: Work[Result]) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, work, self._reading)


@dataclass(frozen=True, slots=True)
class _Write:
    work: Work[Any]
    written: "Future[Any]"


class _GroupWriter:
    """One thread that carries out writes and commits whatever has gathered in one transaction."""

    def __init__(self, path: Path) -> None:
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(path,), name="book-writer")
        self._thread.start()

    async def write(self, work: Work[Result]) -> Result:
        """Carry out `work` and return once it is committed."""
        write = _Write(work, Future())
        self._waiting.put(write)
        result: Result = await asyncio.wrap_future(write.written)
        return result

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _run(self, path: Path) -> None:
        connection = _connect(path)
        is_open = True
        while is_open:
            group = self._next_group()
            is_open = None not in group
            # A write whose caller has gone before it began is left out; from here none can go.
            _commit(
                connection,
                [
                    write
                    for write in group
                    if write and write.written.set_running_or_notify_cancel()
                ],
            )
        connection.close()

    def _next_group(self) -> list[_Write | None]:
        group = [self._waiting.get()]
        while len(group) < _GROUP_LIMIT:
            try:
                group.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return group


def _commit(connection: sqlite3.Connection, group: list[_Write]) -> None:
    """Carry out a group in one transaction; nobody hears of a result before it is committed."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [write.work(connection) for write in group]
        connection.execute("COMMIT")
    except Exception as problem:
        # The thread has to live on: the callers are told, and their clients get a server error.
        _log.exception("the book could not be written")
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for write in group:
            write.written.set_exception(problem)
        return
    for write, result in zip(group, results, strict=True):
        write.written.set_result(result)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _now() -> str:
    return _text(datetime.now(UTC))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
