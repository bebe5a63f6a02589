"""Starts the processes of the demo, watches them, and stops them so that none is left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.1
# Whoever is killed so often in so short a time is being killed for a reason.
KILLED_AT_MOST: Final = 5
WITHIN_SECONDS: Final = 60.0
PR_SET_PDEATHSIG: Final = 1


class ChildEnded(Exception):
    """A process of the demo ended by itself; the text says which and where to look."""


@dataclass(slots=True)
class Child:
    name: str
    module: str
    arguments: Sequence[str]
    log: Path
    stop_seconds: float
    process: subprocess.Popen[bytes]
    killed_at: list[float] = field(default_factory=list)

    @property
    def was_killed(self) -> bool:
        code = self.process.poll()
        return code is not None and code < 0


class Children:
    """The running processes, in the order of their start."""

    def __init__(self, folder: Path, *, logs: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._logs = logs
        self.environment = dict(environment)
        self._running: list[Child] = []

    def start(
        self, name: str, module: str, arguments: Sequence[str], *, stop_seconds: float = 10.0
    ) -> Path:
        """Run `python -m module arguments` in a process group of its own; return its log file.

        Of its own, so that Ctrl-C in the terminal reaches only the demo, which stops the others in
        order. `stop_seconds` is how long it may take to stop before it is killed.
        """
        log = self._logs / f"{name}.log"
        log.unlink(missing_ok=True)
        process = self._spawn(module, arguments, log)
        self._running.append(Child(name, module, arguments, log, stop_seconds, process))
        return log

    def _spawn(self, module: str, arguments: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self._folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_stopping_with_parent(),
            )

    def revive_killed(self, *, say: Callable[[str], None]) -> None:
        """Start again whoever was killed from outside; each goes on with what is in its store.

        :raises ChildEnded: one has ended by itself, or is killed again and again.
        """
        for child in self._running:
            if child.was_killed and _may_be_revived(child):
                # What its leader has left behind may hold the port.
                _signal_group(child, signal.SIGKILL)
                say(f"The {child.name} process was killed. It is started again.")
                child.process = self._spawn(child.module, child.arguments, child.log)
        self.require_alive()

    def require_alive(self) -> None:
        """Raise ChildEnded if any of them has ended."""
        for child in self._running:
            if child.process.poll() is not None:
                raise ChildEnded(_last_words(child))

    def stop(self, *, is_urgent: Callable[[], bool]) -> None:
        """Ask all but the first to end, then the first, on which they lean.

        Whoever takes longer than it may, or is still there when it `is_urgent`, is killed: what it
        was doing is safe in the database, or unknown there.
        """
        for group in (self._running[1:], self._running[:1]):
            for child in group:
                # Only the leader of its group is told: it knows how to stop its own workers.
                child.process.terminate()
            for child in group:
                _await_end(child, is_urgent)
        self._running.clear()


def _may_be_revived(child: Child) -> bool:
    now = time.monotonic()
    child.killed_at = [at for at in child.killed_at if now - at < WITHIN_SECONDS] + [now]
    return len(child.killed_at) <= KILLED_AT_MOST


def _await_end(child: Child, is_urgent: Callable[[], bool]) -> None:
    deadline = time.monotonic() + child.stop_seconds
    while child.process.poll() is None and time.monotonic() < deadline and not is_urgent():
        time.sleep(POLL_SECONDS)
    # The whole group: also what a leader may have left behind.
    _signal_group(child, signal.SIGKILL)
    child.process.wait()


def _signal_group(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return


def _last_words(child: Child) -> str:
    lines = child.log.read_text(errors="replace").strip().splitlines()[-15:]
    return "\n".join(
        [
            f"The {child.name} process ended with {child.process.returncode}. "
            f"The end of {child.log}:",
            *(f"    {line}" for line in lines),
        ]
    )


def _stopping_with_parent() -> Callable[[], object] | None:
    """On Linux, have the kernel end the child when the demo itself is killed."""
    if not sys.platform.startswith("linux"):
        return None
    # Looked up before the fork: after it, hardly anything may be called safely.
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(
    is_true: Callable[[], bool], *, children: Children, what: str, seconds: float
) -> None:
    """Return when `is_true`. Raises ChildEnded when a process ends, or when it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_true():
        children.require_alive()
        if time.monotonic() > deadline:
            raise ChildEnded(f"{what} did not answer within {seconds:.0f} seconds.")
        time.sleep(POLL_SECONDS)
