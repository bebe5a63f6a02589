"""Says whether anything that is in the chain was edited, deleted, inserted or moved since.

Reads only. What this cannot see is a chain that somebody who owns the whole database has written
anew from some block on: for that a head that was kept elsewhere is compared.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, connections

from payouts.audit.chain import (
    Head,
    blocks_below_the_first,
    blocks_between,
    chain_head,
    follower_from,
    head_of,
    is_known,
)
from payouts.audit.changes import changes_that_differ
from payouts.audit.rows import Piece, examine, numbered_by_hand, pieces_of
from payouts.audit.sources import Header
from payouts.audit.state import Waiting, rows_waiting
from payouts.audit.tampering import Tampering

# So many findings are told one by one; all are counted.
NAMED_AT_MOST: Final = 200

# Told what is being examined, how much of it is, and how much there is.
Told = Callable[[str, int, int], None]


@dataclass(slots=True)
class Verdict:
    """What a verification found, from block `first` to `head`."""

    head: Head | None
    first: int = 1
    blocks: int = 0
    rows: int = 0
    tampered: int = 0
    findings: list[Tampering] = field(default_factory=list)
    waiting: Waiting = field(default_factory=Waiting)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return self.tampered == 0

    def add(self, findings: Iterable[Tampering]) -> None:
        for finding in findings:
            self.tampered += 1
            if len(self.findings) < NAMED_AT_MOST:
                self.findings.append(finding)


def _untold(_stage: str, _done: int, _total: int) -> None:
    pass


def verify_audit_trail(
    *, first: int = 1, kept: Sequence[Head] = (), workers: int = 1, told: Told = _untold
) -> Verdict:
    """Follow the chain from block `first` to its head, and hash every row that its blocks cover.

    Runs beside the product: what is linked meanwhile is left for the next time. PostgreSQL does
    the hashing, a statement per worker at once; inside a transaction there is one worker, because
    others could not see what it has not committed. Changes of settings, which move, are compared
    with the events of their lives.

    Blocks below `first` are believed, as after an earlier verification. `kept` are heads that were
    kept outside of this database; each must still be in the chain.
    """
    began = time.monotonic()
    verdict = Verdict(chain_head(), first)
    headers = _followed(verdict, told)
    verdict.add(_not_kept(kept))
    for findings in _examined(pieces_of(headers), workers, told):
        verdict.add(findings)
    verdict.add(numbered_by_hand())
    verdict.add(changes_that_differ())
    verdict.waiting = rows_waiting()
    verdict.seconds = time.monotonic() - began
    return verdict


def _followed(verdict: Verdict, told: Told) -> list[Header]:
    """Follow the chain, and return what can be examined of it."""
    headers = []
    follower, last = follower_from(verdict.first), verdict.head.number if verdict.head else 0
    verdict.add(blocks_below_the_first())
    for block in blocks_between(verdict.first, last):
        verdict.add(follower.findings(block))
        verdict.blocks, verdict.rows = verdict.blocks + 1, verdict.rows + block.header.rows
        told("blocks", verdict.blocks, last - verdict.first + 1)
        if is_known(block.header):
            headers.append(block.header)
    return headers


def _not_kept(kept: Sequence[Head]) -> Iterator[Tampering]:
    for head in kept:
        if head_of(head.number) != head:
            told = "it is not the one that was kept: the chain was cut off or written anew"
            yield Tampering("edited", "block", head.number, head.number, told)


def _examined(pieces: Sequence[Piece], workers: int, told: Told) -> Iterator[list[Tampering]]:
    total, done = sum(piece.rows for piece in pieces), 0
    alone = workers == 1 or connection.in_atomic_block
    for piece, findings in _one_by_one(pieces) if alone else _at_once(pieces, workers):
        done += piece.rows
        told("rows", done, total)
        yield findings


def _one_by_one(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, list[Tampering]]]:
    for piece in pieces:
        yield piece, examine(piece)


def _at_once(pieces: Sequence[Piece], workers: int) -> Iterator[tuple[Piece, list[Tampering]]]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="verify")
    try:
        running: dict[Future[list[Tampering]], Piece] = {
            pool.submit(_in_a_thread, piece): piece for piece in pieces
        }
        while running:
            for ended in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(ended), ended.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _in_a_thread(piece: Piece) -> list[Tampering]:
    try:
        return examine(piece)
    finally:
        # A thread does not know which piece is its last.
        connections.close_all()
