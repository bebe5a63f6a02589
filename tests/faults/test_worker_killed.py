"""The worker is killed while it sends: nothing is lost, nothing sent twice, every cent found."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from consumers.models import Partner
from payouts.models import Attempt, Event, Payment
from payouts.networks.sandbox.behaviour import make_card_number
from payouts.operations.send_payments import claim_due_payments
from payouts.states import Status
from tests.faults.comparing import compare_with_the_network, settle
from tests.pushes import fresh, make_funded_partner, make_payee, push
from tests.sandbox import SandboxServer
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

# When the worker is killed, round by round: so many seconds after the first claim (when nothing has
# left yet) or after the first arrival at the network, which takes 0.3 s to answer.
KILLED_AFTER = (("claim", 0.0), ("arrival", 0.0), ("arrival", 0.15), ("arrival", 0.4))
PAYMENTS_A_ROUND = 50


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer.started(tmp_path / "book.sqlite3", latency_ms=300) as server:
        yield server


@pytest.fixture
def worker(tmp_path: Path, sandbox: SandboxServer) -> Iterator[Worker]:
    process = Worker(tmp_path, sandbox=sandbox.address)
    yield process
    process.kill()


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner(dollars="100000.00")


def test_every_payment_is_credited_exactly_once(
    worker: Worker, sandbox: SandboxServer, partner: Partner
) -> None:
    interrupted = 0
    good = [make_payee(partner=partner) for _ in range(9)]
    declining = make_payee(partner=partner, number=make_card_number("code", 51))
    cards = [*good, declining]
    for round_number, (what, seconds) in enumerate(KILLED_AFTER):
        before = _happened(what, sandbox)
        worker.start()
        for n in range(PAYMENTS_A_ROUND):
            push(cards[n % len(cards)], amount=f"{round_number + 1}.{n:02d}")
        while _happened(what, sandbox) == before:
            worker.ring()
            time.sleep(0.01)
        time.sleep(seconds)
        worker.kill()
        interrupted += Payment.objects.filter(status=Status.SUBMITTED).count()
    assert interrupted
    worker.start()
    settle(worker)
    assert Event.objects.filter(details__why="sender_lost").exists()
    assert Payment.objects.filter(card=declining).exclude(status=Status.FAILED).count() == 0
    assert Payment.objects.filter(card__in=good).exclude(status=Status.COMPLETED).count() == 0
    compare_with_the_network(sandbox, partner)


def test_what_was_claimed_and_never_left_is_sent_once(
    worker: Worker, sandbox: SandboxServer, partner: Partner, settings: Settings
) -> None:
    settings.SENDER_LOST_SECONDS = 0
    payment = push(make_payee(partner=partner))
    # The sender dies here, after the commit and before the first byte.
    (instruction,) = claim_due_payments(limit=1)
    worker.start()
    settle(worker)
    assert fresh(payment).status == Status.COMPLETED
    attempt = Attempt.objects.get()
    assert attempt.times_sent == 2
    assert attempt.trace_number == instruction.push.identity.systems_trace_audit_number
    compare_with_the_network(sandbox, partner)


def _happened(what: str, sandbox: SandboxServer) -> int:
    return Attempt.objects.count() if what == "claim" else sandbox.totals()["instructions"]
