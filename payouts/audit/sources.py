"""What the chain covers, and the exact bytes that are hashed. No database access of its own.

A row's digest is the SHA-256 over PostgreSQL's binary form of its columns in the order given here
(`record_send`: number of columns, then type, length and bytes of each), so no two rows that differ
have the same bytes, whatever zone or style a session has set. A block's digest is the SHA-256 over
its rows in the order of their ids: eight bytes of id and thirty-two of digest each.

When a table gets a column, give its source another tuple of columns at the end: blocks name the
format that they were made in, and the old ones stay verifiable. A test says so when it is
forgotten.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

# The smallest bigint: whatever is inserted below the first row lies in the first block's range.
FIRST_ID: Final = -(2**63)
GENESIS: Final = bytes(32)

_MARK: Final = struct.Struct(">q4s")


@dataclass(frozen=True, slots=True)
class Source:
    """A table that is written once, and what of it is hashed, format by format.

    `instant` is the column that says when a row was written, if there is one.
    """

    name: str
    table: str
    instant: str | None
    formats: tuple[tuple[str, ...], ...]

    @property
    def newest_format(self) -> int:
        return len(self.formats)


SOURCES: Final = (
    Source(
        "entry",
        "consumers_auditentry",
        "created_at",
        (
            ("created_at", "verb", "result", "actor", "user_id", "client_id", "ip_address", "agent",
             "request_id", "subject_type", "subject_id", "subject_label", "partner_id", "before",
             "after", "reason"),
        ),
    ),
    Source(
        "event",
        "payouts_event",
        "created_at",
        (
            ("payment_id", "number", "kind", "from_status", "to_status", "actor", "details",
             "request_id", "created_at"),
        ),
    ),
    Source(
        "journal",
        "payouts_journal",
        "created_at",
        (("kind", "payment_id", "description", "actor", "created_at"),),
    ),
    Source("posting", "payouts_posting", None, (("journal_id", "account_id", "part", "amount"),)),
    Source(
        "requirement",
        "payouts_approvalrequirement",
        None,
        (("payment_id", "name", "decisions", "group_id"),),
    ),
    Source(
        "decision",
        "payouts_decision",
        "created_at",
        (
            ("payment_id", "user_id", "verdict", "reason", "digest", "created_at"),
            ("payment_id", "user_id", "verdict", "reason", "digest", "created_at", "signature_id",
             "place"),
        ),
    ),
    Source(
        "signature",
        "payouts_decisionsignature",
        "created_at",
        (
            ("user_id", "verdict", "reason", "statement", "marks", "challenge", "passkey",
             "credential_id", "public_key", "authenticator_data", "client_data", "signature",
             "is_user_verified", "created_at"),
        ),
    ),
    Source(
        "change",
        "payouts_changeevent",
        "created_at",
        (("change_id", "number", "kind", "user_id", "format", "row_digest", "created_at"),),
    ),
    Source("edit", "consumers_edit", "edited_at", (("subject_id", "user_id", "edited_at"),)),
    Source("renaming", "consumers_formername", "until", (("subject_id", "was", "until"),)),
)  # fmt: skip
SOURCE_NAMED: Final[Mapping[str, Source]] = {source.name: source for source in SOURCES}


def row_digests(source: Source, format: int) -> str:  # noqa: A002
    """SQL that selects `id` and `digest` of the source's rows; the caller adds the condition."""
    columns = ", ".join(source.formats[format - 1])
    return f"SELECT id, sha256(record_send(ROW({columns}))) AS digest FROM {source.table}"  # noqa: S608  # nosec B608


# Over rows of `row_digests`. The two empty strings are for ranges whose rows are all gone.
BLOCK_DIGEST: Final = (
    "sha256(COALESCE(string_agg(int8send(id) || digest, ''::bytea ORDER BY id), ''))"
)
BLOCK_MARKS: Final = (
    "COALESCE(string_agg(int8send(id) || substring(digest FOR 4), ''::bytea ORDER BY id), '')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A block without its hash. `marks_digest` is the SHA-256 over its marks."""

    number: int
    source: str
    format: int
    from_id: int
    to_id: int
    rows: int
    digest: bytes
    marks_digest: bytes
    previous_hash: bytes
    linked_at: datetime

    def hash(self) -> bytes:
        """The block's hash: SHA-256 over these lines, so that anybody can compute it by hand."""
        lines = (
            "payouts audit block 1",
            f"number {self.number}",
            f"source {self.source} {self.format}",
            f"ids {self.from_id} {self.to_id}",
            f"rows {self.rows}",
            f"digest {self.digest.hex()}",
            f"marks {self.marks_digest.hex()}",
            f"previous {self.previous_hash.hex()}",
            f"linked at {self.linked_at.astimezone(UTC).isoformat(timespec='microseconds')}",
        )
        return hashlib.sha256("\n".join(lines).encode()).digest()


def read_marks(marks: bytes) -> Iterator[tuple[int, bytes]]:
    """The id of each row of a block with the first four bytes of its digest."""
    yield from _MARK.iter_unpack(marks)
