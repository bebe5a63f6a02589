"""The life of a payment, in the table and in the database: every pair of statuses."""

from itertools import product

import pytest
from django.db import Error, transaction
from django.utils import timezone

from payouts.actors import WORKER
from payouts.models import EventKind, Payment
from payouts.operations.transition import Step, take_step
from payouts.states import (
    ALLOWED,
    CANCELABLE,
    OPEN,
    UNPAID,
    MoneyMoved,
    Status,
    can_become,
    money_moved,
    safe_to_retry,
)
from tests.books import execute, select
from tests.owner import triggers_asleep
from tests.pushes import fresh, history, make_payee, push

PAIRS = list(product(Status, Status))
REFUSED = [(before, to) for before, to in PAIRS if before is not to and not can_become(before, to)]
FINAL = frozenset(Status) - OPEN - {Status.COMPLETED}


def test_names_every_status() -> None:
    assert set(ALLOWED) == set(Status)


def test_final_means_that_nothing_follows() -> None:
    assert {status for status in Status if not ALLOWED[status]} == FINAL


def test_every_status_is_either_open_or_paid_or_unpaid() -> None:
    assert OPEN | UNPAID | {Status.COMPLETED, Status.RETURNED} == set(Status)
    assert not OPEN & UNPAID


def test_what_may_have_left_is_never_canceled() -> None:
    assert {status for status in Status if Status.CANCELED in ALLOWED[status]} == CANCELABLE
    assert all(money_moved(status) is MoneyMoved.NO for status in CANCELABLE)


@pytest.mark.parametrize("status", Status)
def test_calls_a_retry_safe_only_when_the_payee_has_nothing(status: Status) -> None:
    assert safe_to_retry(status) is (status in FINAL)


@pytest.mark.parametrize(
    ("status", "moved"),
    [
        (Status.PENDING_APPROVAL, MoneyMoved.NO),
        (Status.PENDING, MoneyMoved.NO),
        (Status.SUBMITTED, MoneyMoved.UNKNOWN),
        (Status.UNKNOWN, MoneyMoved.UNKNOWN),
        (Status.COMPLETED, MoneyMoved.YES),
        (Status.RETURNED, MoneyMoved.YES),
        (Status.FAILED, MoneyMoved.NO),
        (Status.REJECTED, MoneyMoved.NO),
        (Status.CANCELED, MoneyMoved.NO),
        (Status.EXPIRED, MoneyMoved.NO),
    ],
)
def test_says_whether_the_money_moved(status: Status, moved: MoneyMoved) -> None:
    assert money_moved(status) is moved


@pytest.mark.django_db
@pytest.mark.parametrize("before", Status)
def test_the_database_allows_exactly_what_the_table_allows(before: Status) -> None:
    payment = _payment_in(before)
    allowed = {to for to in Status if to is not before and _database_moves(payment, to)}
    assert allowed == ALLOWED[before]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "to"), [(before, to) for before, tos in ALLOWED.items() for to in sorted(tos)]
)
def test_an_allowed_step_writes_one_event(before: Status, to: Status) -> None:
    payment = _payment_in(before)
    events = len(history(payment))
    take_step(payment.pk, _step(before, to))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert fresh(payment).status == to
    assert fresh(payment).version == events + 1
    ((from_status, to_status),) = select(
        """SELECT from_status, to_status FROM payouts_event
           WHERE payment_id = %s AND number = %s""",
        payment.pk,
        events + 1,
    )
    assert (from_status, to_status) == (before, to)


@pytest.mark.django_db
def test_a_refused_step_changes_nothing() -> None:
    payment = push(make_payee())
    for before, to in REFUSED:
        with pytest.raises(ValueError, match="No payment goes from"):
            take_step(payment.pk, _step(before, to))
    assert fresh(payment).status == Status.PENDING
    assert history(payment) == ["created"]


def _payment_in(status: Status) -> Payment:
    """A payment that is in `status` without having lived to get there."""
    payment = push(make_payee())
    with triggers_asleep():
        execute(
            """UPDATE payouts_payment SET status = %s,
                   failure_code = CASE WHEN %s = 'failed' THEN 'do_not_honor' ELSE '' END,
                   completed_at = CASE WHEN %s IN ('completed', 'returned') THEN now() END,
                   approval_expires_at = CASE WHEN %s = 'pending_approval' THEN now() END
               WHERE id = %s""",
            *[status.value] * 4,
            payment.pk,
        )
    return fresh(payment)


def _database_moves(payment: Payment, to: Status) -> bool:
    """Try the step in plain SQL, with everything that belongs to it, and take it back."""
    try:
        with transaction.atomic():
            execute(
                """WITH moved AS (
                    UPDATE payouts_payment SET status = %s, version = version + 1,
                        failure_code = CASE WHEN %s = 'failed' THEN 'do_not_honor' ELSE '' END,
                        completed_at = CASE WHEN %s IN ('completed', 'returned') THEN now() END,
                        approval_expires_at = now()
                    WHERE id = %s RETURNING id, version, status)
                INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor,
                    details, request_id, created_at)
                SELECT id, version, 'decided', %s, status, 'test', '{}', '', now() FROM moved""",
                *[to.value] * 3,
                payment.pk,
                payment.status,
            )
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except Error as error:
        if getattr(error.__cause__, "sqlstate", "") == "PY002":
            return False
        raise
    return True


def _step(before: Status, to: Status) -> Step:
    at = timezone.now()
    paid = to in (Status.COMPLETED, Status.RETURNED)
    return Step(
        before=before,
        to=to,
        kind=EventKind.DECIDED,
        actor=WORKER,
        at=at,
        completed_at=at if paid else None,
        failure_code="do_not_honor" if to is Status.FAILED else "",
    )
