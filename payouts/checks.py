"""Says whether the money and the histories are right: every invariant, over the whole database.

Reads only, and decides nothing. The rules themselves are in `invariants`; what the sandbox
network's own book says about the same payments is asked in `book_comparison`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from payouts.invariants import INVARIANTS, Invariant

# So many are named; `broken` counts all.
NAMED_AT_MOST: Final = 20
# Sorting and hashing at ten million payments; a check uses this a few times over.
WORK_MEMORY_MB: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found.

    `violations` names the first of the `broken` things. `remarks` are worth a look and break
    nothing.
    """

    name: str
    examined: int
    broken: int
    violations: tuple[str, ...]
    seconds: float
    remarks: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return self.broken == 0


def check_ledger() -> list[Finding]:
    """Examine every invariant on one snapshot, so that findings about one instant are compared.

    Takes seconds per million payments. Writers are not held up, but while the snapshot is open
    PostgreSQL keeps every version of the rows that change, so do not run it in a loop.
    """
    with snapshot():
        return [examine(invariant) for invariant in INVARIANTS]


@contextmanager
def snapshot(*, work_memory_mb: int = WORK_MEMORY_MB) -> Iterator[None]:
    """Let everything inside see the database as it was at one instant.

    Inside a transaction that is open already, that transaction's own isolation is what there is.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT set_config('work_mem', %s, TRUE)", [f"{work_memory_mb}MB"])
        # One processor for this, the others for the product.
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        yield


def examine(invariant: Invariant) -> Finding:
    """Count what there is and what is broken in one pass; only if something is, name some of it."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_counting(invariant.statement), dict(invariant.parameters))
        examined, broken = cursor.fetchone()
        violations = []
        if broken:
            cursor.execute(_naming(invariant.statement), dict(invariant.parameters))
            violations = [told for (told,) in cursor.fetchall()]
    return Finding(
        name=invariant.name,
        examined=examined,
        broken=broken,
        violations=tuple(violations),
        seconds=time.monotonic() - began,
    )


def _counting(statement: str) -> str:
    return (
        f"SELECT count(*), count(*) FILTER (WHERE broken IS NOT FALSE) FROM ({statement}) examined"  # noqa: S608  # nosec B608: constants only
    )


def _naming(statement: str) -> str:
    return (
        f"SELECT told FROM ({statement}) examined WHERE broken IS NOT FALSE LIMIT {NAMED_AT_MOST}"  # noqa: S608  # nosec B608: constants only
    )
