"""What a network says after a payment is final: noted, or a case, and never a change."""

from decimal import Decimal

import pytest

from consumers.models import AuditEntry, PaymentCard
from payouts.models import Attempt, Case, Event
from payouts.networks.base import Outcome
from payouts.operations.inquire import record_finding
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.books import assert_books_are_right, assert_the_checks_agree, available, journals
from tests.doubts import resolve, the_case
from tests.pushes import (
    APPROVED,
    REFUSED_CONNECTION,
    TIMEOUT,
    declined,
    fresh,
    history,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("verdict", "answer", "state"),
    [(Status.COMPLETED, APPROVED, "approved"), (Status.FAILED, declined("05"), "declined")],
)
def test_an_answer_that_agrees_is_only_kept(
    card: PaymentCard, verdict: Status, answer: Outcome, state: str
) -> None:
    payment = push_unknown(card)
    resolve(payment, verdict)
    before = (journals(payment), available(card.partner))
    assert record_outcome(payment.pk, answer) is verdict
    assert (journals(payment), available(card.partner)) == before
    assert Attempt.objects.get(payment=payment).state == state
    assert history(payment)[-1] == "confirmed"
    assert not Case.objects.exists()
    assert_books_are_right()
    assert_the_checks_agree()


def test_an_approval_that_agrees_keeps_its_codes(card: PaymentCard) -> None:
    payment = push_unknown(card)
    resolve(payment, Status.COMPLETED)
    record_outcome(payment.pk, APPROVED)
    attempt = Attempt.objects.get(payment=payment)
    assert (attempt.approval_code, attempt.transaction_id) == ("12345S", "300000000000001")


def test_agreeing_again_changes_nothing(card: PaymentCard) -> None:
    payment = push_unknown(card)
    resolve(payment, Status.FAILED)
    for _ in range(3):
        record_outcome(payment.pk, declined("05"))
    assert history(payment).count("confirmed") == 1
    assert fresh(payment).failure_code == "resolved_not_paid"


@pytest.mark.parametrize(
    ("verdict", "answer", "says"),
    [(Status.COMPLETED, declined("05"), "not_paid"), (Status.FAILED, APPROVED, "paid")],
)
def test_an_answer_that_contradicts_opens_a_case_and_flips_nothing(
    card: PaymentCard, verdict: Status, answer: Outcome, says: str
) -> None:
    payment = push_unknown(card)
    resolve(payment, verdict)
    before = (journals(payment), available(card.partner))
    assert record_finding(payment.pk, answer) is verdict  # type: ignore[arg-type]
    assert (journals(payment), available(card.partner)) == before
    assert history(payment)[-1] == "disputed"
    assert Attempt.objects.get(payment=payment).state == "unknown"
    case = the_case()
    assert (case.payment, case.partner) == (payment, card.partner)
    assert (case.state, case.owner, case.amount) == ("open", None, Decimal("100.00"))
    assert (case.ours["status"], case.theirs["says"]) == (verdict.value, says)
    assert_books_are_right()
    assert_the_checks_agree()


def test_the_same_contradiction_is_one_case(card: PaymentCard) -> None:
    payment = push_unknown(card)
    resolve(payment, Status.FAILED)
    for _ in range(3):
        record_outcome(payment.pk, APPROVED)
    assert Case.objects.count() == 1
    assert AuditEntry.objects.filter(verb="open").count() == 1


def test_a_contradiction_of_the_network_s_own_first_answer_is_a_case(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    record_outcome(payment.pk, APPROVED)
    assert status_of(payment) is Status.FAILED
    assert the_case().theirs["approval_code"] == "12345S"


@pytest.mark.parametrize("answer", [TIMEOUT, REFUSED_CONNECTION])
def test_what_is_not_definite_says_nothing(card: PaymentCard, answer: Outcome) -> None:
    payment = push_unknown(card)
    resolve(payment, Status.COMPLETED)
    events = Event.objects.filter(payment=payment).count()
    record_outcome(payment.pk, answer, send_number=1)
    assert Event.objects.filter(payment=payment).count() == events
    assert not Case.objects.exists()


def test_a_repeated_answer_is_no_case(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED)
    record_outcome(payment.pk, APPROVED)
    assert history(payment) == ["created", "sent", "completed"]
    assert not Case.objects.exists()
