"""The project: settings, addresses, and what HTTP and Celery need once for all."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
