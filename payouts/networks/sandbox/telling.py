"""What the sandbox network posts by itself, and when: rows of the book, until they have arrived.

In the book's file, so that what is to be told days later outlives the process. Like `entries`,
every function works on a connection whose transaction is somebody else's.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from payouts.networks.sandbox.behaviour import Fault, Switches, is_approval
from payouts.networks.sandbox.entries import Entry

SCHEMA = """
CREATE TABLE IF NOT EXISTS notifications (
    id INTEGER PRIMARY KEY,
    instruction INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    due_at TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    arrived_at TEXT,
    UNIQUE (instruction, kind, number)
)
"""
INDEX = """
CREATE INDEX IF NOT EXISTS notifications_due ON notifications (due_at) WHERE arrived_at IS NULL
"""

_SECOND_MS = 200
_TRIES = 12
_LONGEST_PAUSE = timedelta(hours=1)


class Kind(StrEnum):
    DECISION = "decision"
    IN_PROGRESS = "in_progress"
    RETURN = "return"
    # Says the opposite of what is planned, and is signed by somebody else.
    FORGED = "forged"


class Telling(NamedTuple):
    """Something to be told so many milliseconds from now; the second of a kind has the number 2."""

    kind: Kind
    number: int = 1
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A row that is to be posted."""

    id: int
    instruction: int
    kind: Kind
    tries: int


def told_at_once(fault: Fault | None) -> tuple[Telling, ...]:
    """What somebody posts while the instruction is still being worked on."""
    return (Telling(Kind.FORGED),) if fault is Fault.FORGED else ()


def told_when_decided(entry: Entry, switches: Switches) -> tuple[Telling, ...]:
    """What the network posts once it has decided, by the fault that was planned."""
    fault = None if entry.fault is None else Fault[entry.fault.upper()]
    decision = Telling(Kind.DECISION)
    if fault is Fault.TOLD_TWICE:
        return (decision, Telling(Kind.DECISION, 2, _SECOND_MS))
    if fault is Fault.TOLD_OUT_OF_ORDER:
        return (decision, Telling(Kind.IN_PROGRESS, 1, _SECOND_MS))
    if fault in (Fault.LATE, Fault.OVER_LIMIT):
        return (decision,)
    if fault is Fault.CONTRADICTED:
        return (Telling(Kind.DECISION, 1, switches.late_ms),)
    if fault in (Fault.RETURNED, Fault.RETURNED_UNSEEN) and is_approval(entry.planned_code):
        after_ms = switches.return_ms if fault is Fault.RETURNED else _SECOND_MS
        return (Telling(Kind.RETURN, 1, after_ms),)
    return ()


def plan(
    connection: sqlite3.Connection, entry_id: int, tellings: tuple[Telling, ...], *, at: datetime
) -> None:
    """Enter what is to be told. The same again changes nothing."""
    connection.executemany(
        "INSERT INTO notifications (instruction, kind, number, due_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [
            (entry_id, one.kind.value, one.number, _text(at + timedelta(milliseconds=one.after_ms)))
            for one in tellings
        ],
    )


def due(connection: sqlite3.Connection, *, at: datetime, limit: int) -> list[Due]:
    """What is to be posted now, the longest due first."""
    rows = connection.execute(
        "SELECT id, instruction, kind, tries FROM notifications"
        " WHERE arrived_at IS NULL AND due_at <= ? AND tries < ? ORDER BY due_at, id LIMIT ?",
        (_text(at), _TRIES, limit),
    )
    return [Due(row[0], row[1], Kind(row[2]), row[3]) for row in rows]


def mark(connection: sqlite3.Connection, one: Due, *, has_arrived: bool, at: datetime) -> None:
    """Enter what came of a try; what did not arrive is tried again, ever later."""
    pause = min(timedelta(seconds=2**one.tries), _LONGEST_PAUSE)
    connection.execute(
        "UPDATE notifications SET tries = tries + 1, arrived_at = ?, due_at = ? WHERE id = ?",
        (_text(at) if has_arrived else None, _text(at + pause), one.id),
    )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
