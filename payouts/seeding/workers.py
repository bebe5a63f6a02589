"""Processes that write slices beside each other. Imported by them before Django is set up."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

# Does all tasks, and gives what each returned as they finish.
Each = Callable[[Callable[[Any], int], Sequence[Any]], Iterable[int]]


@contextmanager
def workers(processes: int, *, settings: Mapping[str, Any]) -> Iterator[Each]:
    """Let tasks be done by this process, or by several with connections of their own.

    They connect with `settings`, those of the caller's connection. For several, functions and tasks
    have to be fit for pickling. When the caller is interrupted, what has been begun is finished and
    nothing else is begun.
    """
    if processes == 1:
        yield map
        return
    # Fresh processes: a forked one would share the connections and the threads of this one.
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(dict(settings),),
    )

    def each(write: Callable[[Any], int], tasks: Sequence[Any]) -> Iterable[int]:
        written = as_completed([pool.submit(write, task) for task in tasks])
        return (one.result() for one in written)

    try:
        yield each
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(settings: Mapping[str, Any]) -> None:
    # Ctrl-C goes to all processes; the caller decides what follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import django
    from django.db import connection

    django.setup()
    connection.settings_dict.update(settings)
