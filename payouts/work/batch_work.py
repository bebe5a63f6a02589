"""Works on batches until there is nothing to do: reading, checking, issuing, what people ordered.

Nothing here decides anything: it calls operations in turn, each of which does one bounded piece and
commits. So a small batch does not wait for the end of a large one, and whatever dies is gone on
with by the next sweep.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from payouts.operations.batches.check_batch import check_next_batch
from payouts.operations.batches.issue_batch import issue_next_lines
from payouts.operations.batches.order_batch import carry_out_next
from payouts.operations.batches.read_batch import read_next_batch
from payouts.work.connections import with_sound_connection

Item = TypeVar("Item")
Result = TypeVar("Result")

# So many pushes are asked for at once; each thread keeps a connection.
LANES: Final = 4

_lanes: Final = ThreadPoolExecutor(LANES, thread_name_prefix="batch")
_working: Final = threading.Lock()
_rung: Final = threading.Event()
_stopping: Final = threading.Event()


def stop() -> None:
    """Begin nothing more: the worker is shutting down, and finishes the piece that it has."""
    _stopping.set()


def work_on_batches() -> None:
    """Work until nothing is left. A second call in this process makes the first look once more."""
    _rung.set()
    while _rung.is_set() and _working.acquire(blocking=False):
        try:
            _rung.clear()
            while not _stopping.is_set() and _did_a_piece_of_each():
                pass
        finally:
            _working.release()


def _did_a_piece_of_each() -> bool:
    pieces = (
        read_next_batch,
        check_next_batch,
        lambda: carry_out_next(each=_each_in_lanes),
        lambda: issue_next_lines(each=_each_in_lanes),
    )
    did = [piece() for piece in pieces]
    return any(did)


def _each_in_lanes(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[Result]:
    return list(_lanes.map(partial(with_sound_connection, function), items))
