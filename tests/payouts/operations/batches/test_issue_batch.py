"""Issuing the lines of a batch: once each, by the rules of every push, whatever dies meanwhile."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from consumers.models import AuditEntry, Partner
from payouts.approvals import Source
from payouts.limits import Scope
from payouts.models import (
    ApprovalRule,
    Batch,
    BatchRow,
    BatchState,
    FeeSchedule,
    IdempotencyKey,
    Limit,
    Payment,
)
from payouts.operations.batches import issue_batch
from payouts.operations.batches.issue_batch import (
    BatchMoved,
    NotYourBatch,
    good_lines,
    issue_next_lines,
    submit_batch,
)
from payouts.operations.batches.withdraw_batch import (
    choose_lines,
    leave_out_warned_lines,
    withdraw_batch,
)
from payouts.states import Status
from tests.batches import checked, codes, issued, line, rows_of, states, submitted
from tests.books import assert_books_are_right, available
from tests.pushes import make_funded_partner, make_payee, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner()


def lines_of(partner: Partner, count: int) -> list[list[str]]:
    card = make_payee(partner=partner)
    return [line(card, f"{number + 1}.00") for number in range(count)]


def test_makes_one_push_of_each_good_line(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    batch = issued(
        partner,
        mia,
        [card.consumer.pcid, "", "10.00", "r-1", "words"],
        ["nobody", "", "1.00", "", ""],
        line(card, "20.00"),
    )
    assert batch.state == BatchState.ISSUED
    assert states(batch) == ["issued", "bad", "issued"]
    first = Payment.objects.get(amount=Decimal(10))
    assert (first.source, first.maker_user_id) == (Source.BATCH, mia.pk)
    assert (first.reference, first.description) == ("r-1", "words")
    assert BatchRow.objects.get(payment=first).line == 2
    assert Payment.objects.count() == 2
    assert available(partner) == Decimal("9970.00")
    assert_books_are_right()


def test_waits_for_whoever_a_rule_asks_for(partner: Partner, mia: User) -> None:
    ApprovalRule.objects.create(name="batches", source=Source.BATCH)
    batch = issued(partner, mia, *lines_of(partner, 2))
    assert states(batch) == ["issued", "issued"]
    waiting = Payment.objects.filter(status=Status.PENDING_APPROVAL)
    assert waiting.count() == 2


def test_makes_twins_wait_for_a_person(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    issued(partner, mia, line(card, "10.00", "a"), line(card, "10.00", "b"))
    issued(partner, mia, line(card, "10.00", "a"))
    statuses = list(Payment.objects.order_by("pk").values_list("status", flat=True))
    assert statuses == ["pending", "pending_approval", "pending_approval"]


def test_issues_only_what_was_on_the_screen(partner: Partner, mia: User) -> None:
    batch = checked(partner, mia, *lines_of(partner, 3))
    seen = good_lines(batch.pk)
    assert choose_lines(batch, by=mia, left_out=[3]) == 1
    with pytest.raises(BatchMoved):
        submit_batch(batch, by=mia, seen=seen)
    assert not issue_next_lines()
    assert not Payment.objects.exists()
    submit_batch(batch, by=mia, seen=good_lines(batch.pk))
    assert issue_next_lines()
    assert states(batch) == ["issued", "left_out", "issued"]


def test_is_issued_by_its_uploader_alone(partner: Partner, mia: User) -> None:
    batch = checked(partner, mia, *lines_of(partner, 1))
    with pytest.raises(NotYourBatch):
        submit_batch(batch, by=make_staff("max", "maker"), seen=good_lines(batch.pk))
    assert not issue_next_lines()
    entry = AuditEntry.objects.get(verb="issue")
    assert (entry.result, entry.reason) == ("refused", "NotYourBatch")


def test_is_started_once(partner: Partner, mia: User) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 1))
    with pytest.raises(BatchMoved):
        submit_batch(batch, by=mia, seen=good_lines(batch.pk))


def test_says_what_was_against_a_line_in_the_end(partner: Partner, mia: User) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 3))
    Limit.objects.create(partner=partner, scope=Scope.PUSH, max_amount=Decimal(2))
    while issue_next_lines():
        pass
    assert states(batch) == ["issued", "issued", "refused"]
    assert codes(rows_of(batch)[2]) == ["limit_exceeded"]
    assert Batch.objects.get().state == BatchState.ISSUED


def test_does_not_take_another_fee_than_was_shown(partner: Partner, mia: User) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 1))
    FeeSchedule.objects.create(
        partner=partner, fixed=Decimal(1), valid_from=timezone.now() - timedelta(seconds=1)
    )
    issue_next_lines()
    assert codes(rows_of(batch)[0]) == ["terms_changed"]
    assert not Payment.objects.exists()
    assert not IdempotencyKey.objects.exists()


class Killed(BaseException):
    """Stands in for the end of the process: nothing catches it."""


@pytest.mark.parametrize("after", [0, 1, 4])
def test_goes_on_after_a_worker_that_died_between_lines(
    partner: Partner, mia: User, after: int
) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 5))

    def dying(function: Any, lines: Sequence[Any]) -> list[Any]:
        for number, one in enumerate(lines):
            if number == after:
                raise Killed
            function(one)
        return []

    with pytest.raises(Killed):
        issue_next_lines(each=dying)
    assert Payment.objects.count() == after
    assert states(batch) == ["good"] * 5
    # Nobody else takes it while the dead one may still be alive.
    assert not issue_next_lines()
    _let_the_lease_end()
    assert issue_next_lines()
    assert states(batch) == ["issued"] * 5
    assert Payment.objects.count() == 5
    assert available(partner) == Decimal("9985.00")


def test_goes_on_after_a_worker_that_died_before_it_marked_the_lines(
    partner: Partner, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 3))

    def dying(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(issue_batch, "_mark", dying)
        with pytest.raises(Killed):
            issue_next_lines()
    _let_the_lease_end()
    assert issue_next_lines(limit=2)
    assert issue_next_lines(limit=2)
    assert not issue_next_lines()
    assert states(batch) == ["issued"] * 3
    assert Payment.objects.count() == 3


def test_knows_what_a_dead_worker_has_issued_of_a_batch_that_was_withdrawn(
    partner: Partner, mia: User
) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 3))

    def dying(function: Any, lines: Sequence[Any]) -> list[Any]:
        function(lines[1])
        raise Killed

    with pytest.raises(Killed):
        issue_next_lines(each=dying)
    withdraw_batch(batch, by=mia)
    assert not issue_next_lines()
    _let_the_lease_end()
    assert issue_next_lines()
    assert states(batch) == ["good", "issued", "good"]
    assert not issue_next_lines()
    assert Payment.objects.count() == 1


def test_stops_when_it_is_withdrawn(partner: Partner, mia: User) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 3))
    assert issue_next_lines(limit=1)
    withdraw_batch(batch, by=mia, reason="Wrong month")
    assert not issue_next_lines()
    assert states(batch) == ["issued", "good", "good"]
    with pytest.raises(BatchMoved):
        withdraw_batch(batch, by=mia)


def test_is_withdrawn_by_its_uploader_alone(partner: Partner, mia: User) -> None:
    batch = checked(partner, mia, *lines_of(partner, 1))
    with pytest.raises(NotYourBatch):
        withdraw_batch(batch, by=make_staff("max", "maker"))
    batch.refresh_from_db()
    assert batch.state == BatchState.READY


def test_leaves_out_what_has_a_warning_and_takes_it_in_again(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    batch = checked(partner, mia, line(card, "1.00", "a"), line(card, "1.00", "b"))
    assert leave_out_warned_lines(batch, by=mia) == 1
    assert states(batch) == ["good", "left_out"]
    assert choose_lines(batch, by=mia, wanted=[3], left_out=[2]) == 2
    assert states(batch) == ["left_out", "good"]
    with pytest.raises(NotYourBatch):
        choose_lines(batch, by=make_staff("max", "maker"), left_out=[3])


def test_works_on_the_other_batch_while_one_is_worked_on(partner: Partner, mia: User) -> None:
    first = submitted(partner, mia, *lines_of(partner, 1))
    second = submitted(partner, mia, *lines_of(partner, 1))
    Batch.objects.filter(pk=first.pk).update(leased_until=timezone.now() + timedelta(seconds=9))
    assert issue_next_lines()
    assert (states(first), states(second)) == (["good"], ["issued"])


def test_a_key_that_somebody_else_has_used_is_no_payment(partner: Partner, mia: User) -> None:
    batch = submitted(partner, mia, *lines_of(partner, 2))
    IdempotencyKey.objects.create(
        partner=partner,
        key=issue_batch.key_of_line(batch.pk, 2),
        request_digest=bytes(32),
        status_code=201,
        answer=b"x",
        created_at=timezone.now(),
    )
    issue_next_lines()
    assert states(batch) == ["refused", "issued"]
    assert codes(rows_of(batch)[0]) == ["key_taken"]


def _let_the_lease_end() -> None:
    Batch.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_the_rows_still_say_what_the_file_said(partner: Partner, mia: User) -> None:
    batch = issued(partner, mia, *lines_of(partner, 1))
    row = BatchRow.objects.get(batch=batch)
    assert row.cells["amount"] == "1.00"
