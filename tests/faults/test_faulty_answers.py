"""Three answers in ten are faulty, by every fault there is: all end in what the book says."""

import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from consumers.models import Partner
from payouts.checks import snapshot
from payouts.doubt_queries import DOUBTS_SHOWN, doubt_sums, doubts
from payouts.models import Event, Payment
from payouts.networks.sandbox.behaviour import Fault
from payouts.operations.inquire import give_up_lost_senders
from payouts.states import OPEN, Status
from payouts.work import drain
from tests.books import execute, select
from tests.faults.comparing import compare_with_the_network, settle
from tests.faults.conftest import Tell
from tests.pushes import make_funded_partner, make_payee, push
from tests.racing import race, returned
from tests.sandbox import SandboxServer
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 7
SHARE = 0.3
FEW = 300
MANY = 10_000
LOOKS = 6
_LOOK_SECONDS = 5.0
FUNDED = "1000000.00"
_ROUNDS = 60
# Those that are over within a second, and that do not take back what they have said.
_LEFT_OUT = {
    *(Fault.SLOW_2S, Fault.SLOW_10S, Fault.SLOW_DRIP),
    *(Fault.RETURNED, Fault.RETURNED_UNSEEN, Fault.CONTRADICTED),
}
_QUICK = [fault.name.lower() for fault in Fault if fault not in _LEFT_OUT]
_SETTLED_SECONDS = 900.0


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner(dollars=FUNDED)


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[SandboxServer]:
    switches = {"latency_ms": 0, "late_ms": 200, "limit_ms": 300, "faults": SHARE, "seed": SEED}
    with SandboxServer.started(tmp_path / "book.sqlite3", **switches) as server:
        settings.CARD_NETWORK_SANDBOX_URL = server.address
        yield server


def test_few_end_in_what_the_book_says(
    partner: Partner, sandbox: SandboxServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "LINGER_SECONDS", 0)
    settings.CARD_NETWORK_READ_SECONDS = 0.4
    settings.INQUIRY_PAUSES_SECONDS = [0]
    settings.NETWORK_VISIBILITY_SECONDS = 0
    sandbox.control(mix=_QUICK)
    cards = [make_payee(partner=partner) for _ in range(5)]
    for number in range(FEW):
        push(cards[number % 5], amount=f"1.{number % 100:02d}")
    drain.send_due_payments()
    _all_that_is_unclear_is_in_doubt(at_least=FEW // 10)
    for _ in range(_ROUNDS):
        execute("UPDATE payouts_payment SET due_at = now() WHERE status IN ('unknown', 'pending')")
        give_up_lost_senders(limit=FEW)
        drain.inquire_unknown_payments()
        drain.send_due_payments()
        if not Payment.objects.filter(status__in=OPEN).exists():
            break
    compare_with_the_network(sandbox, partner, funded=FUNDED)
    assert Payment.objects.filter(status=Status.COMPLETED).count() == FEW


@pytest.mark.faults
def test_many_end_in_what_the_book_says(
    partner: Partner, sandbox: SandboxServer, tmp_path: Path, tell: Tell
) -> None:
    cards = [make_payee(partner=partner) for _ in range(50)]
    lanes = 4
    returned(race([partial_pushes(cards[lane::lanes], MANY // lanes) for lane in range(lanes)]))
    assert Payment.objects.count() == MANY
    # As patient with the network as in life: a drip or a silence takes 35 to 45 s.
    worker = Worker(tmp_path, sandbox=sandbox.address, SENDER_LOST_SECONDS="60")
    began_at = time.monotonic()
    worker.start()
    try:
        _wait_for_doubts(worker)
        in_doubt = [_looked_at_after_a_while(worker) for _ in range(LOOKS)]
        settle(worker, seconds=_SETTLED_SECONDS)
    finally:
        worker.kill()
    seconds = time.monotonic() - began_at
    paid = compare_with_the_network(sandbox, partner, funded=FUNDED)
    why = Counter(Event.objects.filter(kind="unknown").values_list("details__why", flat=True))
    totals = sandbox.totals()
    assert totals["credited"] == MANY
    tell(
        f"{MANY:,} pushes, {sum(why.values()):,} unclear answers of {len(why)} kinds, "
        f"{totals['repeats']:,} repeats seen by the network; 100 % as in its book, 0 credited "
        f"twice, ${paid:,.2f}; {seconds:.0f} s; in doubt when looked at: {in_doubt}, the very ones"
    )


def partial_pushes(cards: list, number: int) -> partial[None]:  # type: ignore[type-arg]
    def push_all() -> None:
        for place in range(number):
            push(cards[place % len(cards)], amount=f"{place % 90 + 1}.{place % 100:02d}")

    return partial(push_all)


def _looked_at_after_a_while(worker: Worker) -> int:
    """How many were in doubt then: the very ones that the pages list."""
    until = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < until:
        worker.ring()
        time.sleep(0.1)
    return _all_that_is_unclear_is_in_doubt(at_least=0)


def _wait_for_doubts(worker: Worker) -> None:
    while not Payment.objects.filter(status=Status.UNKNOWN).exists():
        worker.ring()
        time.sleep(0.1)


# What histories say, whatever the payments themselves do.
_LEFT_UNCLEAR = """
SELECT payment_id FROM (
    SELECT DISTINCT ON (payment_id) payment_id, to_status FROM payouts_event
    ORDER BY payment_id, number DESC
) AS newest WHERE to_status = 'unknown' ORDER BY payment_id
"""


def _all_that_is_unclear_is_in_doubt(*, at_least: int) -> int:
    """The pages list, one by one, exactly those whose histories end unclear; return how many."""
    with snapshot():
        unclear = [key for (key,) in select(_LEFT_UNCLEAR)]
        listed = list(_listed_in_doubt())
        sums = doubt_sums()
    assert listed == unclear
    assert sums.count == len(unclear) >= at_least
    return len(unclear)


def _listed_in_doubt() -> Iterator[UUID]:
    at, after = timezone.now(), None
    while page := [one.payment.pk for one in doubts(after=after, at=at)]:
        yield from page[:DOUBTS_SHOWN]
        after = page[:DOUBTS_SHOWN][-1]
