"""A real web server on the test's database, and clients that repeat a call until it is answered."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.worker import ROOT, environment

_HOST: Final = "127.0.0.1"
_CALL_SECONDS: Final = 20.0
_AGAIN_SECONDS: Final = 0.2
START_SECONDS: Final = 60.0


class Web:
    """One web server after the other on one port; its workers come back when they die."""

    def __init__(self, folder: Path, *, sandbox: str, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            self.port = int(probe.getsockname()[1])
        self._log = folder / "web.log"
        self._environment = environment(folder, sandbox=sandbox, **settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1"),
                    *("--no-ws", "--log-level", "warning", "--respawn-failed-workers"),
                    *("--host", _HOST, "--port", str(self.port)),
                    *("--workers", "2", "--blocking-threads", "2"),
                    "tests.faults.mortal_web:application",
                ],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """End it and its workers at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        try:
            with closing(Client(self.port, token="")) as client:
                return client.call("GET", "/healthz") is not None
        except (OSError, http.client.HTTPException):
            return False


class Client:
    """One connection to the API, made anew whenever it breaks."""

    def __init__(self, port: int, *, token: str) -> None:
        self._port = port
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: bytes = b"", *, key: str = ""
    ) -> tuple[int, bytes]:
        """Status and body. Raises OSError or HTTPException when nothing can be known."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(_HOST, self._port, timeout=_CALL_SECONDS)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        try:
            self._connection.request(method, path, body or None, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Answers:
    """What each key was told, by as many clients as have asked; safe to use from threads."""

    def __init__(self) -> None:
        self.by_key: dict[str, set[tuple[int, str]]] = {}
        self.calls = 0
        self.unclear = 0
        self._lock = threading.Lock()

    def heard(self, key: str, status: int, body: bytes) -> None:
        told = json.loads(body)
        with self._lock:
            self.by_key.setdefault(key, set()).add((status, str(told.get("id", told.get("code")))))

    def count(self, *, is_clear: bool) -> None:
        with self._lock:
            self.calls += 1
            self.unclear += not is_clear

    @property
    def ids(self) -> set[str]:
        """The payments that somebody was told of with a 201."""
        return {told for heard in self.by_key.values() for status, told in heard if status == 201}


def push_until_answered(
    client: Client, answers: Answers, *, key: str, body: Mapping[str, Any], until: float
) -> None:
    """Repeat the call with its key until it is answered with something that is final for it."""
    content = json.dumps(body).encode()
    while time.monotonic() < until:
        try:
            status, said = client.call("POST", "/v2/payments/oct/", content, key=key)
        except (OSError, http.client.HTTPException):
            status, said = 0, b""
        is_clear = status in {201, 422}
        answers.count(is_clear=is_clear)
        if is_clear:
            answers.heard(key, status, said)
            return
        assert status in {0, 409, 429, 500, 502, 503}, (status, said)
        time.sleep(_AGAIN_SECONDS)
    raise AssertionError(f"{key} was not answered in time")


def in_threads(tasks: Iterable[Sequence[Any]], run: Any) -> None:
    """Run `run(*task)` for each task in a thread of its own; the first exception is raised."""
    problems: list[BaseException] = []

    def guarded(task: Sequence[Any]) -> None:
        try:
            run(*task)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
