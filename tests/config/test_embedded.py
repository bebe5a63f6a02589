"""The embedded PostgreSQL: shared by several processes, stopped after the last of them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from config import embedded

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SECONDS: Final = 30.0

# A process that uses the cluster until its standard input is closed.
USER: Final = """
import sys
from pathlib import Path
from config import embedded
print(embedded.database_url(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """A place for a cluster. Not pytest's own: it closes that to the server's user now and then."""
    with tempfile.TemporaryDirectory(prefix="payouts-embedded-") as place:
        folder = Path(place) / "with a space" / "postgres"
        yield folder
        embedded.release(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A cluster that was made and has stopped: making one takes most of the time."""
    with tempfile.TemporaryDirectory(prefix="payouts-embedded-") as place:
        folder = Path(place) / "with a space" / "postgres"
        embedded.database_url(folder)
        embedded.release(folder)
        yield folder


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    yield made
    embedded.release(made)


class User:
    """Another process that uses the cluster."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=SECONDS)


@contextmanager
def users(folder: Path, count: int) -> Iterator[list[User]]:
    started = [User(folder) for _ in range(count)]
    try:
        yield started
    finally:
        for user in started:
            user.process.kill()
            user.process.communicate()


def server_id(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def becomes(is_true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_true()


def answer(url: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone()


def test_serves_in_a_path_with_a_space(folder: Path) -> None:
    assert answer(embedded.database_url(folder)) == (1,)


def test_is_started_once_by_many_at_once(new_folder: Path) -> None:
    with users(new_folder, 4) as several:
        urls = {user.url() for user in several}
        assert len(urls) == 1
        assert answer(urls.pop()) == (1,)


def test_stops_when_the_last_user_has_left(folder: Path) -> None:
    with users(folder, 2) as (first, second):
        assert first.url() == second.url()
        server = server_id(folder)
        first.leave()
        time.sleep(0.3)
        assert runs(server)
        second.leave()
        assert becomes(lambda: not runs(server))


def test_stops_when_its_only_user_is_killed(folder: Path) -> None:
    with users(folder, 1) as (user,):
        user.url()
        server = server_id(folder)
        user.process.kill()
        assert becomes(lambda: not runs(server))


def test_starts_again_after_everything_was_killed(folder: Path) -> None:
    with users(folder, 1) as (user,):
        owner = user.url().replace(embedded.APPLICATION, embedded.OWNER)
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)")
        server = server_id(folder)
        keeper = int(Path(f"/proc/{server}/stat").read_text().rsplit(") ", 1)[1].split()[1])
        for process_id in (user.process.pid, keeper, server):
            os.kill(process_id, signal.SIGKILL)
    stale = folder / "data" / "postmaster.pid"
    assert stale.exists()
    # Somebody else has got the number of the killed server by now.
    stale.write_text(stale.read_text().replace(str(server), str(os.getpid()), 1))
    owner = embedded.database_url(folder, role=embedded.OWNER)
    with psycopg.connect(owner) as connection:
        assert connection.execute("SELECT x FROM kept").fetchall() == [(7,)]


def test_comes_back_for_who_still_uses_it(folder: Path) -> None:
    url = embedded.database_url(folder)
    assert not embedded.revive(folder)
    killed = server_id(folder)
    os.kill(killed, signal.SIGKILL)
    assert becomes(lambda: not embedded.revive(folder) and server_id(folder) != killed)
    assert answer(url) == (1,)


def test_nothing_comes_back_for_who_does_not_use_it(folder: Path) -> None:
    assert not embedded.revive(folder)
    assert not (folder / "data" / "postmaster.pid").exists()


def test_survives_the_ctrl_c_of_the_terminal(folder: Path) -> None:
    with users(folder, 1) as (user,):
        url = user.url()
        assert os.getpgid(server_id(folder)) != os.getpgid(user.process.pid)
        assert os.getsid(server_id(folder)) != os.getsid(user.process.pid)
        assert answer(url) == (1,)


def test_leaves_nothing_of_a_throw_away_cluster(new_folder: Path) -> None:
    embedded.database_url(new_folder, cleanup="delete")
    assert embedded.release(new_folder)
    assert becomes(lambda: not new_folder.exists())


def test_stays_up_while_somebody_else_uses_it(folder: Path) -> None:
    with users(folder, 1) as (other,):
        url = other.url()
        embedded.database_url(folder)
        assert not embedded.release(folder)
        assert answer(url) == (1,)


def test_begins_anew_after_an_initdb_that_was_interrupted(new_folder: Path) -> None:
    half_made = new_folder / "data.making"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    assert answer(embedded.database_url(new_folder)) == (1,)
    assert not half_made.exists()


def test_names_what_another_user_left(new_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (new_folder / "data").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(embedded.EmbeddedDatabaseUnavailable, match="belongs to another user"):
        embedded.database_url(new_folder)
    assert not (new_folder / "users.lock").exists()


def test_only_its_own_user_may_connect(folder: Path) -> None:
    embedded.database_url(folder)
    socket_file = folder / "data" / embedded.SOCKET_NAME
    assert socket_file.stat().st_mode & 0o077 == 0


def test_a_cluster_of_an_earlier_version_gets_the_product_s_role(folder: Path) -> None:
    owner = embedded.database_url(folder, role=embedded.OWNER)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {embedded.APPLICATION}")
    assert embedded.release(folder)
    (folder / "roles").unlink()
    with psycopg.connect(embedded.database_url(folder)) as connection:
        mighty = "SELECT rolsuper, current_user FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(mighty).fetchone() == (False, embedded.APPLICATION)
