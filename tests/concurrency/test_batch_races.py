"""Several workers on one batch: every line is issued once, whoever gets there."""

from decimal import Decimal

import pytest
from django.utils import timezone

from payouts.approvals import Source
from payouts.models import (
    ApprovalRule,
    Batch,
    BatchOrder,
    BatchState,
    Decision,
    Journal,
    Payment,
)
from payouts.models.approvals import Verdict
from payouts.operations.batches import issue_batch
from payouts.operations.batches.check_batch import check_next_batch
from payouts.operations.batches.issue_batch import issue_next_lines
from payouts.operations.batches.order_batch import carry_out_next, order_decisions
from payouts.operations.batches.read_batch import read_next_batch
from payouts.operations.decide_many import Seen
from payouts.work import batch_work
from tests.batches import checked, csv_file, issued, line, states, submitted, upload
from tests.books import assert_books_are_right, available
from tests.decisions import decide_payments, shown_by
from tests.pushes import digest_of, make_funded_partner, make_payee, make_staff
from tests.racing import race, returned

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 30


def _lines(partner_card: object, count: int = LINES) -> list[list[str]]:
    return [line(partner_card, f"{n + 1}.00") for n in range(count)]  # type: ignore[arg-type]


def test_two_workers_that_have_the_same_lines_in_hand_pay_each_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = make_payee(partner=make_funded_partner())
    batch = submitted(card.partner, make_staff("mia", "maker"), *_lines(card))
    # As if the lease had ended while the first worker was slow: it keeps nobody out.
    monkeypatch.setattr(issue_batch, "LEASE", -issue_batch.LEASE)

    def work() -> None:
        while issue_next_lines(limit=10):
            pass

    returned(race([work] * 4))
    assert states(batch) == ["issued"] * LINES
    assert Payment.objects.count() == LINES
    assert available(card.partner) == Decimal(10_000 - sum(range(LINES + 1)))
    assert_books_are_right()


def test_workers_read_and_check_one_batch_once() -> None:
    card = make_payee(partner=make_funded_partner())
    mia = make_staff("mia", "maker")
    batch = upload(card.partner, mia, csv_file(*_lines(card)))
    assert sum(returned(race([read_next_batch] * 4))) == 1
    assert sum(returned(race([check_next_batch] * 4))) == 1
    assert states(batch) == ["good"] * LINES


def test_orders_against_each_other_decide_each_push_once() -> None:
    ApprovalRule.objects.create(name="batches", source=Source.BATCH)
    card = make_payee(partner=make_funded_partner())
    batch = issued(card.partner, make_staff("mia", "maker"), *_lines(card))
    pushes = list(Payment.objects.filter(batch_row__batch=batch))
    seen = [Seen(one.pk, digest_of(one)) for one in pushes]
    ann, bob, carla = (make_staff(name, "approver") for name in ("ann", "bob", "carla"))
    for by, verdict, what in (
        (ann, Verdict.APPROVE, seen),
        (bob, Verdict.REJECT, seen[::-1]),
    ):
        order_decisions(batch, seen=what, by=by, verdict=verdict, reason="", proof=shown_by(by))

    def work() -> None:
        while carry_out_next(limit=10):
            pass

    def decide_one_by_one() -> None:
        decide_payments(seen, by=carla, verdict=Verdict.REJECT, reason="Mine")

    returned(race([work, work, decide_one_by_one]))
    # A worker finds nothing while another one has the last order in hand.
    work()
    assert BatchOrder.objects.filter(ended_at=None, seen_to__lt=LINES).count() == 0
    assert Decision.objects.count() == LINES
    rejected = Payment.objects.filter(status="rejected").count()
    assert rejected + Payment.objects.filter(status="pending").count() == LINES
    assert Journal.objects.filter(kind="released").count() == rejected
    assert_books_are_right()


def test_a_worker_does_all_of_it_in_lanes() -> None:
    card = make_payee(partner=make_funded_partner())
    mia = make_staff("mia", "maker")
    waits = checked(card.partner, mia, line(card, "99.00"))
    batch = submitted(card.partner, mia, *_lines(card))
    late = upload(card.partner, mia, csv_file(line(card, "77.00")))
    batch_work.work_on_batches()
    batch.refresh_from_db()
    late.refresh_from_db()
    assert (batch.state, late.state) == (BatchState.ISSUED, BatchState.READY)
    assert Payment.objects.count() == LINES
    assert states(waits) == ["good"]


def test_a_worker_that_shuts_down_begins_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    card = make_payee(partner=make_funded_partner())
    submitted(card.partner, make_staff("mia", "maker"), *_lines(card))
    batch_work.stop()
    batch_work.work_on_batches()
    assert not Payment.objects.exists()
    assert Batch.objects.filter(leased_until__gt=timezone.now()).count() == 0
