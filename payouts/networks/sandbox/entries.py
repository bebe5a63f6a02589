"""The rows of the sandbox network's book and the statements that read and write them.

Every function works on a connection whose transaction is somebody else's: `book` has the threads
and the commits. No whole card number is stored.
"""

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from enum import Enum, auto
from typing import NamedTuple

from payouts.networks.base import NetworkIdentity
from payouts.networks.sandbox.behaviour import is_approval

SCHEMA = """
CREATE TABLE IF NOT EXISTS instructions (
    id INTEGER PRIMARY KEY,
    acquiring_bin TEXT NOT NULL,
    systems_trace_audit_number TEXT NOT NULL,
    retrieval_reference_number TEXT NOT NULL,
    card_acceptor_id TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    card_token TEXT NOT NULL,
    card_last4 TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    currency TEXT NOT NULL,
    planned_code TEXT NOT NULL,
    fault TEXT,
    state TEXT NOT NULL CHECK (state IN ('dropped', 'running', 'decided')),
    code TEXT,
    credited INTEGER NOT NULL DEFAULT 0,
    received_at TEXT NOT NULL,
    credited_at TEXT,
    decided_at TEXT,
    times_seen INTEGER NOT NULL DEFAULT 1,
    times_refused INTEGER NOT NULL DEFAULT 0,
    hidden_inquiries INTEGER NOT NULL DEFAULT 0,
    UNIQUE (retrieval_reference_number, systems_trace_audit_number, acquiring_bin,
            card_acceptor_id, terminal_id),
    CHECK ((state = 'decided') = (code IS NOT NULL)),
    CHECK (credited = (credited_at IS NOT NULL)),
    CHECK (credited = 0 OR code IN ('00', '11'))
)
"""

_INSERT = """
INSERT INTO instructions (
    acquiring_bin, systems_trace_audit_number, retrieval_reference_number, card_acceptor_id,
    terminal_id, card_token, card_last4, amount_cents, currency, planned_code, fault, state,
    hidden_inquiries, received_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""

_BY_IDENTITY = """
SELECT * FROM instructions WHERE acquiring_bin = ? AND systems_trace_audit_number = ?
AND retrieval_reference_number = ? AND card_acceptor_id = ? AND terminal_id = ?
"""

# The network's inquiry knows three of the five; the other two only narrow it down.
_BY_QUERY = """
SELECT * FROM instructions WHERE retrieval_reference_number = ? AND systems_trace_audit_number = ?
AND acquiring_bin = ? AND (? = '' OR card_acceptor_id = ?) AND (? = '' OR terminal_id = ?)
AND state <> 'dropped' ORDER BY id LIMIT 1
"""

_DECIDE = """
UPDATE instructions SET state = 'decided', code = ?, decided_at = ?, credited = ?, credited_at = ?
WHERE id = ? AND state = 'running'
"""

_TOTALS = """
SELECT count(*) AS instructions,
    coalesce(sum(credited), 0) AS credited,
    coalesce(sum(amount_cents) FILTER (WHERE credited), 0) AS credited_cents,
    count(*) FILTER (WHERE state = 'decided' AND NOT credited) AS declined,
    count(*) FILTER (WHERE state = 'running') AS running,
    count(*) FILTER (WHERE state = 'dropped') AS dropped,
    coalesce(sum(times_seen - 1), 0) AS repeats,
    coalesce(sum(times_refused), 0) AS refused
FROM instructions
"""


class Merchant(NamedTuple):
    """Whose instructions: a network settles with each apart."""

    acquiring_bin: str
    card_acceptor_id: str


class Settled(NamedTuple):
    """What a settlement file is about: a merchant's, from an instant up to before another one."""

    acquiring_bin: str
    card_acceptor_id: str
    begins_at: str
    ends_at: str


_SETTLED = "acquiring_bin = ? AND card_acceptor_id = ? AND credited_at >= ? AND credited_at < ?"
_DECLINED = (
    "acquiring_bin = ? AND card_acceptor_id = ? AND decided_at >= ? AND decided_at < ?"
    " AND credited = 0"
)


