"""A process is killed at every point around the send that has a name; then the books."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from consumers.models import Partner
from payouts.models import Payment
from payouts.networks.sandbox.behaviour import Fault
from tests.builders import make_token
from tests.faults import mortal
from tests.faults.calling import Answers, Client, Web, push_until_answered
from tests.faults.comparing import compare_with_the_network, settle
from tests.faults.conftest import Tell
from tests.pushes import make_funded_partner, make_payee, push
from tests.sandbox import SandboxServer
from tests.worker import Worker

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

DIES_SECONDS = 60
PUSHES = 10


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer.started(tmp_path / "book.sqlite3", latency_ms=300) as server:
        yield server


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner(dollars="100000.00")


@pytest.mark.parametrize("point", mortal.OF_WORKERS)
def test_a_worker_dies(
    point: str, sandbox: SandboxServer, partner: Partner, tmp_path: Path, tell: Tell
) -> None:
    died = tmp_path / "died"
    worker = Worker(
        tmp_path,
        sandbox=sandbox.address,
        module="tests.faults.mortal",
        DIE_AT=point,
        DIE_ONCE=str(died),
    )
    card = make_payee(partner=partner)
    for number in range(PUSHES):
        # Some answers are lost and some instructions never arrive, so that there are inquiries.
        fault = (0, Fault.RESET_AFTER, Fault.RESET_BEFORE)[number % 3]
        push(card, amount=f"1200.{fault:02d}" if fault else f"{number + 1}.00")
    worker.start()
    try:
        until = monotonic() + DIES_SECONDS
        while not worker.has_ended:
            assert monotonic() < until, "it was never at that point"
            worker.leave_messages()
            sleep(0.05)
        assert died.exists()
        worker.kill()
        worker.start()
        seconds = settle(worker)
    finally:
        worker.kill()
    paid = compare_with_the_network(sandbox, partner)
    assert Payment.objects.filter(status="completed").count() == PUSHES
    tell(f"killed once; all settled {seconds:.1f} s after the restart, ${paid:,.2f} in both books")


@pytest.mark.parametrize("point", mortal.OF_WEB)
def test_a_web_process_dies(
    point: str, sandbox: SandboxServer, partner: Partner, tmp_path: Path, tell: Tell
) -> None:
    died = tmp_path / "died"
    web = Web(tmp_path, sandbox=sandbox.address, DIE_AT=point, DIE_ONCE=str(died))
    worker = Worker(tmp_path, sandbox=sandbox.address)
    card, answers = make_payee(partner=partner), Answers()
    body = {"consumer_id": str(card.consumer_id), "external_payment_card_id": str(card.pk)}
    client = Client(web.port, token=make_token(partner=partner))
    worker.start()
    try:
        web.start()
        for number in range(PUSHES):
            push_until_answered(
                client,
                answers,
                key=f"key-{number}",
                body={**body, "amount": number + 1},
                until=monotonic() + DIES_SECONDS,
            )
        settle(worker)
    finally:
        client.close()
        web.kill()
        worker.kill()
    assert died.exists()
    assert answers.unclear >= 1
    stored = set(map(str, Payment.objects.values_list("pk", flat=True)))
    assert stored == answers.ids
    assert len(stored) == PUSHES
    compare_with_the_network(sandbox, partner)
    tell(f"killed once, {answers.unclear} calls without an answer, {PUSHES} keys = {PUSHES} pushes")
