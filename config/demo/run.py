"""The order in which the demo comes up and goes down."""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from config import embedded
from config.celery import app
from config.demo.cast import Cast, prepare_cast
from config.demo.children import POLL_SECONDS, Children, wait_until
from config.demo.files import Places, write_private
from config.demo.words import facts, ready_text
from config.rights import grant_rights
from consumers.table_owner import as_owner

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
WEB_WORKERS: Final = 2
# More threads than two take turns at one interpreter: reads fall by a third (docs/performance.md).
WEB_THREADS: Final = 2
# Calls in flight are waited for; whatever is cut off becomes unknown and is asked about later.
WORKER_STOP_SECONDS: Final = 20.0
_CELERY: Final = ("-A", "config.celery")
# Days in life.
RETURN_MS: Final = 60_000
# The sandbox shows at once what it has, so nobody has to wait for an hour to see what becomes of a
# push whose worker was killed. What the environment sets wins.
PATIENCE: Final = {
    "SENDER_LOST_SECONDS": "60",
    "INQUIRY_PAUSES_SECONDS": "10,20,60,480,3000,18000,86400",
    "NETWORK_VISIBILITY_SECONDS": "15",
    # So that each day is proved on the next one without anybody's hand.
    "FETCH_SETTLEMENTS": "yes",
}


class DemoCannotStart(Exception):
    """Something on this machine is in the way; the text says what and what to do."""


class Interruptions:
    """Ctrl-C, SIGTERM and the closing of the terminal: one stops in order, another one at once.

    Raises KeyboardInterrupt until the stopping has begun, which nothing may break into.
    """

    def __init__(self) -> None:
        self._is_stopping = False
        self._is_urgent = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._receive)

    def begin_stopping(self) -> None:
        self._is_stopping = True

    def is_urgent(self) -> bool:
        return self._is_urgent

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            self._is_urgent = True
        else:
            self._is_stopping = True
            raise KeyboardInterrupt


def run_demo(*, port: int, say: Callable[[str], None]) -> None:
    """Run everything until Ctrl-C, SIGTERM or the end of one of the processes.

    Port 0 takes a free one.

    :raises DemoCannotStart: before anything runs.
    :raises ChildEnded: a process has ended by itself; everything is stopped by then.
    """
    began_at = time.monotonic()
    if settings.PRODUCTION:
        raise DemoCannotStart("The demo is for development: unset PAYOUTS_ENV.")
    places = Places(settings.VAR_DIR.resolve())
    _require_own(places.var)
    with _only_demo(places):
        interruptions = Interruptions()
        address = f"http://{HOST}:{_free_port(port)}"
        _lay_out(places)
        children = Children(settings.BASE_DIR, logs=places.logs, environment=_environment(places))
        try:
            cast, sandbox = _bring_up(places, children, address=address, say=say)
            write_private(places.facts, facts(cast, address=address, sandbox=sandbox))
            seconds = time.monotonic() - began_at
            say(ready_text(cast, address=address, sandbox=sandbox, seconds=seconds))
            while True:
                children.revive_killed(say=say)
                if embedded.revive(places.database):
                    say("PostgreSQL had ended. It is started again.")
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            say("Stopping. (Ctrl-C again: at once.)")
        finally:
            interruptions.begin_stopping()
            places.facts.unlink(missing_ok=True)
            children.stop(is_urgent=interruptions.is_urgent)
            connections.close_all()
            embedded.release(places.database)
            say(f"Stopped. The data stays in {places.var} for the next run.")


def _bring_up(
    places: Places, children: Children, *, address: str, say: Callable[[str], None]
) -> tuple[Cast, str]:
    """Start everything and wait for its answers. What takes long runs side by side."""
    sandbox = _start_sandbox(places, children, address=address)
    say("Preparing the database.")
    _migrate()
    say("Starting the web server, the worker and beat.")
    _start_product(children, address=address)
    cast = prepare_cast(places.secrets)
    connections.close_all()
    _wait_for_answers(children, address=address, sandbox=sandbox)
    # Beat answers nobody, so it need not take the processor from those who are waited for.
    children.start("beat", "celery", [*_CELERY, "beat"])
    return cast, sandbox


def _migrate() -> None:
    """Migrate what is not; rights are given anew anyway, which takes no time."""
    with as_owner():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
        else:
            grant_rights()


