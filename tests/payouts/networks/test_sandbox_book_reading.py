from collections.abc import Iterator
from pathlib import Path

import pytest

from payouts.networks.sandbox import book_reading
from payouts.networks.sandbox.book_reading import BookUnreadable, read_book_at, read_book_in
from payouts.networks.sandbox.entries import Entry
from tests.payouts.networks.cast import make_push, push_once
from tests.sandbox import SandboxServer


@pytest.fixture
def pushed(own_sandbox: SandboxServer) -> list[str]:
    """The amounts that the network was asked to push."""
    amounts = ["25.00", "1100.51", "12.34", "7.00", "8.01"]
    for amount in amounts:
        push_once(own_sandbox, make_push(amount=amount))
    return amounts


def dollars(entries: Iterator[Entry]) -> list[str]:
    return [f"{entry.amount_cents / 100:.2f}" for entry in entries]


def test_reads_every_instruction_over_http(own_sandbox: SandboxServer, pushed: list[str]) -> None:
    assert dollars(read_book_at(own_sandbox.address)) == pushed
    assert dollars(read_book_at(f"{own_sandbox.address}/")) == pushed


def test_reads_the_file_while_the_network_writes_it(
    own_sandbox: SandboxServer, pushed: list[str]
) -> None:
    assert dollars(read_book_in(own_sandbox.book_path)) == pushed


def test_both_ways_say_the_same(own_sandbox: SandboxServer, pushed: list[str]) -> None:
    by_http = list(read_book_at(own_sandbox.address))
    assert list(read_book_in(own_sandbox.book_path)) == by_http
    assert [entry.credited for entry in by_http] == [1, 0, 1, 1, 1]


def test_reads_on_over_several_pages(
    own_sandbox: SandboxServer, pushed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_reading, "_PAGE", 2)
    assert dollars(read_book_at(own_sandbox.address)) == pushed
    assert dollars(read_book_in(own_sandbox.book_path)) == pushed


def test_an_empty_book_has_no_entries(own_sandbox: SandboxServer) -> None:
    assert list(read_book_at(own_sandbox.address)) == []
    assert list(read_book_in(own_sandbox.book_path)) == []


def test_does_not_make_a_book_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite3"
    with pytest.raises(BookUnreadable, match=r"none\.sqlite3"):
        list(read_book_in(path))
    assert not path.exists()


def test_refuses_a_file_that_is_no_book(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear network,\n" * 100)
    with pytest.raises(BookUnreadable):
        list(read_book_in(path))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nowhere", "http://[", "ftp://x"])
def test_refuses_an_address_where_nobody_answers(address: str) -> None:
    with pytest.raises(BookUnreadable):
        list(read_book_at(address))


def test_refuses_an_address_of_something_else(own_sandbox: SandboxServer) -> None:
    with pytest.raises(BookUnreadable):
        list(read_book_at(f"{own_sandbox.address}/healthz?"))
