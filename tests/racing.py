"""Runs things at the same instant in threads, each with a database connection of its own.

The first threads and their connections are kept for the next race: a new connection costs the
database more than most of what is raced, and what it knows already makes the start more equal.
"""

import threading
from collections.abc import Callable, Sequence
from contextvars import Context
from functools import partial
from queue import SimpleQueue
from typing import Final, TypeVar

from django.db import Error, connections

Result = TypeVar("Result")

_SECONDS: Final = 60
# In each of the run's processes; all of them share the connections that the cluster has.
_KEPT: Final = 16
_lanes: list[SimpleQueue[Callable[[], None]]] = []


def race(runners: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Start all at once, wait for all; return what each returned or raised, in their order."""
    together = threading.Barrier(len(runners))
    ends: list[Result | Exception] = [AssertionError("did not end in time") for _ in runners]
    ended = [threading.Event() for _ in runners]

    def run(place: int, runner: Callable[[], Result]) -> None:
        try:
            # Connected before the start, so that the race is about the operation alone.
            connections["default"].ensure_connection()
            together.wait(_SECONDS)
            ends[place] = runner()
        except Exception as error:
            ends[place] = error
        finally:
            _leave_connection(is_kept=place < _KEPT)
            ended[place].set()

    for place, runner in enumerate(runners):
        _start(place, partial(run, place, runner))
    if not all(one.wait(_SECONDS) for one in ended):
        # Whoever hangs must not hold up the next race.
        _lanes.clear()
    return ends


def _start(place: int, run: Callable[[], None]) -> None:
    if place >= _KEPT:
        threading.Thread(target=run, daemon=True).start()
        return
    if place == len(_lanes):
        _lanes.append(SimpleQueue())
        threading.Thread(target=_serve, args=(_lanes[place],), daemon=True).start()
    _lanes[place].put(run)


def _serve(lane: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        # As in a new thread: what the run before has set is not there.
        Context().run(lane.get())


def _leave_connection(*, is_kept: bool) -> None:
    connection = connections["default"]
    if not is_kept or connection.in_atomic_block:
        connections.close_all()
        return
    try:
        with connection.cursor() as cursor:
            # One that ends tells its figures by itself, such as deadlocks.
            cursor.execute("SELECT pg_stat_force_next_flush()")
    except Error:
        connections.close_all()


def let_connections_go() -> None:
    """Close what is kept: a database that somebody is connected to cannot be dropped."""
    gone = [threading.Event() for _ in _lanes]
    for lane, one in zip(_lanes, gone, strict=True):
        lane.put(connections.close_all)
        lane.put(one.set)
    for one in gone:
        one.wait(_SECONDS)


def returned(ends: Sequence[Result | Exception]) -> list[Result]:
    """What all runners returned; a failed one fails the test."""
    for end in ends:
        if isinstance(end, Exception):
            raise end
    return [end for end in ends if not isinstance(end, Exception)]


def raised(ends: Sequence[object], kind: type[Exception]) -> int:
    """How many ended with this exception; one that ended with another fails the test."""
    for end in ends:
        if isinstance(end, Exception) and not isinstance(end, kind):
            raise end
    return sum(isinstance(end, kind) for end in ends)


def race_mixed(*runners: Callable[[], object]) -> list[object]:
    """`race` for runners that return different things."""
    return list(race(runners))
