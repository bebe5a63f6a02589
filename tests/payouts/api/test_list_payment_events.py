"""GET /v2/payments/oct/{id}/events/"""

import pytest

from consumers.models import PaymentCard
from payouts.models import Event
from payouts.operations.record_outcome import record_outcome
from tests.decisions import approve_payment
from tests.payouts.api.caller import CREATE, Caller, problem_in, statements
from tests.pushes import (
    APPROVED,
    claim,
    digest_of,
    make_payee,
    make_staff,
    push,
    push_for_approval,
)

pytestmark = pytest.mark.django_db


def test_tells_the_whole_history_oldest_first(caller: Caller, card: PaymentCard) -> None:
    payment = push_for_approval(card)
    approve_payment(payment.pk, by=make_staff("carla", "approver"), digest=digest_of(payment))
    claim(payment)
    record_outcome(payment.pk, APPROVED)
    answer = caller.get(f"{CREATE}{payment.pk}/events/")
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [
        (one["number"], one["type"], one["from_status"], one["to_status"], one["actor"])
        for one in results
    ] == [
        (1, "payment.oct.created", None, "pending_approval", "client:Payroll server"),
        (
            2,
            "payment.oct.approval_required",
            "pending_approval",
            "pending_approval",
            "client:Payroll server",
        ),
        (3, "payment.oct.approved", "pending_approval", "pending", "staff:carla"),
        (4, "payment.oct.sent", "pending", "submitted", "worker"),
        (5, "payment.oct.completed", "submitted", "completed", "worker"),
    ]


def test_tells_what_happened_and_when(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    (event,) = caller.get(f"{CREATE}{payment.pk}/events/").json()["results"]
    assert event == {
        "number": 1,
        "type": "payment.oct.created",
        "from_status": None,
        "to_status": "pending",
        "actor": "client:Payroll server",
        "details": {},
        "created_at": Event.objects.get().created_at.isoformat().replace("+00:00", "Z"),
    }


def test_another_partners_payment_is_not_found(caller: Caller) -> None:
    theirs = push(make_payee())
    answer = caller.get(f"{CREATE}{theirs.pk}/events/")
    problem_in(answer, status=404, code="not_found")


def test_takes_three_statements_however_long_it_is(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    with statements(3):
        caller.get(f"{CREATE}{payment.pk}/events/")
    claim(payment)
    record_outcome(payment.pk, APPROVED)
    with statements(3):
        caller.get(f"{CREATE}{payment.pk}/events/")
