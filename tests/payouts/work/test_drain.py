"""How the drain carries calls; what they mean is shown with the operations and in tests/faults."""

import asyncio
import logging
import threading
from typing import Any

import pytest
from django.db import OperationalError

from payouts import tasks
from payouts.networks.base import NotFound, Outcome
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from payouts.work import drain
from tests.pushes import APPROVED, make_payee, push, push_unknown, status_of

pytestmark = pytest.mark.django_db(transaction=True)


class Network:
    """A card network in this process that answers as it is told."""

    name = "sandbox"

    def __init__(self) -> None:
        self.answer: Outcome | Exception = APPROVED
        self.pushed: list[str] = []
        self.at_once = self.most_at_once = 0
        self.seconds = 0.0

    async def push(self, push: Any) -> Outcome:
        self.pushed.append(push.identity.systems_trace_audit_number)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def inquire(self, *_: object, **__: object) -> NotFound:
        return NotFound()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    stand_in = Network()

    async def close() -> None:
        return

    monkeypatch.setattr(drain, "network_named", lambda _: stand_in)
    monkeypatch.setattr(drain, "close_networks", close)
    monkeypatch.setattr(drain, "LINGER_SECONDS", 0)
    monkeypatch.setattr(drain, "_RECORD_AGAIN_SECONDS", (0.0, 0.0))
    return stand_in


def _push_many(number: int) -> None:
    card = make_payee()
    for dollars in range(1, number + 1):
        push(card, amount=str(dollars))


def test_keeps_many_calls_in_flight(network: Network) -> None:
    _push_many(30)
    network.seconds = 0.5
    drain.send_due_payments()
    assert network.most_at_once == len(network.pushed) == 30


def test_keeps_no_more_in_flight_than_it_has_places(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "CALLS_IN_FLIGHT", 4)
    _push_many(10)
    network.seconds = 0.05
    drain.send_due_payments()
    assert network.most_at_once == 4
    assert len(set(network.pushed)) == len(network.pushed) == 10


def test_records_again_while_the_database_is_away(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("away"), OperationalError("still away")]

    def record(*arguments: Any, **named: Any) -> Status:
        if failures:
            raise failures.pop()
        return record_outcome(*arguments, **named)

    monkeypatch.setattr(drain, "record_outcome", record)
    payment = push(make_payee())
    drain.send_due_payments()
    assert status_of(payment) is Status.COMPLETED
    assert len(network.pushed) == 1


def test_assumes_nothing_about_an_outcome_that_cannot_be_recorded(
    network: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def record(*_: object, **__: object) -> None:
        raise OperationalError("away for good")

    monkeypatch.setattr(drain, "record_outcome", record)
    payment = push(make_payee())
    drain.send_due_payments()
    assert status_of(payment) is Status.SUBMITTED
    assert "could not be recorded" in caplog.text


def test_one_failing_call_disturbs_no_other(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    first = push(make_payee())
    network.answer = RuntimeError("a fault of our own")
    drain.send_due_payments()
    assert status_of(first) is Status.SUBMITTED
    assert any(one.levelno == logging.ERROR for one in caplog.records)
    network.answer = APPROVED
    second = push(make_payee())
    drain.send_due_payments()
    assert status_of(second) is Status.COMPLETED


def test_a_second_ring_makes_the_running_drain_look_again(network: Network) -> None:
    network.seconds = 0.3
    first = push(make_payee())
    running = threading.Thread(target=drain.send_due_payments)
    running.start()
    second = push(make_payee())
    drain.send_due_payments()
    running.join()
    assert {status_of(first), status_of(second)} == {Status.COMPLETED}
    assert len(network.pushed) == 2


def test_claims_nothing_more_once_it_was_told_to_stop(network: Network) -> None:
    payment = push(make_payee())
    tasks.stop_claiming()
    drain.send_due_payments()
    assert status_of(payment) is Status.PENDING
    assert network.pushed == []


def test_sends_nothing_again_once_it_was_told_to_stop(
    network: Network, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INQUIRY_PAUSES_SECONDS = [0]
    settings.NETWORK_VISIBILITY_SECONDS = 0
    payment = push_unknown(make_payee())
    asked: list[object] = []

    async def find_nothing_and_stop(*_: object, **__: object) -> NotFound:
        asked.append(_)
        if len(asked) == 2:
            drain.stop()
        return NotFound()

    monkeypatch.setattr(network, "inquire", find_nothing_and_stop)
    # Without pauses, a slow call may ask twice.
    drain.inquire_unknown_payments()
    drain.inquire_unknown_payments()
    assert (len(asked), status_of(payment)) == (2, Status.UNKNOWN)
    assert network.pushed == []
