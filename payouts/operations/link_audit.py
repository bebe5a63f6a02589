"""The linker: makes what was written once since the last time part of the chain, block by block.

Writers know nothing of it and never wait for it. Order of ids is not order of commits: a number
that was drawn early may become visible late, in a range that is linked already. So before a range
is linked, whoever may still hold a number of it has to be through, and that is what `_decided`
waits for.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone

from consumers.statements import fetch_row
from payouts.audit.chain import Head, chain_head
from payouts.audit.sources import (
    BLOCK_DIGEST,
    BLOCK_MARKS,
    FIRST_ID,
    GENESIS,
    SOURCES,
    Header,
    Source,
    row_digests,
)
from payouts.decided_ids import decided_ids

logger = logging.getLogger(__name__)

ROWS_PER_BLOCK: Final = 10_000
# How long a run waits for writers. Those that take longer are waited for by the next run.
PATIENCE_SECONDS: Final = 2.0
# Any number that nobody else in this database uses.
_LOCK: Final = 0x61756469


@dataclass(frozen=True, slots=True)
class Linked:
    """What one run did. `head` is None while there is no block at all."""

    blocks: int
    rows: int
    head: Head | None


def link_audit_trail(*, patience_seconds: float = PATIENCE_SECONDS) -> Linked:
    """Link every row that is surely in its place, of every source, and return what was done.

    1. Read how far the ids of each table have come.
    2. Wait until whoever was writing then is through: nothing below can appear any more.
    3. Block by block, under a lock that only one linker in the world has: hash the rows, write the
       block, commit.

    Killed at any moment it leaves whole blocks, and the next run goes on. A second linker at the
    same time finds the lock taken and leaves the rest to the first. A table whose writers are not
    through in time is left for the next run. Call it outside of any transaction.
    """
    blocks = rows = 0
    for source, to_id in _decided(patience_seconds).items():
        while (block := _link_next(source, to_id)) is not None:
            blocks, rows = blocks + 1, rows + block.rows
    head = chain_head()
    if blocks:
        # Logs leave this machine at once, so this keeps the head where the database cannot reach.
        logger.info("Audit trail linked: %s rows, head %s", rows, head)
    return Linked(blocks, rows, head)


def _decided(patience_seconds: float) -> Mapping[Source, int]:
    """The id of each source up to which every number has its row by now, or never will."""
    tables = [source.table for source in SOURCES]
    decided = decided_ids(tables, patience_seconds=patience_seconds)
    return {source: decided[source.table] for source in SOURCES if source.table in decided}


_LAST_OF_SOURCE: Final = """
SELECT to_id FROM payouts_auditblock WHERE source = %(source)s ORDER BY to_id DESC LIMIT 1
"""

_INSERT: Final = """
INSERT INTO payouts_auditblock
    (number, source, format, from_id, to_id, rows, digest, marks, previous_hash, hash, linked_at)
VALUES (%(number)s, %(source)s, %(format)s, %(from_id)s, %(to_id)s, %(rows)s, %(digest)s, %(marks)s,
    %(previous_hash)s, %(hash)s, %(linked_at)s)
RETURNING number
"""


def _link_next(source: Source, decided_id: int) -> Header | None:
    """Write the source's next block, if there are rows for one and no other linker is at work."""
    with transaction.atomic():
        if not _is_the_linker():
            return None
        last = fetch_row(_LAST_OF_SOURCE, {"source": source.name})
        from_id = FIRST_ID if last is None else last[0] + 1
        if from_id > decided_id:
            return None
        row = fetch_row(
            _hashing(source), {"from_id": from_id, "to_id": decided_id, "limit": ROWS_PER_BLOCK}
        )
        assert row is not None
        rows, last_id, digest, marks, marks_digest = row
        if not rows:
            return None
        head = chain_head() or Head(0, GENESIS)
        block = Header(
            number=head.number + 1,
            source=source.name,
            format=source.newest_format,
            from_id=from_id,
            # A full block ends with its last row; another may follow.
            to_id=last_id if rows == ROWS_PER_BLOCK else decided_id,
            rows=rows,
            digest=bytes(digest),
            marks_digest=bytes(marks_digest),
            previous_hash=head.hash,
            linked_at=timezone.now(),
        )
        _write(block, bytes(marks))
    return block


def _is_the_linker() -> bool:
    row = fetch_row("SELECT pg_try_advisory_xact_lock(%(lock)s)", {"lock": _LOCK})
    return row is not None and bool(row[0])


def _hashing(source: Source) -> str:
    rows = row_digests(source, source.newest_format)
    return f"""
SELECT rows, last_id, digest, marks, sha256(marks) FROM (
    SELECT count(*) AS rows, max(id) AS last_id, {BLOCK_DIGEST} AS digest, {BLOCK_MARKS} AS marks
    FROM ({rows} WHERE id BETWEEN %(from_id)s AND %(to_id)s ORDER BY id LIMIT %(limit)s) AS covered
) AS block
"""  # noqa: S608  # nosec B608


def _write(block: Header, marks: bytes) -> None:
    fetch_row(
        _INSERT,
        {
            "number": block.number,
            "source": block.source,
            "format": block.format,
            "from_id": block.from_id,
            "to_id": block.to_id,
            "rows": block.rows,
            "digest": block.digest,
            "marks": marks,
            "previous_hash": block.previous_hash,
            "hash": block.hash(),
            "linked_at": block.linked_at,
        },
    )
