"""A process is killed while it decides about many pushes of a batch; then decisions and books."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from consumers.models import AuditEntry
from payouts.approvals import Source
from payouts.models import ApprovalRule, BatchOrder, Decision, Event, Journal, Payment
from payouts.models.approvals import Verdict
from payouts.operations.batches.order_batch import PUSHES_AT_ONCE, order_decisions
from payouts.operations.decide_many import Seen
from tests.batches import issued, line
from tests.books import assert_books_are_right, held
from tests.decisions import shown_by
from tests.faults import mortal
from tests.faults.conftest import Tell
from tests.pushes import digest_of, make_funded_partner, make_payee, make_staff
from tests.worker import Worker

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

PUSHES = 2 * PUSHES_AT_ONCE + 50
ENDS_SECONDS = 60


@pytest.mark.parametrize("point", mortal.OF_ORDERS)
def test_a_worker_dies_while_it_decides(point: str, tmp_path: Path, tell: Tell) -> None:
    ApprovalRule.objects.create(name="batches", source=Source.BATCH)
    partner, ann = make_funded_partner(dollars="200000.00"), make_staff("ann", "approver")
    card = make_payee(partner=partner)
    lines = [line(card, f"{number + 1}.00") for number in range(PUSHES)]
    batch = issued(partner, make_staff("mia", "maker"), *lines)
    pushes = list(Payment.objects.filter(batch_row__batch=batch))
    assert len(pushes) == PUSHES
    seen = [Seen(one.pk, digest_of(one)) for one in pushes]
    died = tmp_path / "died"
    worker = Worker(
        tmp_path,
        sandbox="http://127.0.0.1:9",
        module="tests.faults.mortal",
        tasks=["payouts.work_on_batches"],
        DIE_AT=point,
        DIE_ONCE=str(died),
    )
    order = order_decisions(
        batch, seen=seen, by=ann, verdict=Verdict.REJECT, reason="No", proof=shown_by(ann)
    )
    worker.start()
    try:
        _wait(worker, lambda: worker.has_ended)
        assert died.exists()
        decided = Decision.objects.count()
        order.refresh_from_db()
        assert decided == order.seen_to == order.done < PUSHES
        worker.kill()
        worker.start()
        began_at = monotonic()
        _wait(worker, lambda: not BatchOrder.objects.filter(ended_at=None).exists())
    finally:
        worker.kill()
    order.refresh_from_db()
    assert (order.seen_to, order.done, order.refused) == (PUSHES, PUSHES, {})
    of_pushes = AuditEntry.objects.filter(verb="reject", subject_type="payouts.payment")
    assert Decision.objects.count() == of_pushes.count() == PUSHES
    assert Event.objects.filter(kind="rejected").count() == PUSHES
    assert Journal.objects.filter(kind="released").count() == PUSHES
    assert held(partner) == 0
    assert_books_are_right()
    tell(f"killed with {decided} of {PUSHES} decided; ended {monotonic() - began_at:.1f} s later")


def _wait(worker: Worker, is_so: Callable[[], bool]) -> None:
    until = monotonic() + ENDS_SECONDS
    while not is_so():
        assert monotonic() < until, "it did not get there"
        worker.leave_messages()
        sleep(0.05)