@dataclass(frozen=True, slots=True)
class Order:
    """An instruction as it arrives."""

    identity: NetworkIdentity
    card_token: str
    card_last4: str
    amount_cents: int
    currency: str
    planned_code: str
    fault: str | None
    is_dropped: bool
    hidden_inquiries: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the book, in the order of its columns."""

    id: int
    acquiring_bin: str
    systems_trace_audit_number: str
    retrieval_reference_number: str
    card_acceptor_id: str
    terminal_id: str
    card_token: str
    card_last4: str
    amount_cents: int
    currency: str
    planned_code: str
    fault: str | None
    state: str
    code: str | None
    credited: int
    received_at: str
    credited_at: str | None
    decided_at: str | None
    times_seen: int
    times_refused: int
    hidden_inquiries: int

    @property
    def status_identifier(self) -> str:
        return f"{self.id:015d}"

    @property
    def transaction_identifier(self) -> str:
        return f"3{self.id:014d}"

    @property
    def approval_code(self) -> str:
        return f"{self.id % 100_000:05d}S"


ENTRY_NAMES = tuple(column.name for column in fields(Entry))


class Standing(Enum):
    """What an arriving instruction is to the book."""

    # Never seen: to be carried out, or to be lost if its plan says so.
    NEW = auto()
    # Seen but dropped before: now it is carried out.
    TAKEN_UP = auto()
    # Seen and still running for the earlier call.
    RUNNING = auto()
    # Seen and decided: the first answer again.
    DECIDED = auto()
    # The identity is known with another card or amount.
    OTHER_CONTENT = auto()


@dataclass(frozen=True, slots=True)
class Receipt:
    standing: Standing
    entry: Entry


def card_token(number: str) -> str:
    """How the book names a card: the beginning of the SHA-256 of its number."""
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def receive(connection: sqlite3.Connection, order: Order, *, received_at: str) -> Receipt:
    """Enter an instruction, or recognise its identity and count it."""
    inserted = connection.execute(
        _INSERT,
        (
            *astuple(order.identity),
            order.card_token,
            order.card_last4,
            order.amount_cents,
            order.currency,
            order.planned_code,
            order.fault,
            "dropped" if order.is_dropped else "running",
            order.hidden_inquiries,
            received_at,
        ),
    ).rowcount
    row = connection.execute(_BY_IDENTITY, astuple(order.identity)).fetchone()
    entry = Entry(*row)
    if inserted:
        return Receipt(Standing.NEW, entry)
    return _recognise(connection, order, entry)


def _recognise(connection: sqlite3.Connection, order: Order, entry: Entry) -> Receipt:
    if not _has_same_content(order, entry):
        connection.execute(
            "UPDATE instructions SET times_refused = times_refused + 1 WHERE id = ?", (entry.id,)
        )
        return Receipt(Standing.OTHER_CONTENT, entry)
    connection.execute(
        "UPDATE instructions SET times_seen = times_seen + 1,"
        " state = CASE state WHEN 'dropped' THEN 'running' ELSE state END WHERE id = ?",
        (entry.id,),
    )
    standing = {
        "dropped": Standing.TAKEN_UP,
        "running": Standing.RUNNING,
        "decided": Standing.DECIDED,
    }[entry.state]
    return Receipt(standing, entry)


def _has_same_content(order: Order, entry: Entry) -> bool:
    return (order.card_token, order.amount_cents, order.currency) == (
        entry.card_token,
        entry.amount_cents,
        entry.currency,
    )


def decide(connection: sqlite3.Connection, entry_id: int, *, code: str, decided_at: str) -> Entry:
    """Decide an instruction if it is running, and say what the book then holds."""
    credited = is_approval(code)
    connection.execute(
        _DECIDE, (code, decided_at, int(credited), decided_at if credited else None, entry_id)
    )
    entry = entry_of(connection, entry_id)
    assert entry is not None
    return entry


def uncover(connection: sqlite3.Connection, entry_id: int) -> None:
    """Count one inquiry that found nothing although the instruction is there."""
    connection.execute(
        "UPDATE instructions SET hidden_inquiries = hidden_inquiries - 1"
        " WHERE id = ? AND hidden_inquiries > 0",
        (entry_id,),
    )


def find(connection: sqlite3.Connection, query: Mapping[str, str]) -> Entry | None:
    """The instruction that the parameters of an inquiry name, unless it was dropped."""
    acceptor, terminal = query.get("idCode", ""), query.get("terminalId", "")
    parameters = (
        query.get("rrn", ""),
        query.get("stan", ""),
        query.get("acquiringBIN", ""),
        *(acceptor, acceptor),
        *(terminal, terminal),
    )
    row = connection.execute(_BY_QUERY, parameters).fetchone()
    return Entry(*row) if row is not None else None


def entry_of(connection: sqlite3.Connection, entry_id: int) -> Entry | None:
    found = select(connection, "WHERE id = ?", (entry_id,))
    return found[0] if found else None


def merchants(connection: sqlite3.Connection) -> list[Merchant]:
    """Everybody whose instructions stand in the book."""
    rows = connection.execute("SELECT DISTINCT acquiring_bin, card_acceptor_id FROM instructions")
    return [Merchant(*row) for row in rows]


def count_settled(connection: sqlite3.Connection, settled: Settled) -> int:
    """How many credits a settlement file has."""
    sql = f"SELECT count(*) FROM instructions WHERE {_SETTLED}"  # noqa: S608  # nosec B608
    return int(connection.execute(sql, settled).fetchone()[0])


def sum_settled(connection: sqlite3.Connection, settled: Settled) -> tuple[int, int]:
    """How many credits a settlement file has, and their sum in cents."""
    sql = f"SELECT COUNT(*), COALESCE(SUM(amount_cents), 0) FROM instructions WHERE {_SETTLED}"  # noqa: S608  # nosec B608: constants only
    count, cents = connection.execute(sql, settled).fetchone()
    return int(count), int(cents)


def settled_entries(
    connection: sqlite3.Connection, settled: Settled, *, after: int, limit: int
) -> list[Entry]:
    """The credits of a settlement file in the order of arrival, after one's id."""
    condition = f"WHERE {_SETTLED} AND id > ? ORDER BY id LIMIT ?"
    return select(connection, condition, (*settled, after, limit))


def declined_entries(
    connection: sqlite3.Connection, settled: Settled, *, limit: int
) -> list[Entry]:
    """What was declined in the time of a settlement file."""
    return select(connection, f"WHERE {_DECLINED} ORDER BY id LIMIT ?", (*settled, limit))


def select(
    connection: sqlite3.Connection, condition: str, parameters: tuple[int | str, ...]
) -> list[Entry]:
    columns = ", ".join(ENTRY_NAMES)
    rows = connection.execute(f"SELECT {columns} FROM instructions {condition}", parameters)  # noqa: S608  # nosec B608: constants only
    return [Entry(*row) for row in rows]


def totals(connection: sqlite3.Connection) -> dict[str, int]:
    """Counts over the whole book, and what was credited in cents."""
    cursor = connection.execute(_TOTALS)
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))
