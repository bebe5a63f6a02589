"""A product that runs as `make demo` does, in a folder of its own, and what it takes of the CPU."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psycopg

from config import embedded

ROOT: Final = Path(__file__).resolve().parent.parent.parent
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
LULL_SECONDS: Final = 120.0
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
# Whatever the caller runs against must not be what is measured.
_NOT_INHERITED: Final = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "CELERY_BROKER_URL",
    "PAYOUTS_ENV",
    "PORT",
    "DJANGO_DEBUG",
)

_BUSY: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
"""


class ProductDidNotStart(Exception):
    """The demo ended or was not ready in time; the text is what it said."""


class NoLull(Exception):
    """The worker was in a transaction each time that it was halted."""


@dataclass(frozen=True, slots=True)
class CPU:
    """Seconds of CPU that the web server and the database have used so far."""

    web: float
    database: float


class Product:
    """One running demo. Use `started`, which stops it again."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], facts: Mapping[str, Any]):
        self.folder = folder
        self.address: str = facts["address"]
        self.facts = facts
        self.sandbox: str = facts["sandbox"]["address"]
        self.staff: dict[str, str] = {one["role"]: one["password"] for one in facts["staff"]}
        self.database_url = embedded.database_url(folder / "postgres")
        self._process = process
        children = {
            _command(pid): pid for pid, one in _processes().items() if one.parent == process.pid
        }
        self._web = next(pid for line, pid in children.items() if "granian" in line)
        self._worker = next(pid for line, pid in children.items() if " worker " in line)
        postmaster = (folder / "postgres" / "data" / "postmaster.pid").read_text()
        self._postmaster = int(postmaster.splitlines()[0])

    @classmethod
    @contextmanager
    def started(cls, folder: Path, *, checkout: Path = ROOT) -> Iterator[Self]:
        """Run the demo of a checkout for the length of a `with` block."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "demo.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", "0"],
                cwd=checkout,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            yield cls(folder, process, _facts(folder, process))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
            embedded.release(folder / "postgres")

    @property
    def localhost(self) -> str:
        """The same address by the name under which browsers allow passkeys."""
        return self.address.replace("127.0.0.1", "localhost")

    def cpu(self) -> CPU:
        processes = _processes()
        return CPU(_cpu_seconds(self._web, processes), _cpu_seconds(self._postmaster, processes))

    @contextmanager
    def worker_resting(self) -> Iterator[None]:
        """Nothing is sent meanwhile: the worker's own speed is measured by itself.

        It is halted between two transactions. One that stood open all the time would keep the
        database from tidying up, and make whatever is measured meanwhile ever slower.
        """
        self._halt_between_transactions()
        try:
            yield
        finally:
            os.kill(self._worker, signal.SIGCONT)

    def _halt_between_transactions(self) -> None:
        until = time.monotonic() + LULL_SECONDS
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while time.monotonic() < until:
                os.kill(self._worker, signal.SIGSTOP)
                # What it asked last is still being answered.
                time.sleep(0.05)
                if connection.execute(_BUSY).fetchone() == (0,):
                    return
                os.kill(self._worker, signal.SIGCONT)
                time.sleep(0.05)
        raise NoLull


def environment(folder: Path) -> dict[str, str]:
    """The environment of whatever shall belong to the product in that folder."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return {**kept, "PAYOUTS_VAR": str(folder)}


def _facts(folder: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    facts = folder / "demo.json"
    while process.poll() is None and time.monotonic() < deadline:
        if facts.exists():
            found: dict[str, Any] = json.loads(facts.read_text())
            return found
        time.sleep(0.1)
    raise ProductDidNotStart((folder / "demo.log").read_text())


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    cpu_seconds: float


def _processes() -> dict[int, _Process]:
    """All processes of this machine, by their ids (proc(5))."""
    found: dict[int, _Process] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        # utime, stime, and both of those children that have ended
        ticks = sum(int(field) for field in fields[11:15])
        found[int(place.name)] = _Process(int(fields[1]), ticks / _TICKS_PER_SECOND)
    return found


def _cpu_seconds(pid: int, processes: Mapping[int, _Process]) -> float:
    """Of a process and of all that descends from it, the ended ones included."""
    children = [child for child, process in processes.items() if process.parent == pid]
    return processes[pid].cpu_seconds + sum(_cpu_seconds(child, processes) for child in children)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
