"""The Celery application. Only `payouts/dispatch.py` sends messages through it."""

import os
from typing import Any

from celery import Celery
from celery.concurrency import get_implementation
from celery.signals import beat_init, celeryd_init, setup_logging
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("payouts")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_signal: Any) -> None:
    """Leave the loggers as Django's settings made them; Celery's own set-up stays away."""


@celeryd_init.connect
@beat_init.connect
def refuse_unsafe_settings(**_signal: Any) -> None:
    from config.checks import require_safe_settings  # Django is not set up before this

    try:
        require_safe_settings()
    except ImproperlyConfigured as problem:
        # Celery only logs what a receiver raises, unless it is meant to end the process.
        raise SystemExit(str(problem)) from problem


@celeryd_init.connect
def refuse_too_few_threads(options: dict[str, Any], **_signal: Any) -> None:
    """A task waits for the network or reads a file for minutes, so each needs a thread of its own.

    With fewer threads, or processes, pushes would wait behind a large batch and nobody would see
    why.
    """
    asked_for = options.get("concurrency") or app.conf.worker_concurrency
    tasks = sum(name.startswith("payouts.") for name in app.tasks)
    problem = pool_problem(options.get("pool_cls"), asked_for=asked_for, tasks=tasks)
    if problem or options.get("autoscale"):
        raise SystemExit(problem or "This worker has a fixed number of threads: no --autoscale.")


def pool_problem(pool: Any, *, asked_for: int, tasks: int) -> str:
    """Say what is wrong with a worker of this pool, so many threads and so many tasks."""
    threads = get_implementation("threads")
    if get_implementation(pool or app.conf.worker_pool) is not threads:
        return "Run the worker with --pool threads, or leave the option out: processes do not fit."
    if asked_for <= tasks:
        return (
            f"{asked_for} threads are too few for {tasks} tasks, of which some take minutes: "
            f"pushes would wait. Leave --concurrency out, or give more than {tasks}."
        )
    return ""
