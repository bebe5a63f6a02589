"""Everything is killed, cut and deleted at random under load; then the books are compared."""

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from config import embedded
from payouts.models import Attempt, Payment
from tests import cluster
from tests.builders import make_token
from tests.faults.calling import Answers, Client, Web, in_threads, push_until_answered
from tests.faults.comparing import compare_with_the_network, settle
from tests.faults.conftest import Tell
from tests.pushes import make_funded_partner, make_payee
from tests.sandbox import SandboxServer
from tests.worker import Worker

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

CLIENTS = 8
SECONDS = float(os.environ.get("FAULTS_SECONDS", "90"))
PAUSE_SECONDS = 2.0
BREATH_SECONDS = 0.05
SEED = 11
FUNDED = "1000000.00"


class House:
    """The whole product on the test's database, and somebody who breaks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sandbox = SandboxServer.start(
            folder / "book.sqlite3", latency_ms=100, faults=0.1, seed=SEED, limit_ms=500,
            mix="reset_after,reset_before,error_after,html,late,hidden_once",
        )  # fmt: skip
        self.web = Web(folder, sandbox=self.sandbox.address)
        self.worker = Worker(folder, sandbox=self.sandbox.address)
        self.done: Counter[str] = Counter()
        assert cluster.folder is not None
        self.cluster = cluster.folder
        self.name = str(connection.settings_dict["NAME"])

    def start(self) -> None:
        self.web.start()
        self.worker.start()

    def end(self) -> None:
        self.web.kill()
        self.worker.kill()
        self.sandbox.kill()

    def kill_worker(self) -> None:
        self.worker.kill()
        self.worker.start()

    def kill_web(self) -> None:
        self.web.kill()
        self.web.start()

    def kill_network(self) -> None:
        port, book = self.sandbox.port, self.sandbox.book_path
        self.sandbox.kill()
        time.sleep(0.5)
        self.sandbox = SandboxServer.start(
            book, port=port, latency_ms=100, faults=0.1, seed=SEED, limit_ms=500,
            mix="reset_after,reset_before,error_after,html,late,hidden_once",
        )  # fmt: skip

    def delete_broker(self) -> None:
        shutil.rmtree(self.folder / "broker", ignore_errors=True)
        for name in ("messages", "control"):
            (self.folder / "broker" / name).mkdir(parents=True, exist_ok=True)

    def cut_connections(self) -> None:
        """Every connection of the product at once, in whatever it is, a COMMIT included."""
        owner = embedded.database_url(self.cluster, role=embedded.OWNER)
        with psycopg.connect(owner, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = %s AND pid <> pg_backend_pid()",
                [self.name, django_settings.DATABASE_ROLE],
            )

    def stop_database(self) -> None:
        """An immediate stop: nothing is written out, and the next start recovers from the log."""
        pid = (self.cluster / "data" / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(pid), signal.SIGQUIT)
        until = time.monotonic() + 60
        while not embedded.revive(self.cluster):
            assert time.monotonic() < until, "the database did not end"
            time.sleep(0.05)

    def break_something(self, chance: random.Random) -> None:
        acts: tuple[Callable[[], None], ...] = (
            *(self.kill_worker, self.kill_worker, self.kill_web, self.kill_network),
            *(self.delete_broker, self.cut_connections, self.cut_connections, self.stop_database),
        )
        act = chance.choice(acts)
        act()
        self.done[act.__name__] += 1


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    if not cluster.IS_DURABLE or cluster.folder is None:
        pytest.fail("This stops the database: run it by `make faults`.")
    made = House(tmp_path)
    yield made
    made.end()


def test_the_books_agree_after_everything_has_broken(house: House, tell: Tell) -> None:
    partner = make_funded_partner(dollars=FUNDED)
    cards = [make_payee(partner=partner) for _ in range(20)]
    bodies = [
        {"consumer_id": str(card.consumer_id), "external_payment_card_id": str(card.pk)}
        for card in cards
    ]
    token, answers = make_token(partner=partner), Answers()
    stop_at = time.monotonic() + SECONDS
    is_over = threading.Event()
    house.start()

    def client(number: int) -> None:
        sent = 0
        with closing(Client(house.web.port, token=token)) as mine:
            while not is_over.is_set():
                body = {**bodies[(number + sent) % 20], "amount": f"{sent % 50 + 1}.{number:02d}"}
                key = f"c{number}-{sent}"
                push_until_answered(mine, answers, key=key, body=body, until=stop_at + 120)
                sent += 1
                # Slower than the worker, so that what is open at the end is stuck and not behind.
                time.sleep(BREATH_SECONDS)

    def ring() -> None:
        while not is_over.is_set():
            house.worker.leave_messages()
            time.sleep(0.1)

    def wreck() -> None:
        chance = random.Random(SEED)  # noqa: S311
        try:
            while time.monotonic() < stop_at:
                time.sleep(PAUSE_SECONDS * chance.random())
                house.break_something(chance)
        finally:
            is_over.set()

    in_threads(
        [*((client, number) for number in range(CLIENTS)), (ring,), (wreck,)],
        lambda run, *arguments: run(*arguments),
    )
    connections.close_all()
    house.sandbox.control(faults=0)
    seconds = settle(house.worker)
    _every_answer_is_kept(answers)
    paid = compare_with_the_network(house.sandbox, partner, funded=FUNDED)
    resent = Attempt.objects.filter(times_sent__gt=1).count()
    tell(
        f"{SECONDS:.0f} s, broken {sum(house.done.values())} times {dict(house.done)}; "
        f"{answers.calls:,} calls, {answers.unclear:,} of them repeated with their key, "
        f"{Payment.objects.count():,} pushes, {resent:,} sent again under their identity; all "
        f"settled {seconds:.1f} s after the last blow; ${paid:,.2f} in both books"
    )


def _every_answer_is_kept(answers: Answers) -> None:
    """Who heard 201 has that payment, one a key, and there is no payment that nobody asked for."""
    assert {len(heard) for heard in answers.by_key.values()} == {1}
    assert {status for heard in answers.by_key.values() for status, _ in heard} == {201}
    stored = set(map(str, Payment.objects.values_list("pk", flat=True)))
    assert answers.ids == stored
    assert len(stored) == len(answers.by_key)
