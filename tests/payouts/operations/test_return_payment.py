"""A push that was paid, and whose money came back later."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumers.models import AuditEntry, PaymentCard
from payouts.doubts import CaseKind
from payouts.models import Case, Event, Payment
from payouts.operations.change_kinds import NotAChange
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import NoSuchInstruction, return_payment
from payouts.states import Status
from tests.books import (
    assert_books_are_right,
    assert_the_checks_agree,
    available,
    balance,
    journals,
)
from tests.doubts import (
    notice_about,
    propose,
    resolve,
    say_yes,
    state_of,
    the_case,
    two_operators,
)
from tests.pushes import (
    declined,
    fresh,
    history,
    make_charged_payee,
    push_completed,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> PaymentCard:
    return make_charged_payee()


@pytest.fixture
def paid(card: PaymentCard) -> Payment:
    return push_completed(card)


def test_the_amount_is_the_partner_s_again_and_the_fee_is_not(paid: Payment) -> None:
    assert return_payment(notice_about(paid)) is Status.RETURNED
    assert available(paid.partner) == Decimal("998.75")
    assert balance("network_payable", network="sandbox") == 0
    assert balance("fee_revenue") == Decimal("-1.25")
    assert journals(paid) == ["accepted", "completed", "returned"]
    assert_books_are_right()
    assert_the_checks_agree()


def test_it_keeps_when_it_was_paid_and_by_which_code(paid: Payment) -> None:
    return_payment(notice_about(paid))
    payment = fresh(paid)
    assert (payment.completed_at, payment.network_code) == (paid.completed_at, "00")


def test_the_history_and_the_trail_say_by_whose_word(paid: Payment) -> None:
    return_payment(notice_about(paid))
    event = Event.objects.filter(payment=paid).latest("number")
    assert (event.kind, event.actor) == ("returned", "worker")
    assert event.details == {"network_reference": "RET-1"}
    assert AuditEntry.objects.get(verb="return").subject_id == str(paid.pk)


def test_the_same_word_again_changes_nothing(paid: Payment) -> None:
    for _ in range(3):
        assert return_payment(notice_about(paid)) is Status.RETURNED
    assert history(paid).count("returned") == 1
    assert available(paid.partner) == Decimal("998.75")
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    "field",
    ["acquiring_bin", "systems_trace_audit_number", "retrieval_reference_number",
     "card_acceptor_id", "terminal_id"],
)  # fmt: skip
def test_another_identity_is_nobody_s(paid: Payment, field: str) -> None:
    notice = notice_about(paid)
    other = replace(notice.identity, **{field: "9"})
    with pytest.raises(NoSuchInstruction):
        return_payment(replace(notice, identity=other))
    assert status_of(paid) is Status.COMPLETED


def test_another_amount_is_a_case(paid: Payment) -> None:
    after = return_payment(notice_about(paid, amount=Decimal("40.00")))
    assert (after, status_of(paid)) == (Status.COMPLETED, Status.COMPLETED)
    case = the_case(CaseKind.RETURN_DIFFERS)
    assert (case.amount, case.ours["amount"]) == (Decimal("40.00"), "100.00")
    assert available(paid.partner) == Decimal("898.75")
    assert_books_are_right()


def test_another_return_of_what_came_back_is_a_case_for_each_reference(paid: Payment) -> None:
    return_payment(notice_about(paid))
    for reference in ("RET-2", "RET-2", "RET-1", "RET-3"):
        assert return_payment(notice_about(paid, reference=reference)) is Status.RETURNED
    cases = Case.objects.filter(kind=CaseKind.UNEXPECTED_RETURN).order_by("pk")
    assert [case.theirs["reference"] for case in cases] == ["RET-2", "RET-3"]
    assert Case.objects.count() == 2
    assert available(paid.partner) == Decimal("998.75")
    assert (history(paid)[-1], fresh(paid).moved_otherwise) == ("returned", "")
    assert_books_are_right()


def test_what_a_file_returned_is_told_by_reference_once(paid: Payment) -> None:
    in_file = notice_about(paid, reference="FILE line 2", is_settled=True)
    for notice in (in_file, notice_about(paid), in_file, notice_about(paid)):
        return_payment(notice)
    assert history(paid)[-2:] == ["returned", "confirmed"]
    assert not Case.objects.exists()
    return_payment(notice_about(paid, reference="RET-2"))
    assert the_case(CaseKind.UNEXPECTED_RETURN).theirs["reference"] == "RET-2"
    assert available(paid.partner) == Decimal("998.75")
    assert_books_are_right()


def test_a_return_of_what_was_not_paid_is_a_case(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    for _ in range(2):
        assert return_payment(notice_about(payment)) is Status.FAILED
    assert the_case(CaseKind.UNEXPECTED_RETURN).theirs["reference"] == "RET-1"
    assert available(card.partner) == Decimal("1000.00")
    assert_books_are_right()


def test_what_two_people_resolved_as_paid_can_come_back(card: PaymentCard) -> None:
    payment = push_unknown(card)
    resolve(payment, Status.COMPLETED)
    return_payment(notice_about(payment))
    assert status_of(payment) is Status.RETURNED
    assert_books_are_right()
    assert_the_checks_agree()


# By two people


def test_two_people_say_that_it_came_back(paid: Payment) -> None:
    opal, otto = two_operators()
    say_yes(propose(paid, Status.RETURNED, by=opal), otto)
    assert status_of(paid) is Status.RETURNED
    assert available(paid.partner) == Decimal("998.75")
    event = Event.objects.filter(payment=paid).latest("number")
    assert (event.actor, event.details["settled_by"]) == ("staff:otto", "two people, with evidence")
    assert_books_are_right()


def test_the_network_s_word_after_two_people_is_a_case_if_it_is_about_another_amount(
    paid: Payment,
) -> None:
    opal, otto = two_operators()
    say_yes(propose(paid, Status.RETURNED, by=opal), otto)
    return_payment(notice_about(paid, amount=Decimal("100.01")))
    assert the_case(CaseKind.RETURN_DIFFERS).amount == Decimal("100.01")
    assert (history(paid)[-1], fresh(paid).moved_otherwise) == ("returned", "")
    assert available(paid.partner) == Decimal("998.75")


def test_only_what_was_paid_comes_back(card: PaymentCard) -> None:
    opal, _ = two_operators()
    with pytest.raises(NotAChange):
        propose(push_unknown(card), Status.RETURNED, by=opal)


def test_the_network_s_word_ends_a_proposal(paid: Payment) -> None:
    opal, _ = two_operators()
    change = propose(paid, Status.RETURNED, by=opal)
    return_payment(notice_about(paid))
    assert state_of(change) == "overtaken"
    assert journals(paid).count("returned") == 1
