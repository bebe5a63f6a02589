"""No task has two threads of a worker, so whatever takes long leaves one for sending."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from celery import current_app, shared_task
from django.conf import settings

from payouts import tasks
from payouts.work.alone import AloneTask

SOON_SECONDS = 10.0


class Work:
    """What a task does here: it says that it has begun, and stays until it may end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        self.begun.release()
        self.may_end.wait(SOON_SECONDS)


@contextmanager
def pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(threads) as running:
        yield running


def registered() -> dict[str, object]:
    return {name: task for name, task in current_app.tasks.items() if name.startswith("payouts.")}


def ours() -> dict[str, AloneTask]:
    return {name: task for name, task in registered().items() if isinstance(task, AloneTask)}


@shared_task(name="tests.lone", base=AloneTask)
def lone() -> None:
    raise ZeroDivisionError


def test_every_task_is_alone_and_there_are_more_threads() -> None:
    assert ours() == registered()
    assert len(ours()) < settings.CELERY_WORKER_CONCURRENCY


def test_sending_finds_a_thread_while_everything_else_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    works = {name: Work() for name in ours()}
    for name, task in ours().items():
        monkeypatch.setattr(task, "run", works[name])
    sending = works.pop(tasks.send_due_payments.name)
    sending.may_end.set()
    with pool(settings.CELERY_WORKER_CONCURRENCY) as worker:
        for name in [*works] * 5:
            worker.submit(ours()[name])
        assert all(work.begun.acquire(timeout=SOON_SECONDS) for work in works.values())
        worker.submit(ours()[tasks.send_due_payments.name])
        has_sent = sending.begun.acquire(timeout=SOON_SECONDS)
        for work in works.values():
            work.may_end.set()
    assert has_sent


def test_a_call_meanwhile_returns_and_is_made_up_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    monkeypatch.setattr(lone, "run", work)
    with pool(1) as worker:
        # As a worker calls it.
        worker.submit(lone.apply)
        assert work.begun.acquire(timeout=SOON_SECONDS)
        lone()
        lone()
        assert work.times == 1
        work.may_end.set()
    assert work.times == 2


def test_a_task_that_fails_can_run_again() -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            lone()
