"""Orders about pushes of a batch: decided or canceled one by one, for whoever gave the order."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.utils import timezone

from consumers.audit import Visitor, acting_as
from consumers.ids import new_id
from consumers.models import AuditEntry, Partner
from payouts.approvals import Source
from payouts.deciding.signatures import FreshFactor, Proof, Statement
from payouts.models import ApprovalRule, Batch, BatchOrder, Decision, Payment
from payouts.models.approvals import Verdict
from payouts.operations.accept_signature import accept_signature
from payouts.operations.batches import order_batch
from payouts.operations.batches.issue_batch import NotYourBatch
from payouts.operations.batches.order_batch import carry_out_next, order_cancels, order_decisions
from payouts.operations.decide_many import Seen
from payouts.operations.send_payments import claim_due_payments
from payouts.states import Status
from tests.batches import issued, line
from tests.books import held
from tests.decisions import shown_by
from tests.passkeys import RP_ID, Passkey
from tests.pushes import digest_of, history, make_funded_partner, make_payee, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return make_staff("ann", "approver")


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner()


@pytest.fixture
def waiting(partner: Partner, mia: User) -> Batch:
    """A batch of five pushes that all wait for one person."""
    ApprovalRule.objects.create(name="batches", source=Source.BATCH)
    return _issued(partner, mia, 5)


def _issued(partner: Partner, mia: User, count: int) -> Batch:
    card = make_payee(partner=partner)
    return issued(partner, mia, *[line(card, f"{n + 1}.00") for n in range(count)])


def _payments(batch: Batch) -> list[Payment]:
    return list(Payment.objects.filter(batch_row__batch=batch).order_by("batch_row__line"))


def _seen(batch: Batch) -> list[Seen]:
    return [Seen(payment.pk, digest_of(payment)) for payment in _payments(batch)]


def _statuses(batch: Batch) -> list[str]:
    return [payment.status for payment in _payments(batch)]


def _approve(
    batch: Batch, by: User, seen: list[Seen] | None = None, proof: Proof | None = None
) -> BatchOrder:
    return order_decisions(
        batch,
        seen=seen or _seen(batch),
        by=by,
        verdict=Verdict.APPROVE,
        reason="Looked at it",
        proof=proof or shown_by(by),
    )


def test_decides_about_each_push_as_the_person_who_gave_it(waiting: Batch, ann: User) -> None:
    with acting_as(Visitor(label="staff:ann", user_id=ann.pk, ip_address="192.0.2.7")):
        order = _approve(waiting, ann)
    assert set(_statuses(waiting)) == {Status.PENDING_APPROVAL}
    while carry_out_next(limit=2):
        pass
    order.refresh_from_db()
    assert (order.seen_to, order.done, order.refused) == (5, 5, {})
    assert order.ended_at is not None
    assert set(_statuses(waiting)) == {Status.PENDING}
    assert set(Decision.objects.values_list("user_id", flat=True)) == {ann.pk}
    entries = AuditEntry.objects.filter(verb="approve", subject_type="payouts.payment")
    assert set(entries.values_list("actor", "ip_address")) == {("staff:ann", "192.0.2.7")}


def test_one_digest_is_about_every_push_and_what_was_seen_of_it(waiting: Batch, ann: User) -> None:
    seen = _seen(waiting)
    order = _approve(waiting, ann, seen)
    every = b"".join(one.payment_id.bytes + one.digest for one in seen)
    assert bytes(order.digest) == hashlib.sha256(every).digest()
    entry = AuditEntry.objects.get(verb="approve")
    assert entry.after["pushes"] == 5


def test_leaves_alone_what_it_does_not_name(waiting: Batch, ann: User) -> None:
    _approve(waiting, ann, _seen(waiting)[1:3])
    carry_out_next()
    statuses = _statuses(waiting)
    assert [status == Status.PENDING for status in statuses] == [False, True, True, False, False]


def test_rejects(waiting: Batch, ann: User, partner: Partner) -> None:
    order_decisions(
        waiting,
        seen=_seen(waiting),
        by=ann,
        verdict=Verdict.REJECT,
        reason="No",
        proof=shown_by(ann),
    )
    carry_out_next()
    assert set(_statuses(waiting)) == {Status.REJECTED}
    assert held(partner) == 0


def test_the_uploader_of_a_batch_decides_about_none_of_it(waiting: Batch, mia: User) -> None:
    mia.groups.add(*make_staff("other", "approver").groups.all())
    order = _approve(waiting, User.objects.get(pk=mia.pk))
    carry_out_next()
    order.refresh_from_db()
    assert (order.seen_to, order.done, order.refused) == (5, 0, {"maker": 5})
    assert not Decision.objects.exists()


def test_a_push_that_was_changed_since_is_left_out(waiting: Batch, ann: User) -> None:
    seen = _seen(waiting)
    stale = Seen(seen[0].payment_id, bytes(32))
    order = _approve(waiting, ann, [stale, *seen[1:]])
    carry_out_next()
    order.refresh_from_db()
    assert (order.done, order.refused) == (4, {"changed": 1})


def test_who_may_not_approve_any_more_decides_nothing(waiting: Batch, ann: User) -> None:
    order = _approve(waiting, ann)
    ann.groups.clear()
    carry_out_next()
    order.refresh_from_db()
    assert order.refused == {"not_permitted": 5}
    assert not Decision.objects.exists()


class Killed(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize(
    ("dies", "done_by_then"),
    [("decide_together", 2), ("_go_on", 2), ("carry_out_next", 4)],
    ids=["with all decided", "with its progress written", "between two parts"],
)
def test_nothing_is_lost_or_doubled_when_the_worker_dies(
    waiting: Batch, ann: User, monkeypatch: pytest.MonkeyPatch, dies: str, done_by_then: int
) -> None:
    order = _approve(waiting, ann)
    assert carry_out_next(limit=2)
    _dies_after(dies, monkeypatch)
    with pytest.raises(Killed):
        order_batch.carry_out_next(limit=2)
    monkeypatch.undo()
    assert Decision.objects.count() == done_by_then
    order.refresh_from_db()
    assert (order.seen_to, order.done) == (done_by_then, done_by_then)
    # Nobody has to wait for a lease.
    while carry_out_next(limit=2):
        pass
    order.refresh_from_db()
    assert (order.seen_to, order.done, order.refused) == (5, 5, {})
    for payment in _payments(waiting):
        assert history(payment) == ["created", "approval_required", "approved"]
    of_pushes = AuditEntry.objects.filter(verb="approve", subject_type="payouts.payment")
    assert (Decision.objects.count(), of_pushes.count()) == (5, 5)


def _dies_after(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = getattr(order_batch, name)

    def dying(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        raise Killed

    monkeypatch.setattr(order_batch, name, dying)


def test_a_push_that_is_named_twice_is_decided_once(waiting: Batch, ann: User) -> None:
    seen = _seen(waiting)
    order = _approve(waiting, ann, [*seen[:2], seen[0]])
    assert carry_out_next()
    order.refresh_from_db()
    assert (order.seen_to, order.done, order.refused) == (3, 3, {})
    assert Decision.objects.count() == 2


def test_an_order_that_is_given_again_finds_everything_decided(waiting: Batch, ann: User) -> None:
    seen = _seen(waiting)
    for _ in range(2):
        order = _approve(waiting, ann, seen)
        assert carry_out_next()
    order.refresh_from_db()
    assert (order.done, order.refused) == (5, {})
    assert Decision.objects.count() == 5


def test_counts_what_is_not_there_as_not_waiting(waiting: Batch, ann: User) -> None:
    order = _approve(waiting, ann, [Seen(new_id(), bytes(32)), *_seen(waiting)[:1]])
    assert carry_out_next()
    order.refresh_from_db()
    assert (order.done, order.refused) == (1, {"not_waiting": 1})


def test_cancels_what_was_not_sent(partner: Partner, mia: User) -> None:
    batch = _issued(partner, mia, 3)
    payments = _payments(batch)
    assert len(claim_due_payments(limit=1)) == 1
    order_cancels(batch, payment_ids=[one.pk for one in payments], by=mia, reason="Wrong month")
    assert carry_out_next()
    order = BatchOrder.objects.get()
    assert (order.done, order.refused) == (2, {"submitted": 1})
    assert sorted(_statuses(batch)) == ["canceled", "canceled", "submitted"]


def test_only_the_uploader_cancels(partner: Partner, mia: User) -> None:
    batch = _issued(partner, mia, 1)
    ids = [one.pk for one in _payments(batch)]
    with pytest.raises(NotYourBatch):
        order_cancels(batch, payment_ids=ids, by=make_staff("max", "maker"), reason="")
    assert not BatchOrder.objects.exists()


@pytest.mark.parametrize(
    "change", [{"reason": "another"}, {"marks": b"other"}, {"digest": bytes(32)}, {"pushes": 9}]
)
def test_an_order_is_written_once(waiting: Batch, ann: User, change: dict[str, object]) -> None:
    _approve(waiting, ann)
    with pytest.raises(DatabaseError), transaction.atomic():
        BatchOrder.objects.update(**change)


def test_an_old_second_factor_decides_nothing(waiting: Batch, ann: User) -> None:
    before = timezone.now() - timedelta(minutes=6)
    stale = FreshFactor(ann.pk, shown_at=before, used_at=timezone.now())
    order = _approve(waiting, ann, proof=stale)
    carry_out_next()
    order.refresh_from_db()
    assert (order.done, order.refused) == (0, {"not_fresh": 5})
    assert not Decision.objects.exists()


def test_one_signature_is_over_the_whole_order(waiting: Batch, ann: User) -> None:
    passkey, seen = Passkey(), _seen(waiting)
    passkey.add_to(ann)
    said = Statement(
        user_id=ann.pk,
        username="ann",
        verdict="approve",
        reason="Looked at it",
        marks=order_batch.marks_of(seen),
        at=timezone.now().replace(microsecond=0),
        nonce="0" * 32,
    )
    assertion = passkey.sign(said.challenge())
    proof = accept_signature(said, by=ann, assertion=assertion, rp_id=RP_ID)
    order = _approve(waiting, ann, seen, proof)
    while carry_out_next(limit=2):
        pass
    order.refresh_from_db()
    assert (order.done, order.refused) == (5, {})
    assert set(Decision.objects.values_list("place", flat=True)) == {0, 1, 2, 3, 4}
