"""The sandbox network's settlement file: what it says that it has credited, line by line.

Pure: entries of the book go in, text comes out. The format is described in docs/reconciliation.md
and read, by code of its own, in `payouts.reconciliation.settlement_files`. Wrong lines are in
`planting`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from payouts.networks.sandbox.entries import Entry

FORMAT: Final = "PAYOUTS-SANDBOX-SETTLEMENT"
VERSION: Final = "1"
CURRENCY: Final = "USD"
CREDIT: Final = "credit"
RETURN: Final = "return"


@dataclass(frozen=True, slots=True)
class Window:
    """What the file is about: everything credited from `begins_at` up to before `ends_at`."""

    begins_at: datetime
    ends_at: datetime

    @classmethod
    def of_day(cls, day: date) -> "Window":
        """A day of the network, which settles by UTC."""
        begins_at = datetime.combine(day, time(), UTC)
        return cls(begins_at, begins_at + timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: for whom, about when, and made when. `reference` is the network's own."""

    acquiring_bin: str
    card_acceptor_id: str
    window: Window
    made_at: datetime
    reference: str

    def text(self) -> str:
        instants = (self.window.begins_at, self.window.ends_at, self.made_at)
        return _line(
            "H",
            *(FORMAT, VERSION, self.reference, self.acquiring_bin, self.card_acceptor_id),
            *(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in instants),
            CURRENCY,
        )


class Line(NamedTuple):
    """One credit, or one return of one."""

    kind: str
    acquiring_bin: str
    trace_number: str
    retrieval_reference_number: str
    card_acceptor_id: str
    terminal_id: str
    transaction_id: str
    status_identifier: str
    cents: int
    currency: str
    settled_on: date
    card_last4: str

    def text(self) -> str:
        dollars = f"{self.cents // 100}.{self.cents % 100:02d}"
        return _line("D", *self[:8], dollars, self.currency, self.settled_on.isoformat(), self[11])


@dataclass(slots=True)
class Sums:
    """What the trailer says: lines, and the money of those in the file's currency."""

    lines: int = 0
    cents: dict[str, int] = field(default_factory=lambda: {CREDIT: 0, RETURN: 0})
    counts: dict[str, int] = field(default_factory=lambda: {CREDIT: 0, RETURN: 0})

    def add(self, line: Line) -> None:
        self.lines += 1
        if line.currency == CURRENCY:
            self.counts[line.kind] += 1
            self.cents[line.kind] += line.cents

    def text(self) -> str:
        sums = [
            part
            for kind in (CREDIT, RETURN)
            for part in (str(self.counts[kind]), _dollars(self.cents[kind]))
        ]
        return _line("T", str(self.lines), *sums)


def reference_of(window: Window, *, suffix: str = "") -> str:
    """The network's name for the file; a bank's payment about it carries the same."""
    return f"S{window.begins_at:%Y%m%d%H%M%S}-{window.ends_at:%Y%m%d%H%M%S}{suffix}"


def line_of(entry: Entry) -> Line:
    """The line about an instruction that was credited, or that is called so."""
    settled_at = datetime.fromisoformat(entry.credited_at or entry.received_at)
    return Line(
        CREDIT,
        entry.acquiring_bin,
        entry.systems_trace_audit_number,
        entry.retrieval_reference_number,
        entry.card_acceptor_id,
        entry.terminal_id,
        entry.transaction_identifier,
        entry.status_identifier,
        entry.amount_cents,
        entry.currency,
        settled_at.astimezone(UTC).date(),
        entry.card_last4,
    )


def file_text(header: Header, lines: Iterable[Line]) -> Iterator[str]:
    """The file, line by line."""
    sums = Sums()
    yield header.text()
    for line in lines:
        sums.add(line)
        yield line.text()
    yield sums.text()


def _line(*cells: str) -> str:
    return ",".join(cells) + "\n"


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
