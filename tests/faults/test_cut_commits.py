"""Connections are cut during COMMIT, before and after it counts: nothing is lost or done twice."""

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError, close_old_connections, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import Settings

from consumers.ids import new_id
from payouts.models import Payment
from payouts.operations.inquire import give_up_lost_senders
from payouts.states import OPEN
from payouts.work import drain
from tests.books import execute
from tests.faults.comparing import compare_with_the_network
from tests.pushes import ask, make_funded_partner, make_payee, push_request
from tests.sandbox import SandboxServer

pytestmark = pytest.mark.django_db(transaction=True)

PUSHES = 40
_ROUNDS = 200


class Cutter:
    """Cuts every third COMMIT: by turns before it leaves, and when it has counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cut: Counter[str] = Counter()
        self.is_cutting = False
        numbers = itertools.count(1)
        commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

        def cut_or_commit(wrapper: BaseDatabaseWrapper) -> None:
            number = next(numbers) if self.is_cutting else 1
            if number % 3:
                commit(wrapper)
                return
            has_counted = number % 2 == 0
            if has_counted:
                commit(wrapper)
            self.cut["after" if has_counted else "before"] += 1
            wrapper.connection.close()
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", cut_or_commit)

    @contextmanager
    def cutting(self) -> Iterator[None]:
        self.is_cutting = True
        yield
        self.is_cutting = False


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[SandboxServer]:
    with SandboxServer.started(tmp_path / "book.sqlite3", latency_ms=0) as server:
        settings.CARD_NETWORK_SANDBOX_URL = server.address
        yield server


def test_the_books_agree_though_commits_are_cut(
    sandbox: SandboxServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "LINGER_SECONDS", 0)
    monkeypatch.setattr(drain, "_RECORD_AGAIN_SECONDS", (0.0, 0.0, 0.0, 0.0, 0.0))
    settings.SENDER_LOST_SECONDS = settings.NETWORK_VISIBILITY_SECONDS = 0
    settings.INQUIRY_PAUSES_SECONDS = [0]
    partner = make_funded_partner(dollars="100000.00")
    card, cutter = make_payee(partner=partner), Cutter(monkeypatch)
    for number in range(PUSHES):
        ask(push_request(card, amount=f"{number + 1}.00", key=new_id().hex))
    with cutter.cutting():
        for _ in range(_ROUNDS):
            _work_as_if_nothing_were_wrong()
            if not Payment.objects.filter(status__in=OPEN).exists():
                break
    assert min(cutter.cut["before"], cutter.cut["after"]) > 3
    compare_with_the_network(sandbox, partner)
    assert Payment.objects.filter(status="completed").count() == PUSHES


def _work_as_if_nothing_were_wrong() -> None:
    for work in (
        drain.send_due_payments,
        lambda: give_up_lost_senders(limit=PUSHES),
        drain.inquire_unknown_payments,
        lambda: execute("UPDATE payouts_payment SET due_at = now() WHERE due_at > now()"),
    ):
        try:
            work()
        except OperationalError:
            # A task ends with that, and is rung for again.
            connection.close()
        close_old_connections()
