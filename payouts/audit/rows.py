"""Hashes the rows that blocks cover, in the database, and names those that are not as they were."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from consumers.statements import fetch_row, fetch_rows
from payouts.audit.sources import (
    BLOCK_DIGEST,
    SOURCE_NAMED,
    SOURCES,
    Header,
    Source,
    read_marks,
    row_digests,
)
from payouts.audit.tampering import Kind, Tampering

ROWS_PER_STATEMENT: Final = 50_000


@dataclass(slots=True)
class Piece:
    """Blocks of one source and format that are examined by one statement."""

    source: Source
    format: int
    headers: dict[int, Header] = field(default_factory=dict)
    rows: int = 0


def pieces_of(headers: Iterable[Header]) -> list[Piece]:
    """Sort blocks into pieces of about as many rows."""
    pieces: list[Piece] = []
    filling: dict[tuple[str, int], Piece] = {}
    for header in headers:
        key = (header.source, header.format)
        piece = filling.get(key)
        if piece is None or piece.rows + header.rows > ROWS_PER_STATEMENT:
            piece = filling[key] = Piece(SOURCE_NAMED[header.source], header.format)
            pieces.append(piece)
        piece.headers[header.number] = header
        piece.rows += header.rows
    return pieces


def examine(piece: Piece) -> list[Tampering]:
    """Every row of the piece's blocks that is not as it was linked; one statement if none is."""
    findings: list[Tampering] = []
    with transaction.atomic():
        # The ranges come from a table, so the planner expects far too much of each.
        fetch_row(_SMALL_RANGES, {})
        for number, rows, digest in fetch_rows(_examining(piece), {"numbers": [*piece.headers]}):
            header = piece.headers[number]
            if (rows, bytes(digest)) != (header.rows, header.digest):
                findings += located(header)
    return findings


_SMALL_RANGES: Final = """
SELECT set_config('jit', 'off', TRUE), set_config('enable_seqscan', 'off', TRUE)
"""


def _examining(piece: Piece) -> str:
    rows = row_digests(piece.source, piece.format)
    return f"""
SELECT block.number, found.rows, found.digest FROM payouts_auditblock block
CROSS JOIN LATERAL (
    SELECT count(*) AS rows, {BLOCK_DIGEST} AS digest FROM (
        {rows} WHERE id BETWEEN block.from_id AND block.to_id ORDER BY id OFFSET 0
    ) AS covered
) AS found
WHERE block.number = ANY(%(numbers)s)
"""  # noqa: S608  # nosec B608


def located(header: Header) -> list[Tampering]:
    """Name every row of the block's range that differs: at least one finding, whatever happened."""
    row = fetch_row(_MARKS, {"number": header.number})
    marks = b"" if row is None else bytes(row[0])
    if hashlib.sha256(marks).digest() != header.marks_digest:
        return [_somewhere(header)]
    return list(_differences(header, dict(read_marks(marks)), _marks_now(header))) or [
        _somewhere(header)
    ]


_MARKS: Final = "SELECT marks FROM payouts_auditblock WHERE number = %(number)s"


def _somewhere(header: Header) -> Tampering:
    told = f"some row with an id from {header.from_id} to {header.to_id}"
    return Tampering("edited", header.source, header.number, None, told)


def _marks_now(header: Header) -> dict[int, bytes]:
    rows = row_digests(SOURCE_NAMED[header.source], header.format)
    statement = f"{rows} WHERE id BETWEEN %(from_id)s AND %(to_id)s ORDER BY id"
    found = fetch_rows(statement, {"from_id": header.from_id, "to_id": header.to_id})
    return {row_id: bytes(digest[:4]) for row_id, digest in found}


def _differences(
    header: Header, linked: Mapping[int, bytes], found: Mapping[int, bytes]
) -> Iterator[Tampering]:
    was_at = {mark: row_id for row_id, mark in linked.items()}
    for row_id in sorted(linked.keys() | found.keys()):
        if row_id not in found:
            yield Tampering("deleted", header.source, header.number, row_id)
        elif found[row_id] != linked.get(row_id):
            # The same content at another place: what stands here now was linked elsewhere.
            origin = was_at.get(found[row_id])
            told = "" if origin is None else f"what stands there was linked as {origin}"
            yield Tampering(
                _kind(is_new=row_id not in linked, has_moved=origin is not None),
                header.source,
                header.number,
                row_id,
                told,
            )


def _kind(*, is_new: bool, has_moved: bool) -> Kind:
    if is_new:
        return "inserted"
    return "moved" if has_moved else "edited"


def numbered_by_hand() -> Iterator[Tampering]:
    """Rows whose ids were never given out: no linker would ever come to them."""
    for source in SOURCES:
        # First the rows, then how far the ids are, so that new rows are no findings.
        newest = fetch_rows(f"SELECT id FROM {source.table} ORDER BY id DESC LIMIT 100", {})  # noqa: S608  # nosec B608
        last = fetch_row(_LAST_ID, {"table": source.table})
        for (row_id,) in newest:
            if last is None or row_id > (last[0] or 0):
                told = "its id was never given out"
                yield Tampering("inserted", source.name, 0, row_id, told)


_LAST_ID: Final = "SELECT pg_sequence_last_value(pg_get_serial_sequence(%(table)s, 'id')::regclass)"
