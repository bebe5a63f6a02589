"""The only place that talks to Celery. Celery is the bell, the database is the queue.

A ring carries no payment: it says "look at the table". Rings of one process that come close
together become one message, sent from a thread of its own, so that a create never waits for the
broker. A lost ring makes payments late until the sweep, never lost.
"""

import logging
import os
import threading
import time
from functools import partial
from typing import Final

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

SEND_DUE_PAYMENTS: Final = "payouts.send_due_payments"
WORK_ON_BATCHES: Final = "payouts.work_on_batches"
WORK_ON_SETTLEMENTS: Final = "payouts.work_on_settlements"
WRITE_EXPORTS: Final = "payouts.write_exports"
USE_NOTIFICATIONS: Final = "payouts.use_notifications"
DELIVER_WEBHOOKS: Final = "payouts.deliver_webhooks"
INQUIRE: Final = "payouts.inquire_unknown_payments"
_PAUSE_SECONDS: Final = 0.05
# Every ring has the outbox followed, which takes time from sending: four a second are soon enough,
# and while there is something to deliver it is followed anyway.
_PAUSES: Final = {DELIVER_WEBHOOKS: 0.25}


class _Bell(threading.Thread):
    """Sends one message for all rings since the last, and pauses before the next one."""

    def __init__(self, task_name: str) -> None:
        super().__init__(name=f"bell {task_name}", daemon=True)
        self.task_name = task_name
        self.process_id = os.getpid()
        self.rung = threading.Event()

    def run(self) -> None:
        while True:
            self.rung.wait()
            self.rung.clear()
            _send(self.task_name)
            time.sleep(_PAUSES.get(self.task_name, _PAUSE_SECONDS))


_bells: Final[dict[str, _Bell]] = {}
_bell_lock: Final = threading.Lock()


def ring_sender() -> None:
    """Ask for payments to be sent, once the current transaction (if any) has committed."""
    transaction.on_commit(partial(_ring, SEND_DUE_PAYMENTS))


def ring_batches() -> None:
    """Ask for batches to be worked on, once the current transaction (if any) has committed."""
    transaction.on_commit(partial(_ring, WORK_ON_BATCHES))


def ring_settlements() -> None:
    """Ask for settlement files to be worked on, once the current transaction has committed."""
    transaction.on_commit(partial(_ring, WORK_ON_SETTLEMENTS))


def ring_exporter() -> None:
    """Ask for exports to be written, once the current transaction (if any) has committed."""
    transaction.on_commit(partial(_ring, WRITE_EXPORTS))


def ring_inquirer() -> None:
    """Ask for the networks to be asked, once the current transaction (if any) has committed."""
    transaction.on_commit(partial(_ring, INQUIRE))


def ring_notifications() -> None:
    """Ask for notifications to be used, once the current transaction (if any) has committed."""
    transaction.on_commit(partial(_ring, USE_NOTIFICATIONS))


def ring_webhooks() -> None:
    """Ask for partners to be told, once the current transaction (if any) has committed."""
    transaction.on_commit(partial(_ring, DELIVER_WEBHOOKS))


def _ring(task_name: str) -> None:
    with _bell_lock:
        bell = _bells.get(task_name)
        # A forked child has the object but not the thread.
        if bell is None or bell.process_id != os.getpid():
            bell = _bells[task_name] = _Bell(task_name)
            bell.start()
    bell.rung.set()


def _send(task_name: str) -> None:
    try:
        current_app.send_task(task_name)
    except Exception:
        # The payments are safe in the database; the sweep sends them when the broker is back.
        logger.exception("The bell for %s could not be rung.", task_name)
