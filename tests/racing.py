"""Runs things at the same instant in threads, each with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")

_SECONDS = 60


def race(runners: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Start all at once, wait for all; return what each returned or raised, in their order."""
    together = threading.Barrier(len(runners))
    ends: list[Result | Exception] = [AssertionError("did not end in time") for _ in runners]

    def run(place: int, runner: Callable[[], Result]) -> None:
        try:
            # Connected before the start, so that the race is about the operation alone.
            connections["default"].ensure_connection()
            together.wait(_SECONDS)
            ends[place] = runner()
        except Exception as error:
            ends[place] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(place, runner), daemon=True)
        for place, runner in enumerate(runners)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SECONDS)
    return ends


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
