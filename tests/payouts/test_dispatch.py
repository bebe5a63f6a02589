"""The bell itself; every other test has a stand-in for it (see tests/conftest.py)."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from payouts import dispatch
from tests.conftest import Bell

_real_ring = dispatch._ring


class Broker:
    """Stands in for Celery's application; `away` makes it fail."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.away = False
        self.slow_seconds = 0.0

    def send_task(self, name: str) -> None:
        time.sleep(self.slow_seconds)
        if self.away:
            raise ConnectionError("no broker")
        self.messages.append(name)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    stand_in = Broker()
    monkeypatch.setattr(dispatch, "current_app", stand_in)
    monkeypatch.setattr(dispatch, "_ring", _real_ring)
    monkeypatch.setattr(dispatch, "_bells", {})
    yield stand_in
    # Its thread may still look at the stand-in for the length of one pause.
    time.sleep(2 * dispatch._PAUSE_SECONDS)


def _eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_ring_becomes_a_message_by_name(broker: Broker) -> None:
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    _eventually(lambda: broker.messages == ["payouts.send_due_payments"])


def test_many_rings_become_few_messages(broker: Broker) -> None:
    for _ in range(1000):
        dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    _eventually(lambda: bool(broker.messages))
    time.sleep(4 * dispatch._PAUSE_SECONDS)
    assert 1 <= len(broker.messages) <= 5


def test_a_ring_while_a_message_is_sent_is_not_lost(broker: Broker) -> None:
    broker.slow_seconds = 0.05
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    time.sleep(0.02)
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    _eventually(lambda: len(broker.messages) == 2)


def test_nobody_waits_for_the_broker(broker: Broker) -> None:
    broker.slow_seconds = 1.0
    began = time.monotonic()
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    assert time.monotonic() - began < 0.5


def test_a_broker_that_is_away_is_reported_and_rung_again(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.away = True
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    _eventually(lambda: any(one.levelno == logging.ERROR for one in caplog.records))
    broker.away = False
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    _eventually(lambda: broker.messages == ["payouts.send_due_payments"])


def test_a_forked_process_gets_a_thread_of_its_own(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    first = dispatch._bells[dispatch.SEND_DUE_PAYMENTS]
    assert isinstance(first, threading.Thread)
    monkeypatch.setattr(first, "process_id", 0)
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    assert dispatch._bells[dispatch.SEND_DUE_PAYMENTS] is not first


def test_each_task_has_a_bell_of_its_own(broker: Broker) -> None:
    dispatch._ring(dispatch.SEND_DUE_PAYMENTS)
    dispatch._ring(dispatch.WORK_ON_BATCHES)
    _eventually(
        lambda: sorted(broker.messages) == ["payouts.send_due_payments", "payouts.work_on_batches"]
    )


@pytest.mark.django_db
def test_rings_when_the_transaction_is_committed(
    bell: Bell, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        dispatch.ring_sender()
        assert bell.rings == 0
    assert bell.rings == 1


@pytest.mark.django_db(transaction=True)
def test_does_not_ring_for_what_was_rolled_back(bell: Bell) -> None:
    with transaction.atomic():
        dispatch.ring_sender()
        transaction.set_rollback(True)
    assert bell.rings == 0
