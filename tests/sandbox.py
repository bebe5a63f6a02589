"""The sandbox network as a real process for tests: started on a free port, with a book of its own.

with SandboxServer.started(tmp_path / "book.sqlite3", latency_ms=0) as sandbox:
    settings.CARD_NETWORK_SANDBOX_URL = sandbox.address
    ...
    assert sandbox.totals()["credited"] == 1
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 10


class SandboxServer:
    """One running process. `stop()` asks it to end, `kill()` does not ask."""

    def __init__(self, process: "subprocess.Popen[str]", *, address: str, book_path: Path) -> None:
        self.address = address
        self.book_path = book_path
        # One client for all questions: making one reads the machine's certificates.
        self.http = httpx.Client(base_url=address, trust_env=False, timeout=60)
        self._process = process

    @classmethod
    def start(cls, book_path: Path, *, port: int = 0, **switches: str | float) -> Self:
        """Start on a free port, or on one that an earlier process had.

        Switches are the options of the command: latency_ms, limit_ms, late_ms, faults, seed, mix.
        """
        options = [f"--{name.replace('_', '-')}={value}" for name, value in switches.items()]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "payouts.networks.sandbox"),
                *("--port", str(port), "--book", str(book_path)),
                *options,
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready, f"the sandbox network did not start: {process.wait(_STOP_SECONDS)}"
        return cls(process, address=json.loads(ready)["address"], book_path=book_path)

    @classmethod
    @contextmanager
    def started(cls, book_path: Path, **switches: str | float) -> Iterator[Self]:
        """Start for the length of a `with` block."""
        server = cls.start(book_path, port=0, **switches)
        try:
            yield server
        finally:
            server.kill()

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def book(self) -> list[dict[str, Any]]:
        """Every instruction that the network has received, in the order of arrival."""
        entries: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self._get(f"/book?after={after}&limit=1000")
            entries += page["instructions"]
            if page["next_after"] is None:
                return entries
            after = page["next_after"]

    def totals(self) -> dict[str, int]:
        """What the book counts; `credited_cents` is the money."""
        totals: dict[str, int] = self._get("/book/totals")
        return totals

    def control(self, **changes: object) -> dict[str, Any]:
        """Throw switches while it runs, and say how all of them stand."""
        response = self.http.post("/control", json=changes)
        assert response.status_code == 200, response.text
        switches: dict[str, Any] = response.json()
        return switches

    def stop(self) -> None:
        """End in order; the book is closed. May be called twice."""
        self._process.terminate()
        self._await_end()

    def kill(self) -> None:
        """End at once, with SIGKILL. May be called after `stop()`."""
        self._process.kill()
        self._await_end()

    def _await_end(self) -> None:
        self.http.close()
        self._process.wait(_STOP_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _get(self, path: str) -> Any:
        response = self.http.get(path)
        assert response.status_code == 200, response.text
        return response.json()
