"""Ten kinds of wrong lines in the file of a real sandbox network: all found, and none invented."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from payouts.models import Case, SettlementFile
from payouts.networks.sandbox.planting import Plant
from tests.books import assert_books_are_right
from tests.owner import forced
from tests.payouts.commands.running import refusal, run, run_json
from tests.payouts.reconciliation.sending import send_all
from tests.pushes import make_funded_partner, make_payee, push
from tests.sandbox import SandboxServer

pytestmark = pytest.mark.django_db

EACH = 2
# What each plant is found as. A line under a strange identity is recognised by amount and card.
FOUND_AS = {
    Plant.AMOUNT_DIFFERS: "amount_differs",
    Plant.MISSING_THERE: "missing_there",
    Plant.MISSING_HERE: "missing_here",
    Plant.DUPLICATE: "duplicate",
    Plant.LATE: "late",
    Plant.RETURNED: "returned",
    Plant.RETURN_DIFFERS: "returned",
    Plant.WRONG_CURRENCY: "currency_differs",
    Plant.WRONG_IDENTITY: "identity_differs",
    Plant.DECLINED_CREDITED: "contradicts",
}


def hours_pass(sandbox: SandboxServer) -> None:
    """All that was sent lies three hours back, here and in the network's book."""
    forced("UPDATE payouts_attempt SET created_at = created_at - interval '3 hours'")
    forced(
        "UPDATE payouts_payment SET completed_at = completed_at - interval '3 hours'"
        " WHERE completed_at IS NOT NULL"
    )
    sandbox.stop()


def settlement(sandbox: SandboxServer, folder: Path, **asked: str | int) -> Path:
    """Fetch the file of the last day, as staff would by hand."""
    until = datetime.now(UTC) - timedelta(minutes=30)
    window = {"from": (until - timedelta(days=1)).isoformat(), "until": until.isoformat()}
    response = sandbox.http.get("/settlement", params={**window, **asked})
    assert response.status_code == 200, response.text
    path = folder / "settlement.csv"
    path.write_bytes(response.content)
    return path


@pytest.fixture
def settled(sandbox: SandboxServer, tmp_path: Path) -> Iterator[SandboxServer]:
    """Twenty-two pushes that were paid, three declined, two unclear ones; all hours ago."""
    card = make_payee(partner=make_funded_partner(dollars="90000.00"))
    for number in range(22):
        push(card, amount=f"{20 + number}.50")
    for amount in ("1100.05", "1100.61", "1100.14", "1200.06", "1200.12"):
        push(card, amount=amount)
    send_all(sandbox)
    hours_pass(sandbox)
    _set_back(sandbox.book_path)
    with SandboxServer.started(sandbox.book_path) as server:
        yield server


def _set_back(book_path: Path) -> None:
    earlier = (timezone.now() - timedelta(hours=3)).astimezone(UTC)
    text = earlier.isoformat(timespec="milliseconds")
    with closing(sqlite3.connect(book_path)) as book, book:
        book.execute("UPDATE instructions SET credited_at = ? WHERE credited", (text,))
        book.execute("UPDATE instructions SET decided_at = ?", (text,))


def test_a_right_file_resolves_what_was_unclear_and_finds_nothing(
    settled: SandboxServer, tmp_path: Path
) -> None:
    told = run_json("import_settlement", str(settlement(settled, tmp_path)))
    assert (told["state"], told["lines"], told["matched"]) == ("done", 24, 22)
    assert told["findings"] == {"resolves": 2}
    assert not Case.objects.exists()
    assert_books_are_right()
    again = run("import_settlement", str(tmp_path / "settlement.csv"))
    assert "imported before, and nothing has changed" in again


def test_every_planted_difference_is_found_and_none_is_invented(
    settled: SandboxServer, tmp_path: Path
) -> None:
    asked: dict[str, str | int] = {"plant": "all", "each": EACH, "seed": 24}
    path = settlement(settled, tmp_path, **asked)
    told = run_json("import_settlement", str(path))
    found = Counter(told["findings"])
    assert found.pop("resolves") == 2
    expected = Counter(dict.fromkeys(FOUND_AS.values(), 0))
    for plant in Plant:
        expected[FOUND_AS[plant]] += EACH
    assert found == expected
    assert Case.objects.count() == sum(expected.values()) - EACH
    assert_books_are_right()


def test_a_file_cut_short_is_refused(settled: SandboxServer, tmp_path: Path) -> None:
    path = settlement(settled, tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "end is missing" in refusal("import_settlement", str(path))
    assert not SettlementFile.objects.exists()


def test_says_what_it_cannot_read(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing.csv")
    assert "cannot be read" in refusal("import_settlement", missing)
    assert "no active member" in refusal("import_settlement", missing, "--by", "nobody")
