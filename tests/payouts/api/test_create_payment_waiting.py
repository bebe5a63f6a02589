"""POST /v2/payments/oct/ with `Prefer: wait=N` (RFC 7240 §4.3)."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from consumers.models import PaymentCard
from payouts.api import views
from payouts.models import IdempotencyKey, Payment
from payouts.networks.base import Outcome, Unknown, UnknownReason
from payouts.operations.record_outcome import record_outcome
from payouts.operations.send_payments import claim_due_payments
from tests.payouts.api.caller import CREATE, Caller
from tests.pushes import APPROVED, declined, make_funded_partner, make_payee, make_rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def card() -> PaymentCard:
    return make_payee(partner=make_funded_partner())


@pytest.fixture
def caller(card: PaymentCard) -> Caller:
    return Caller(card.consumer.partner)


class Sender(threading.Thread):
    """Stands in for a worker: takes what is due and records the outcome a little later."""

    def __init__(self, outcome: Outcome, *, seconds: float) -> None:
        super().__init__(daemon=True)
        self.outcome = outcome
        self.seconds = seconds
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            while not self.stopping.wait(0.02):
                for instruction in claim_due_payments(limit=10):
                    self.stopping.wait(self.seconds)
                    record_outcome(instruction.payment_id, self.outcome)
        finally:
            connections.close_all()


@pytest.fixture
def sending() -> Iterator[Any]:
    started: list[Sender] = []

    def start(outcome: Outcome, *, seconds: float = 0.2) -> None:
        started.append(Sender(outcome, seconds=seconds))
        started[-1].start()

    yield start
    for sender in started:
        sender.stopping.set()
        sender.join(10)


def test_answers_when_the_payment_is_final(caller: Caller, card: PaymentCard, sending: Any) -> None:
    sending(APPROVED)
    answer = caller.create(card, headers={"prefer": "wait=20"})
    document = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert (document["status"], document["money_moved"]) == ("completed", "yes")
    assert document["completed_at"] is not None
    assert document["network"]["approval_code"] == "12345S"


def test_answers_a_failure_as_a_created_payment(
    caller: Caller, card: PaymentCard, sending: Any
) -> None:
    sending(declined("51"))
    answer = caller.create(card, headers={"prefer": "wait=20"})
    assert (answer.status_code, answer.json()["status"]) == (201, "failed")
    assert answer.json()["safe_to_retry"] is True


def test_repeats_what_the_waiting_call_was_told(
    caller: Caller, card: PaymentCard, sending: Any
) -> None:
    sending(APPROVED)
    first = caller.create(card, key="k1", headers={"prefer": "wait=20"})
    again = caller.create(card, key="k1")
    assert first.json()["status"] == "completed"
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Preference-Applied" not in again.headers


def test_answers_after_the_time_is_over(caller: Caller, card: PaymentCard) -> None:
    began = time.monotonic()
    answer = caller.create(card, headers={"prefer": "wait=1"})
    assert 1 <= time.monotonic() - began < 3
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")


def test_waits_for_people_too(caller: Caller, card: PaymentCard) -> None:
    make_rule()
    began = time.monotonic()
    answer = caller.create(card, headers={"prefer": "wait=1"})
    assert 1 <= time.monotonic() - began < 3
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.json()["status"] == "pending_approval"


def test_an_unclear_outcome_is_not_final(caller: Caller, card: PaymentCard, sending: Any) -> None:
    sending(Unknown(UnknownReason.TIMEOUT), seconds=0)
    began = time.monotonic()
    answer = caller.create(card, headers={"prefer": "wait=1"})
    assert 1 <= time.monotonic() - began < 3
    assert (answer.json()["status"], answer.json()["money_moved"]) == ("unknown", "unknown")


def test_does_not_wait_to_repeat_an_answer(caller: Caller, card: PaymentCard) -> None:
    first = caller.create(card, key="k1")
    began = time.monotonic()
    again = caller.create(card, key="k1", headers={"prefer": "wait=5"})
    assert time.monotonic() - began < 2
    assert again.content == first.content


@pytest.mark.parametrize(
    "preference",
    ["respond-async", "wait", "wait=0", "wait=-1", "wait=soon", "wait=1.5", "", "wait=1 2"],
)
def test_ignores_a_preference_that_it_cannot_read(
    caller: Caller, card: PaymentCard, preference: str
) -> None:
    answer = caller.create(card, headers={"prefer": preference})
    assert answer.status_code == 201
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("preference", "applied"),
    [
        ('respond-async, wait="7"', "wait=7"),
        ("WAIT = 7; foo=bar", "wait=7"),
        ("handling=lenient,wait=31", "wait=30"),
        ("wait=999999", "wait=30"),
    ],
)
def test_reads_it_among_others_and_never_waits_longer_than_thirty_seconds(
    caller: Caller, card: PaymentCard, sending: Any, preference: str, applied: str
) -> None:
    sending(APPROVED, seconds=0)
    answer = caller.create(card, headers={"prefer": preference})
    assert answer.headers["Preference-Applied"] == applied


def test_answers_at_once_when_too_many_wait(
    caller: Caller, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_waiting_places", threading.BoundedSemaphore(1))
    with views._waiting_places:
        answer = caller.create(card, key="k1", headers={"prefer": "wait=20"})
    assert answer.status_code == 201
    assert "Preference-Applied" not in answer.headers
    assert IdempotencyKey.objects.get().payment == Payment.objects.get()


def test_does_not_wait_without_being_asked(caller: Caller, card: PaymentCard) -> None:
    began = time.monotonic()
    assert caller.post(CREATE, None).status_code == 400
    assert caller.create(card).json()["status"] == "pending"
    assert time.monotonic() - began < 1
