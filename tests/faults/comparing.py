"""Whether what we believe and what the network did are the same, and how long that takes."""

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from consumers.models import Partner
from payouts.models import Attempt, Payment
from payouts.states import OPEN, Status
from tests.books import assert_books_are_right, assert_the_checks_agree, available, balance, held
from tests.sandbox import SandboxServer
from tests.worker import Worker

# Nothing may be stuck for longer once everything runs again.
SETTLED_SECONDS = 60

Identity = tuple[str, ...]


def settle(worker: Worker, *, seconds: float = SETTLED_SECONDS) -> float:
    """Ring until nothing is open; return how many seconds that took."""
    began_at = time.monotonic()
    while Payment.objects.filter(status__in=OPEN).exists():
        assert time.monotonic() - began_at < seconds, _open_payments()
        worker.ring()
        time.sleep(0.1)
    return time.monotonic() - began_at


def _open_payments() -> list[Any]:
    found = Payment.objects.filter(status__in=OPEN)
    return list(found.values_list("status", "version", "attempt__times_sent", "due_at"))


def compare_with_the_network(
    sandbox: SandboxServer, partner: Partner, *, funded: str = "100000.00"
) -> Decimal:
    """What we believe and what the network did are the same, payment by payment and to the cent.

    Returns how many dollars were paid. For partners without fees.
    """
    book = {_identity_in(entry): entry for entry in sandbox.book()}
    attempts = Attempt.objects.select_related("payment__card")
    ours = {_identity_of(attempt): attempt.payment for attempt in attempts}
    assert len(ours) == len(attempts) == Payment.objects.count()
    assert set(book) <= set(ours)
    for identity, payment in ours.items():
        entry = book.get(identity)
        credited = entry is not None and bool(entry["credited"])
        assert credited is (payment.status == Status.COMPLETED), payment
        if entry is not None:
            assert entry["amount_cents"] == payment.amount * 100
            assert entry["card_last4"] == payment.card.last4
    completed = [payment for payment in ours.values() if payment.status == Status.COMPLETED]
    paid = sum((payment.amount for payment in completed), Decimal(0))
    assert available(partner) == Decimal(funded) - paid
    _compare_money(sandbox, completed, partner)
    return paid


def _compare_money(sandbox: SandboxServer, completed: Sequence[Payment], partner: Partner) -> None:
    paid = sum((payment.amount for payment in completed), Decimal(0))
    totals = sandbox.totals()
    assert totals["credited"] == len(completed)
    assert totals["credited_cents"] == paid * 100
    assert totals["refused"] == 0
    assert balance("network_payable", network="sandbox") == -paid
    assert held(partner) == 0
    assert_books_are_right()
    assert_the_checks_agree()


def _identity_in(entry: dict[str, Any]) -> Identity:
    return tuple(
        entry[name]
        for name in (
            "acquiring_bin",
            "systems_trace_audit_number",
            "retrieval_reference_number",
            "card_acceptor_id",
            "terminal_id",
        )
    )


def _identity_of(attempt: Attempt) -> Identity:
    return (
        attempt.acquiring_bin,
        attempt.trace_number,
        attempt.retrieval_reference_number,
        attempt.card_acceptor_id,
        attempt.terminal_id,
    )
