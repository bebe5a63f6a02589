"""The real worker as a process of its own, on the test's database and with a broker in a folder.

Started, rung and killed by tests of faults. Waits that are minutes in life are seconds here.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from celery import Celery
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
_RING_SECONDS = 0.2
_TASKS = ("payouts.send_due_payments", "payouts.inquire_unknown_payments")


class Worker:
    """One worker after the other in the same folder; messages of a killed one are lost or stay."""

    def __init__(
        self,
        folder: Path,
        *,
        sandbox: str,
        module: str = "celery",
        tasks: Sequence[str] = _TASKS,
        **settings: str,
    ) -> None:
        """`module` is what is run in the place of Celery itself, with Celery's own arguments;
        `tasks` are those that `ring` rings for.
        """
        self._tasks = tasks
        self._log = folder / "worker.log"
        self._module = module
        self._environment = environment(folder, sandbox=sandbox, **settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._ringer = _ringer(folder)
        self._rung_at = 0.0

    def start(self) -> None:
        """Start it and return at once: messages wait in the folder until it takes them."""
        options = ["--pool", "threads"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    self._module,
                    "-A",
                    "config.celery",
                    "worker",
                    *options,
                    *quiet,
                ],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def ring(self) -> None:
        """Ring for its tasks, as beat and the API do, but not too often."""
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        self.leave_messages()

    def leave_messages(self) -> None:
        """Ring for whoever may take it, also while nobody does."""
        if time.monotonic() - self._rung_at > _RING_SECONDS:
            for task in self._tasks:
                self._ringer.send_task(task)
            self._rung_at = time.monotonic()

    @property
    def has_ended(self) -> bool:
        """Whether it is gone without having been asked to."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """End it at once: no clean-up, no last word."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None


def environment(folder: Path, *, sandbox: str, **settings: str) -> dict[str, str]:
    """What a process of the product is started with to work on the test's database."""
    return {
        **os.environ,
        "DATABASE_URL": _test_database_url(),
        "PAYOUTS_VAR": str(folder),
        "CARD_NETWORK_SANDBOX_URL": sandbox,
        "SENDER_LOST_SECONDS": "2",
        "INQUIRY_PAUSES_SECONDS": "1",
        "NETWORK_VISIBILITY_SECONDS": "1",
        **settings,
    }


def _ringer(folder: Path) -> Celery:
    broker = folder / "broker"
    for name in ("messages", "control"):
        (broker / name).mkdir(parents=True, exist_ok=True)
    ringer = Celery("ringer", broker="filesystem://localhost", set_as_current=False)
    ringer.conf.broker_transport = "config.folder_broker:Transport"
    ringer.conf.broker_transport_options = {
        "data_folder_in": str(broker / "messages"),
        "data_folder_out": str(broker / "messages"),
        "control_folder": str(broker / "control"),
    }
    return ringer


def _test_database_url() -> str:
    """The address of the test's own database, which only this process has given its name."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    user, port = connection.settings_dict["USER"], connection.settings_dict["PORT"]
    return f"postgresql://{user}@/{name}?host={quote(str(host))}&port={port}"
