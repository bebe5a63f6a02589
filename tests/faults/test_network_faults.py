"""The network is down, silent or confused: the drain and the inquiries against the real sandbox."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pytest_django import Settings

from consumers.models import PaymentCard
from payouts.models import Attempt, Event, Payment
from payouts.networks.sandbox.behaviour import Fault, make_card_number
from payouts.operations.inquire import give_up_lost_senders
from payouts.states import Status
from payouts.work import drain
from tests.books import assert_books_are_right, execute, held
from tests.pushes import fresh, history, make_payee, push, status_of
from tests.sandbox import SandboxServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_waits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "LINGER_SECONDS", 0)
    settings.CARD_NETWORK_READ_SECONDS = 0.7
    settings.INQUIRY_PAUSES_SECONDS = [0]
    settings.NETWORK_VISIBILITY_SECONDS = 0


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with _started(tmp_path_factory.mktemp("sandbox")) as server:
        yield server


@pytest.fixture
def sandbox(_running: SandboxServer, settings: Settings) -> SandboxServer:
    settings.CARD_NETWORK_SANDBOX_URL = _running.address
    return _running


@pytest.fixture
def own_sandbox(tmp_path: Path, settings: Settings) -> Iterator[SandboxServer]:
    """One to stop and to start again."""
    with _started(tmp_path) as server:
        settings.CARD_NETWORK_SANDBOX_URL = server.address
        yield server


def _started(folder: Path) -> AbstractContextManager[SandboxServer]:
    return SandboxServer.started(folder / "book.sqlite3", latency_ms=0, late_ms=200)


def _in_the_book(sandbox: SandboxServer, payment: Payment) -> tuple[int, int]:
    """How often the network has credited the payment, and how often it has seen it."""
    trace_number = Attempt.objects.get(payment=payment).trace_number
    entries = [
        entry for entry in sandbox.book() if entry["systems_trace_audit_number"] == trace_number
    ]
    return sum(one["credited"] for one in entries), sum(one["times_seen"] for one in entries)


def test_what_cannot_be_sent_waits_and_keeps_its_identity(
    card: PaymentCard, own_sandbox: SandboxServer, tmp_path: Path
) -> None:
    own_sandbox.stop()
    payment = push(card)
    drain.send_due_payments()
    assert history(payment) == ["created", "sent", "not_sent"]
    assert status_of(payment) is Status.PENDING
    before = Attempt.objects.get()
    again = SandboxServer.start(tmp_path / "book.sqlite3", port=own_sandbox.port, latency_ms=0)
    try:
        execute("UPDATE payouts_payment SET due_at = now()")
        drain.send_due_payments()
        assert status_of(payment) is Status.COMPLETED
        after = Attempt.objects.get()
        assert after.times_sent == 2
        assert after.retrieval_reference_number == before.retrieval_reference_number
        assert (after.trace_number, after.terminal_id) == (before.trace_number, before.terminal_id)
        (entry,) = again.book()
        assert entry["systems_trace_audit_number"] == before.trace_number
        assert_books_are_right()
    finally:
        again.kill()


def test_fifty_that_cannot_be_sent_all_go_out_later(
    card: PaymentCard, own_sandbox: SandboxServer, tmp_path: Path
) -> None:
    own_sandbox.stop()
    for dollars in range(1, 51):
        push(card, amount=str(dollars))
    drain.send_due_payments()
    assert set(Payment.objects.values_list("status", flat=True)) == {Status.PENDING}
    again = SandboxServer.start(tmp_path / "book.sqlite3", port=own_sandbox.port, latency_ms=0)
    try:
        execute("UPDATE payouts_payment SET due_at = now()")
        drain.send_due_payments()
        assert set(Payment.objects.values_list("status", flat=True)) == {Status.COMPLETED}
        assert (again.totals()["credited"], again.totals()["repeats"]) == (50, 0)
        assert_books_are_right()
    finally:
        again.kill()


@pytest.mark.parametrize(
    "fault",
    [
        Fault.ANSWER_LOST,
        Fault.RESET_AFTER,
        Fault.ERROR_AFTER,
        Fault.GARBAGE,
        Fault.TRUNCATED,
        Fault.WRONG_IDENTITY,
        Fault.NO_CODE,
        Fault.CLOSED_AFTER,
    ],
)
def test_an_inquiry_finds_what_was_paid_though_the_answer_was_lost(
    fault: Fault, card: PaymentCard, sandbox: SandboxServer
) -> None:
    payment = push(card, amount=f"1200.{fault:02d}")
    drain.send_due_payments()
    assert status_of(payment) is Status.UNKNOWN
    assert held(card.partner) == payment.amount
    drain.inquire_unknown_payments()
    assert history(payment) == ["created", "sent", "unknown", "completed"]
    assert _in_the_book(sandbox, payment) == (1, 1)
    assert_books_are_right()


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.FORBIDDEN_BEFORE])
def test_what_the_network_never_got_is_sent_again_and_credited_once(
    fault: Fault, card: PaymentCard, sandbox: SandboxServer
) -> None:
    payment = push(card, amount=f"1200.{fault:02d}")
    drain.send_due_payments()
    assert status_of(payment) is Status.UNKNOWN
    _ask_until_settled(payment)
    assert history(payment) == [
        *("created", "sent", "unknown"),
        *("inquired", "inquired"),
        *("sent", "completed"),
    ]
    assert _in_the_book(sandbox, payment) == (1, 2)
    assert_books_are_right()


@pytest.mark.parametrize(("fault", "sends"), [(Fault.HIDDEN_ONCE, 1), (Fault.HIDDEN_LONG, 2)])
def test_what_the_network_hides_at_first_is_credited_once(
    fault: Fault, sends: int, card: PaymentCard, sandbox: SandboxServer
) -> None:
    """Hidden for longer than the visibility delay: the network recognises the identity."""
    payment = push(card, amount=f"1200.{fault:02d}")
    drain.send_due_payments()
    _ask_until_settled(payment)
    assert status_of(payment) is Status.COMPLETED
    assert _in_the_book(sandbox, payment) == (1, sends)
    assert_books_are_right()


def test_a_network_that_is_still_at_it_is_asked_until_it_knows(
    card: PaymentCard, sandbox: SandboxServer
) -> None:
    payment = push(card, amount=f"1200.{Fault.LATE:02d}")
    drain.send_due_payments()
    assert Attempt.objects.get().unknown_reason == "in_progress"
    assert Attempt.objects.get().status_identifier
    _ask_until_settled(payment)
    assert status_of(payment) is Status.COMPLETED
    assert _in_the_book(sandbox, payment) == (1, 1)


def test_a_network_that_is_away_is_asked_again_and_nothing_is_resent(
    card: PaymentCard, own_sandbox: SandboxServer
) -> None:
    payment = push(card, amount=f"1200.{Fault.RESET_AFTER:02d}")
    drain.send_due_payments()
    own_sandbox.stop()
    for _ in range(3):
        execute("UPDATE payouts_payment SET due_at = now()")
        drain.inquire_unknown_payments()
    assert status_of(payment) is Status.UNKNOWN
    found = Event.objects.filter(payment=payment, kind="inquired").values_list("details", flat=True)
    assert {details["found"] for details in found} == {"unreachable"}
    assert Attempt.objects.get().times_sent == 1
    assert held(card.partner) == payment.amount


def test_a_decline_that_was_lost_gives_the_money_back_when_it_is_found(
    card: PaymentCard, sandbox: SandboxServer
) -> None:
    declining = make_payee(partner=card.partner, number=make_card_number("late_code", 51))
    payment = push(declining)
    drain.send_due_payments()
    assert status_of(payment) is Status.UNKNOWN
    _ask_until_settled(payment)
    assert (fresh(payment).status, fresh(payment).network_code) == (Status.FAILED, "51")
    assert held(card.partner) == 0
    assert _in_the_book(sandbox, payment) == (0, 1)
    assert_books_are_right()


def test_a_slow_payment_delays_no_other(card: PaymentCard, sandbox: SandboxServer) -> None:
    slow = push(card, amount=f"1200.{Fault.ANSWER_LOST:02d}")
    others = [push(card, amount=str(dollars)) for dollars in range(1, 11)]
    drain.send_due_payments()
    assert status_of(slow) is Status.UNKNOWN
    unknown_at = Event.objects.get(payment=slow, kind="unknown").created_at
    for payment in others:
        assert Event.objects.get(payment=payment, kind="completed").created_at < unknown_at


def _ask_until_settled(payment: Payment) -> None:
    for _ in range(20):
        execute("UPDATE payouts_payment SET due_at = now() WHERE status = 'unknown'")
        give_up_lost_senders(limit=10)
        drain.inquire_unknown_payments()
        if status_of(payment) in (Status.COMPLETED, Status.FAILED):
            return
