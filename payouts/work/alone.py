"""Keeps a task from running twice at once in a worker, so that long work leaves threads to others.

A worker has more threads than there are tasks (`CELERY_WORKER_CONCURRENCY`). As no task ever has
two of them, neither a file of millions of rows nor a network that answers nobody can keep a push
from being sent.
"""

import threading
from typing import Any

from celery import Task


class AloneTask(Task):  # type: ignore[type-arg]
    """A task that runs once at a time in a process. Called meanwhile it returns at once, and
    whoever runs begins once more after its end: nothing that was rung for is passed over.

    It takes no arguments: the work is in the database.
    """

    abstract = True

    def __init__(self) -> None:
        self._running = threading.Lock()
        self._rung = threading.Event()

    def __call__(self, *_arguments: Any, **_named: Any) -> None:
        self._rung.set()
        while self._rung.is_set() and self._running.acquire(blocking=False):
            try:
                self._rung.clear()
                self.run()
            finally:
                self._running.release()
