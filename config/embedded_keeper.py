"""Runs one embedded PostgreSQL and stops it when nobody uses it any more. A process of its own.

Started only by `config/embedded.py`, with the lock of `keeper.lock` in an inherited file, which the
server inherits in turn: while either lives, nobody starts a second server on the same files. Says
`ready`, or what is wrong, on standard output and closes it. Standard library only, and no Django:
it starts in a few hundredths of a second.
"""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1

SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    # Only the server's own user and root may connect: there is no password.
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "log_min_messages": "fatal",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# What the demo accepts survives a crash; what a test writes need not.
THROW_AWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServerDidNotStart(Exception):
    """PostgreSQL or its initdb gave up; the text is what it said."""


@dataclass(frozen=True)
class Cluster:
    folder: Path
    socket_folder: Path
    programs: Path
    is_throw_away: bool
    lock_file: int
    user: int
    application: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    # What a child runs as. Only root may and must change that; None leaves everything as it is.

    @property
    def child_user(self) -> int | None:
        return self.user if os.geteuid() == 0 else None

    @property
    def child_group(self) -> int | None:
        return pwd.getpwuid(self.user).pw_gid if os.geteuid() == 0 else None

    @property
    def child_groups(self) -> list[int] | None:
        return [] if os.geteuid() == 0 else None


def main() -> None:
    # Our own parent, which waits for our first word, need not wait for our end.
    if os.fork():
        os._exit(0)
    folder, socket_folder, programs, cleanup, lock_file, user, application = sys.argv[1:]
    cluster = Cluster(
        Path(folder),
        Path(socket_folder),
        Path(programs),
        cleanup == "delete",
        int(lock_file),
        int(user),
        application,
    )
    try:
        prepare(cluster)
        server = start(cluster)
    except (ServerDidNotStart, OSError) as problem:
        sys.exit(str(problem))
    say_ready()
    stop_when_unused(cluster, server)
    if cluster.is_throw_away:
        shutil.rmtree(cluster.folder, ignore_errors=True)


def prepare(cluster: Cluster) -> None:
    """Make the cluster's files unless they are there, and let the server's user reach them."""
    if os.geteuid() == 0:
        open_way(cluster.programs / "postgres", user=cluster.user)
        open_way(cluster.data, user=cluster.user)
    if cluster.socket_folder != cluster.data:
        cluster.socket_folder.mkdir(mode=0o700, exist_ok=True)
        # Fails, as it must, if somebody else was there first with a folder of the same name.
        os.chown(cluster.socket_folder, cluster.user, -1)
        cluster.socket_folder.chmod(0o700)
    # We hold the lock that every server of this folder holds, so the files of an earlier one are
    # stale, even if its process id belongs to somebody else by now.
    for place in (cluster.data / "postmaster.pid", cluster.socket_folder / ".s.PGSQL.5432.lock"):
        place.unlink(missing_ok=True)
    if not cluster.data.exists():
        initialize(cluster)
    if not (cluster.folder / "roles").exists():
        make_roles(cluster)


def initialize(cluster: Cluster) -> None:
    """Make the files beside their place, then move them: half an initdb leaves no cluster."""
    making = cluster.folder / "data.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    os.chown(making, cluster.user, -1)
    done = subprocess.run(
        [
            *(str(cluster.programs / "initdb"), "--pgdata", str(making), "--username", "postgres"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale-provider", "builtin"),
            *("--builtin-locale", "C.UTF-8", "--locale", "C", "--no-instructions"),
            *(["--no-sync"] if cluster.is_throw_away else []),
        ],
        user=cluster.child_user,
        group=cluster.child_group,
        extra_groups=cluster.child_groups,
        cwd=cluster.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise ServerDidNotStart(done.stdout.strip())
    making.rename(cluster.data)


def make_roles(cluster: Cluster) -> None:
    """Make the role that the product works as, unless it is there, before anybody can connect.

    In a single-user server, because nobody else of this process speaks SQL. Once per cluster, and
    also for one that an earlier version has made; dying before the end repeats it.
    """
    done = subprocess.run(
        [str(cluster.programs / "postgres"), "--single", "-D", str(cluster.data), "postgres"],
        input=f"DO $$ BEGIN CREATE ROLE {cluster.application} LOGIN; "
        "EXCEPTION WHEN duplicate_object THEN NULL; END $$\n",
        user=cluster.child_user,
        group=cluster.child_group,
        extra_groups=cluster.child_groups,
        cwd=cluster.data,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # It ends with 0 whatever a statement said.
    if done.returncode != 0 or "ERROR" in done.stdout:
        raise ServerDidNotStart(done.stdout.strip())
    (cluster.folder / "roles").touch()


def start(cluster: Cluster) -> subprocess.Popen[bytes]:
    settings = SERVER_SETTINGS | {"unix_socket_directories": f'"{cluster.socket_folder}"'}
    if cluster.is_throw_away:
        settings |= THROW_AWAY_SETTINGS
    with (cluster.folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(str(cluster.programs / "postgres"), "-D", str(cluster.data)),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            user=cluster.child_user,
            group=cluster.child_group,
            extra_groups=cluster.child_groups,
            cwd=cluster.data,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[cluster.lock_file],
            preexec_fn=end_with_parent(),
        )
    while not is_ready(cluster):
        if server.poll() is not None:
            raise ServerDidNotStart((cluster.folder / "log").read_text(errors="replace").strip())
        time.sleep(0.01)
    return server


def stop_when_unused(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    """Return when the server has ended: by itself, or because nobody uses it any more."""
    users = (cluster.folder / "users.lock").open("ab")

    def wait_for_users() -> None:
        # Whoever comes from now on waits for this lock until this process has ended.
        fcntl.flock(users, fcntl.LOCK_EX)
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown

    threading.Thread(target=wait_for_users, daemon=True).start()
    server.wait()


def is_ready(cluster: Cluster) -> bool:
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def open_way(path: Path, *, user: int) -> None:
    """As root: let `user` pass through the folders above `path`. Passing is not reading."""
    for folder in path.parents:
        status = folder.stat()
        if status.st_uid != user and not status.st_mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)


def end_with_parent() -> Callable[[], object] | None:
    """On Linux, stop the server even when this process is killed. Looked up before the fork."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())


if __name__ == "__main__":
    main()