def _start_sandbox(places: Places, children: Children, *, address: str) -> str:
    """Start the sandbox network on a free port; return the address once it accepts connections."""
    # Chosen here and not by it: if it is killed, it comes back where the others know it.
    port = str(_free_port(0))
    notify = f"{address}/networks/sandbox/notifications/"
    log = children.start(
        "sandbox",
        "payouts.networks.sandbox",
        [
            *("--port", port, "--book", str(places.book)),
            *("--notify", notify, "--return-ms", str(RETURN_MS)),
        ],
    )

    def printed() -> str:
        lines = log.read_text().splitlines(keepends=True)
        return next((line for line in lines if re.fullmatch(r'{"address".*}\n', line)), "")

    wait_until(
        lambda: bool(printed()),
        children=children,
        what="The sandbox network",
        seconds=START_SECONDS,
    )
    sandbox = str(json.loads(printed())["address"])
    # For the processes to come, and for this one: a card that is added is asked about.
    children.environment["CARD_NETWORK_SANDBOX_URL"] = sandbox
    settings.CARD_NETWORK_SANDBOX_URL = sandbox
    return sandbox


def _start_product(children: Children, *, address: str) -> None:
    """Start what is waited for: worker and web server."""
    children.start(
        "worker",
        "celery",
        [
            *(*_CELERY, "worker", "--pool", "threads"),
            *("--without-gossip", "--without-mingle"),
        ],
        stop_seconds=WORKER_STOP_SECONDS,
    )
    children.start(
        "web",
        "granian",
        [
            *("--interface", "wsgi", "--http", "1", "--no-ws", "--log-level", "warning"),
            *("--host", HOST, "--port", address.rpartition(":")[2]),
            *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)),
            # One that is killed is started again by the other, not the whole demo ended.
            *("--respawn-failed-workers", "--respawn-interval", "1"),
            "config.wsgi:application",
        ],
    )


def _wait_for_answers(children: Children, *, address: str, sandbox: str) -> None:
    questions: dict[str, Callable[[], bool]] = {
        "The sandbox network": lambda: _answers(f"{sandbox}/healthz"),
        "The web server": lambda: _answers(f"{address}/readyz"),
        "The worker": lambda: bool(app.control.ping(timeout=1.0, limit=1)),
    }
    for what, is_answered in questions.items():
        wait_until(is_answered, children=children, what=what, seconds=START_SECONDS)


def _answers(url: str) -> bool:
    try:
        # Whatever proxy the environment names: these are our own processes.
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _lay_out(places: Places) -> None:
    """Make the folders. Bells of an earlier run are thrown away: beat rings anew."""
    places.facts.unlink(missing_ok=True)
    shutil.rmtree(places.broker, ignore_errors=True)
    for folder in (places.broker / "messages", places.broker / "control", places.logs):
        folder.mkdir(parents=True, exist_ok=True)


def _require_own(var: Path) -> None:
    """Raise DemoCannotStart for what another user has left there; root may use everything."""
    var.mkdir(parents=True, exist_ok=True)
    left = [place for place in (var, *var.iterdir()) if place.stat().st_uid != os.geteuid()]
    if left and os.geteuid() != 0:
        raise DemoCannotStart(
            f"{left[0]} belongs to another user (a run as root?). Take the folder over "
            f"(chown -R), remove it, or set PAYOUTS_VAR to a folder of your own."
        )


def _environment(places: Places) -> dict[str, str]:
    """What the children see: our environment, and the database that we hold open for them."""
    ours = {"PAYOUTS_VAR": str(places.var), "PYTHONUNBUFFERED": "1", "DEMO_SHOWS_CODES": "yes"}
    shared = {"SANDBOX_NOTIFICATION_KEYS": ",".join(settings.SANDBOX_NOTIFICATION_KEYS)}
    environment = {**PATIENCE, **shared, **os.environ, **ours}
    if not environment.keys() & {"DATABASE_URL", "DATABASE_URL_FILE"}:
        environment["DATABASE_URL"] = embedded.database_url(places.database)
    return environment


def _free_port(port: int) -> int:
    """The port, or a free one for 0. Raises DemoCannotStart if somebody has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            raise DemoCannotStart(
                f"Port {port} cannot be used ({problem.strerror}). Choose another one, for "
                f"example: make demo PORT={port + 1}"
            ) from problem
        return int(probe.getsockname()[1])


@contextmanager
def _only_demo(places: Places) -> Iterator[None]:
    """Hold a lock while the demo runs; raises DemoCannotStart if another one holds it."""
    with places.lock.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoCannotStart(
                f"A demo is running on {places.var} already. Stop it, or set PAYOUTS_VAR to "
                "another folder."
            ) from None
        yield
