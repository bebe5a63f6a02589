"""The statement of the sandbox network's bank: what its settlements did to our account."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from payouts.networks.base import SettlementUnavailable
from payouts.networks.sandbox.adapter import Patience, SandboxNetwork
from payouts.networks.sandbox.settlement import Window, reference_of
from payouts.reconciliation.bank_statements import Statement
from payouts.reconciliation.settlement_files.sandbox_csv import read_edges
from payouts.reconciliation.statement_files import read_statements
from tests.payouts.networks.cast import make_push, push_once
from tests.sandbox import SandboxServer

TODAY = datetime.now(UTC).date()
DAYS = tuple(TODAY - timedelta(days=number) for number in (3, 2, 1))


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """A network that has credited a push on each of the last three days."""
    path = tmp_path_factory.mktemp("statement") / "book.sqlite3"
    with SandboxServer.started(path, latency_ms=0) as first:
        for number in range(len(DAYS)):
            push_once(first, make_push(amount=f"{25 + number}.00"))
        first.stop()
    with closing(sqlite3.connect(path)) as book, book:
        for number, day in enumerate(DAYS, start=1):
            noon = datetime.combine(day, time(12), UTC).isoformat(timespec="milliseconds")
            book.execute("UPDATE instructions SET credited_at = ? WHERE id = ?", (noon, number))
    with SandboxServer.started(path) as second:
        yield second


def statement(server: SandboxServer, **asked: str | int) -> Statement:
    response = server.http.get("/statement", params=asked)
    assert response.status_code == 200, response.text
    (one,) = read_statements(response.content)
    return one


def window(begin: date, end: date) -> dict[str, str | int]:
    return {"from": f"{begin}T00:00:00Z", "until": f"{end}T00:00:00Z"}


def test_the_adapter_fetches_the_networks_file_of_a_day(stocked: SandboxServer) -> None:
    network = SandboxNetwork(stocked.address, patience=Patience.reading(5))
    whose = {"acquiring_bin": "408999", "card_acceptor_id": "PAYOUTS00000001"}
    content = network.settlement_file(DAYS[0], **whose, largest_bytes=10_000)
    header, trailer = read_edges(content)
    assert (header.begins_at.date(), trailer.credited) == (DAYS[0], Decimal("25.00"))
    with pytest.raises(SettlementUnavailable, match="too large"):
        network.settlement_file(DAYS[0], **whose, largest_bytes=10)
    with pytest.raises(SettlementUnavailable, match="400"):
        network.settlement_file(TODAY + timedelta(days=1), **whose, largest_bytes=10_000)
    nobody = SandboxNetwork("http://127.0.0.1:9", patience=Patience.reading(1))
    with pytest.raises(SettlementUnavailable, match="ConnectError"):
        nobody.settlement_file(TODAY, **whose, largest_bytes=10_000)


def test_settles_a_day_on_the_next_one(stocked: SandboxServer) -> None:
    found = statement(stocked, day=DAYS[0].isoformat())
    (entry,) = found.entries
    assert (entry.amount, entry.booked_on) == (Decimal("-25.00"), DAYS[1])
    assert reference_of(Window.of_day(DAYS[0])) in entry.texts
    assert found.opens_on == found.closes_on == DAYS[1]


def test_days_follow_each_other_and_are_the_same_as_together(stocked: SandboxServer) -> None:
    apart = [statement(stocked, day=day.isoformat(), format="csv") for day in DAYS]
    assert [one.closing for one in apart[:2]] == [one.opening for one in apart[1:]]
    together = statement(stocked, **window(DAYS[0], TODAY))
    amounts = [entry.amount for one in apart for entry in one.entries]
    assert [entry.amount for entry in together.entries] == amounts
    assert (together.opening, together.closing) == (apart[0].opening, apart[2].closing)


def test_settles_what_was_planted_in_the_networks_own_file(stocked: SandboxServer) -> None:
    asked: dict[str, str | int] = {"day": DAYS[0].isoformat(), "plant": "amount_differs", "seed": 7}
    (entry,) = statement(stocked, **asked).entries
    assert entry.amount == Decimal("-25.01")
    assert any(text.endswith("-P7") for text in entry.texts)


def test_plants_what_it_is_asked_to(stocked: SandboxServer) -> None:
    asked = window(DAYS[0], TODAY)
    wrong = statement(stocked, **asked, bank="twice,missing,stranger")
    assert len(wrong.entries) == len(DAYS) + 1
    assert Decimal("-25.00") in {entry.amount for entry in wrong.entries}
    assert statement(stocked, **asked, openingCents="100").opening == Decimal("1.00")
    for mistaken in ({"bank": "nonsense"}, {"openingCents": "-1"}, {"day": "never"}):
        assert stocked.http.get("/statement", params={**asked, **mistaken}).status_code == 400
