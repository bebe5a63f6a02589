"""How the chain stands: what is linked, what waits, when it was verified last. For screens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from consumers.audit import Verb
from consumers.models import AuditEntry
from consumers.statements import fetch_row
from payouts.audit.chain import Head
from payouts.audit.sources import FIRST_ID, SOURCES
from payouts.models import AuditBlock

# The linker comes every few seconds. Above this it is not running, or waits for a long transaction.
LATE_SECONDS: Final = 120
COUNTED_AT_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that are not linked yet, and since when the oldest of those that say so.

    No more than `COUNTED_AT_MOST` of a table are counted.
    """

    rows: int = 0
    oldest_at: datetime | None = None

    def is_late(self, *, now: datetime) -> bool:
        return self.oldest_at is not None and (now - self.oldest_at).total_seconds() > LATE_SECONDS


@dataclass(frozen=True, slots=True)
class ChainState:
    """`verified` is the entry of the last verification, whatever it found."""

    head: Head | None
    linked_at: datetime | None
    waiting: Waiting
    verified: AuditEntry | None
    is_late: bool


def chain_state() -> ChainState:
    """Read how the chain stands: a fixed number of statements, none of which reads much."""
    newest = AuditBlock.objects.order_by("-number").only("hash", "linked_at").first()
    head = None if newest is None else Head(newest.number, bytes(newest.hash))
    verified = AuditEntry.objects.filter(verb=Verb.VERIFY).order_by("-id").first()
    waiting = rows_waiting()
    is_late = waiting.is_late(now=timezone.now())
    linked_at = None if newest is None else newest.linked_at
    return ChainState(head, linked_at, waiting, verified, is_late)


def rows_waiting() -> Waiting:
    """Count what is not linked yet, of all sources in one statement; at most so many of each."""
    row = fetch_row(_WAITING, {"limit": COUNTED_AT_MOST})
    assert row is not None
    return Waiting(*row)


def _waiting_of(name: str, table: str, instant: str | None) -> str:
    return f"""(SELECT {instant or "NULL::timestamptz"} AS at FROM {table}
    WHERE id > COALESCE((SELECT max(to_id) FROM payouts_auditblock WHERE source = '{name}'),
                        {FIRST_ID})
    ORDER BY id LIMIT %(limit)s)"""  # noqa: S608  # nosec B608


_UNLINKED: Final = " UNION ALL ".join(
    _waiting_of(source.name, source.table, source.instant) for source in SOURCES
)
_WAITING: Final = f"SELECT count(*), min(at) FROM ({_UNLINKED}) AS unlinked"  # noqa: S608  # nosec B608
