"""Reads the blocks of the chain and follows it from one to the next. Writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from consumers.statements import fetch_row, fetch_rows
from payouts.audit.sources import FIRST_ID, GENESIS, SOURCE_NAMED, SOURCES, Header
from payouts.audit.tampering import Tampering

BLOCKS_READ_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Head:
    """A block's number and hash: what has to be kept elsewhere to prove later what was there."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"

    @staticmethod
    def read(text: str) -> "Head":
        """The head that was printed like this.

        :raises ValueError: if it was not.
        """
        number, _, digest = text.strip().partition(":")
        if len(digest) != 64:
            raise ValueError(text)
        return Head(int(number), bytes.fromhex(digest))


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it stands in the table: what was hashed, and the hash."""

    header: Header
    hash: bytes


_HEAD: Final = "SELECT number, hash FROM payouts_auditblock ORDER BY number DESC LIMIT 1"
_ONE: Final = "SELECT number, hash FROM payouts_auditblock WHERE number = %(number)s"
_BLOCKS: Final = """
SELECT number, source, format, from_id, to_id, rows, digest, sha256(marks), previous_hash,
    linked_at, hash
FROM payouts_auditblock WHERE number > %(after)s AND number <= %(last)s
ORDER BY number LIMIT %(limit)s
"""
_ENDS: Final = """
SELECT source, max(to_id) FROM payouts_auditblock WHERE number < %(first)s GROUP BY source
"""
_BELOW_FIRST: Final = "SELECT number FROM payouts_auditblock WHERE number < 1 LIMIT 100"


def chain_head() -> Head | None:
    """The newest block's number and hash."""
    row = fetch_row(_HEAD, {})
    return None if row is None else Head(row[0], bytes(row[1]))


def head_of(number: int) -> Head | None:
    """The block of this number, if there is one."""
    row = fetch_row(_ONE, {"number": number})
    return None if row is None else Head(row[0], bytes(row[1]))


def blocks_between(first: int, last: int) -> Iterator[Block]:
    """The blocks from `first` to `last` in their order, some thousands at a time."""
    after = first - 1
    while rows := fetch_rows(_BLOCKS, {"after": after, "last": last, "limit": BLOCKS_READ_AT_ONCE}):
        for row in rows:
            number, source, version, from_id, to_id, count, digest, marks, previous, at, own = row
            header = Header(
                number=number,
                source=source,
                format=version,
                from_id=from_id,
                to_id=to_id,
                rows=count,
                digest=bytes(digest),
                marks_digest=bytes(marks),
                previous_hash=bytes(previous),
                linked_at=at,
            )
            yield Block(header, bytes(own))
        after = rows[-1][0]


@dataclass(slots=True)
class Follower:
    """Goes from block to block and says what does not fit, from one that is believed on."""

    number: int = 0
    hash: bytes = GENESIS
    next_ids: dict[str, int] = field(
        default_factory=lambda: {source.name: FIRST_ID for source in SOURCES}
    )

    def findings(self, block: Block) -> Iterator[Tampering]:
        """What is wrong with the block that comes next; it is gone on from whatever it is."""
        header = block.header
        skips = header.number - self.number - 1
        if skips:
            told = f"blocks {self.number + 1} to {header.number - 1} are missing"
            yield Tampering("deleted", "block", self.number + 1, self.number + 1, told)
        for told in self._faults(block, skips=bool(skips)):
            yield Tampering("edited", "block", header.number, header.number, told)
        self.number, self.hash = header.number, block.hash
        self.next_ids[header.source] = header.to_id + 1

    def _faults(self, block: Block, *, skips: bool) -> Iterator[str]:
        header = block.header
        if not is_known(header):
            yield "nothing that this release knows is linked like this"
        if header.hash() != block.hash:
            yield "it is not what its hash was taken over"
        # After a gap nothing can fit, and the gap has been told.
        if header.previous_hash != self.hash and not skips:
            yield "it does not go on from the block before"
        if header.from_id != self.next_ids.get(header.source) and not skips:
            yield "its range does not begin where the one before ended"


def follower_from(first: int) -> Follower:
    """A follower that believes everything below the block `first`."""
    if first <= 1:
        return Follower()
    before = head_of(first - 1)
    follower = Follower(first - 1, GENESIS if before is None else before.hash)
    follower.next_ids |= {source: end + 1 for source, end in fetch_rows(_ENDS, {"first": first})}
    return follower


def is_known(header: Header) -> bool:
    """Whether this code can hash rows as the block says that they were hashed."""
    source = SOURCE_NAMED.get(header.source)
    return source is not None and 1 <= header.format <= source.newest_format


def blocks_below_the_first() -> Iterator[Tampering]:
    """Blocks that no linker numbers like this."""
    for (number,) in fetch_rows(_BELOW_FIRST, {}):
        yield Tampering("inserted", "block", number, number, "blocks begin at 1")
