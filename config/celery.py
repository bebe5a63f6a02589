"""The Celery application. Only `payouts/dispatch.py` sends messages through it."""

import os
from typing import Any

from celery import Celery
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
