"""The sandbox network's settlement file: what it credited, and what it was asked to get wrong."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from payouts.networks.sandbox.planting import Plant
from tests.payouts.networks.cast import make_push, push_once
from tests.sandbox import SandboxServer

DAY = datetime.now(UTC).date()


def lines_of(server: SandboxServer, **asked: str | int) -> list[list[str]]:
    response = asked_for(server, "/settlement", **asked)
    assert response.status_code == 200, response.text
    return [line.split(",") for line in response.text.splitlines()]


def asked_for(server: SandboxServer, path: str, **asked: str | int) -> httpx.Response:
    since = datetime.now(UTC) - timedelta(days=2)
    query = {"from": since.isoformat(), **asked}
    return server.http.get(path, params=query)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """A network that has credited ten pushes and declined one, some seconds ago."""
    path = tmp_path_factory.mktemp("settlement") / "book.sqlite3"
    with SandboxServer.started(path, latency_ms=0) as first:
        for number in range(10):
            push_once(first, make_push(amount=f"{25 + number}.00"))
        push_once(first, make_push(amount="1100.05"))
        first.stop()
    earlier = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds")
    with closing(sqlite3.connect(path)) as book, book:
        book.execute("UPDATE instructions SET decided_at = ?", (earlier,))
        book.execute("UPDATE instructions SET credited_at = ? WHERE credited", (earlier,))
    with SandboxServer.started(path) as second:
        yield second


def test_lists_what_was_credited_between_header_and_trailer(stocked: SandboxServer) -> None:
    head, *lines, trailer = lines_of(stocked)
    assert head[:3] == ["H", "PAYOUTS-SANDBOX-SETTLEMENT", "1"]
    assert head[4:6] == ["408999", "PAYOUTS00000001"]
    assert {line[1] for line in lines} == {"credit"}
    assert [line[9] for line in lines] == [f"{25 + number}.00" for number in range(10)]
    assert trailer == ["T", "10", "10", "295.00", "0", "0.00"]


def test_names_each_by_the_identity_that_the_book_has(stocked: SandboxServer) -> None:
    _, first, *_ = lines_of(stocked)
    entry = stocked.book()[0]
    assert first[2:7] == [
        entry["acquiring_bin"],
        entry["systems_trace_audit_number"],
        entry["retrieval_reference_number"],
        entry["card_acceptor_id"],
        entry["terminal_id"],
    ]


def test_holds_nothing_of_another_window(stocked: SandboxServer) -> None:
    begins = datetime.now(UTC) - timedelta(days=2)
    until = (begins + timedelta(days=1)).isoformat()
    assert len(lines_of(stocked, until=until)) == 2


def test_plants_each_kind_and_says_what_it_planted(stocked: SandboxServer) -> None:
    asked: dict[str, str | int] = {
        "plant": "all",
        "seed": 7,
        "until": f"{datetime.now(UTC):%Y-%m-%dT%H:%M}:00Z",
    }
    _, *lines, trailer = lines_of(stocked, **asked)
    planted = asked_for(stocked, "/settlement/planted", **asked).json()["planted"]
    assert {one["plant"] for one in planted} == {plant.value for plant in Plant}
    assert len(planted) == len(Plant)
    # One is left out; a stranger, a repeat, two returns and a decline are put in.
    assert len(lines) == 14
    assert trailer[1] == "14"
    assert sum(line[10] == "EUR" for line in lines) == 1
    assert sum(line[1] == "return" for line in lines) == 2
    assert lines == lines_of(stocked, **asked)[1:-1]


@pytest.mark.parametrize(
    "asked",
    [
        {"day": "yesterday"},
        {"from": "2026-01-01T00:00:00"},
        {"plant": "nonsense"},
        {"plant": "all", "each": "100000"},
        {"until": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_refuses_what_it_does_not_understand(stocked: SandboxServer, asked: dict[str, str]) -> None:
    assert asked_for(stocked, "/settlement", **asked).status_code == 400


def test_a_book_that_knows_nobody_wants_to_be_told_whose(own_sandbox: SandboxServer) -> None:
    assert asked_for(own_sandbox, "/settlement").json()["fields"] == ["acquiringBIN", "idCode"]
    named = {"acquiringBIN": "408999", "idCode": "X"}
    assert lines_of(own_sandbox, **named)[-1] == ["T", "0", "0", "0.00", "0", "0.00"]
