"""A worker whose threads are too few says so and does not start."""

from typing import Any

import pytest

from config.celery import app, pool_problem, refuse_too_few_threads

PREFORK = "celery.concurrency.prefork:TaskPool"


@pytest.fixture(autouse=True)
def _tasks() -> None:
    app.loader.import_default_modules()


@pytest.mark.parametrize(
    ("pool", "threads", "said"),
    [
        (None, 20, ""),
        ("threads", 15, ""),
        ("threads", 14, "14 threads are too few for 14 tasks"),
        ("prefork", 20, "--pool threads"),
        (PREFORK, 20, "--pool threads"),
    ],
)
def test_every_task_has_a_thread_of_its_own(pool: str | None, threads: int, said: str) -> None:
    problem = pool_problem(pool, asked_for=threads, tasks=14)
    assert (said in problem) if said else problem == ""


@pytest.mark.parametrize("options", [{"concurrency": 4}, {"autoscale": "10,3"}])
def test_refuses_to_start_with_fewer(options: dict[str, Any]) -> None:
    with pytest.raises(SystemExit):
        refuse_too_few_threads(options)


def test_starts_as_it_is_set_up() -> None:
    refuse_too_few_threads({"concurrency": None, "autoscale": None})
