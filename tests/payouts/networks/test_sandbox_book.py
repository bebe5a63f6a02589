import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from payouts.networks.sandbox.book import Book
from payouts.networks.sandbox.entries import Entry, Order, Standing, card_token
from tests.payouts.networks.cast import VISA, make_identity

Told = TypeVar("Told")


def make_order(*, amount_cents: int = 2500) -> Order:
    return Order(
        identity=make_identity(),
        card_token=card_token(VISA),
        card_last4="1111",
        amount_cents=amount_cents,
        currency="USD",
        planned_code="00",
        fault=None,
        is_dropped=False,
        hidden_inquiries=0,
    )


def with_book(path: Path, work: Callable[[Book], Awaitable[Told]]) -> Told:
    async def run() -> Told:
        book = Book(path)
        try:
            return await work(book)
        finally:
            book.close()

    return asyncio.run(run())


def test_reads_its_rows_in_the_order_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite3"

    async def receive(book: Book) -> Entry:
        return (await book.receive(make_order())).entry

    entry = with_book(path, receive)
    connection = sqlite3.connect(path)
    columns = tuple(row[1] for row in connection.execute("PRAGMA table_info(instructions)"))
    connection.close()
    assert columns == tuple(Entry.__dataclass_fields__)
    assert (entry.amount_cents, entry.state, entry.credited) == (2500, "running", 0)


def test_tells_one_caller_only_that_an_identity_is_new(tmp_path: Path) -> None:
    order = make_order()

    async def race(book: Book) -> list[Standing]:
        receipts = await asyncio.gather(*(book.receive(order) for _ in range(100)))
        return [receipt.standing for receipt in receipts]

    standings = with_book(tmp_path / "book.sqlite3", race)
    assert standings.count(Standing.NEW) == 1
    assert standings.count(Standing.RUNNING) == 99


def test_has_committed_by_the_time_it_answers(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite3"

    async def read_after_each(book: Book) -> list[tuple[int]]:
        seen = []
        with closing(sqlite3.connect(path)) as other:
            for _ in range(50):
                entry = (await book.receive(make_order())).entry
                await book.decide(entry.id, code="00")
                found = other.execute("SELECT credited FROM instructions WHERE id = ?", (entry.id,))
                seen.append(found.fetchone())
        return seen

    assert with_book(path, read_after_each) == [(1,)] * 50


def test_keeps_the_first_decision(tmp_path: Path) -> None:
    async def decide(book: Book) -> Entry:
        entry = (await book.receive(make_order())).entry
        await book.decide(entry.id, code="05")
        return await book.decide(entry.id, code="00")

    entry = with_book(tmp_path / "book.sqlite3", decide)
    assert (entry.code, entry.credited, entry.credited_at) == ("05", 0, None)


def test_refuses_to_credit_what_was_declined_even_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite3"

    async def decline(book: Book) -> Entry:
        entry = (await book.receive(make_order())).entry
        return await book.decide(entry.id, code="05")

    with_book(path, decline)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE instructions SET credited = 1, credited_at = 'now'")
    connection.close()


def test_tells_the_callers_of_a_group_that_failed_and_goes_on(tmp_path: Path) -> None:
    async def fail_once(book: Book) -> int:
        with pytest.raises(sqlite3.IntegrityError):
            await book.receive(make_order(amount_cents=0))
        await book.receive(make_order())
        return (await book.totals())["instructions"]

    assert with_book(tmp_path / "book.sqlite3", fail_once) == 1


def test_goes_on_when_callers_give_up(tmp_path: Path) -> None:
    async def give_up(book: Book) -> Standing:
        tasks = [asyncio.create_task(book.receive(make_order())) for _ in range(200)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return (await book.receive(make_order())).standing

    assert with_book(tmp_path / "book.sqlite3", give_up) is Standing.NEW
