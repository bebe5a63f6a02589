"""Cases about returns: how each ends, and that no money comes back twice."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from consumers.models import PaymentCard
from payouts.doubts import CaseKind, Way
from payouts.models import Case, Payment
from payouts.operations.cases import ways_of
from payouts.operations.change_kinds import NotAChange
from payouts.operations.changes import (
    ChangeByProposer,
    ChangeImpossible,
    ChangeOutdated,
    withdraw_change,
)
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import return_payment
from payouts.states import Status
from tests.books import (
    assert_books_are_right,
    assert_the_checks_agree,
    available,
    balance,
    journals,
)
from tests.doubts import (
    approve_closing,
    notice_about,
    propose,
    propose_closing,
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
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> PaymentCard:
    return make_charged_payee()


@pytest.fixture
def paid(card: PaymentCard) -> Payment:
    return push_completed(card)


ODD = Decimal("100.01")


@pytest.fixture(autouse=True)
def operators() -> tuple[User, User]:
    return two_operators()


def _close(case: Case, way: Way) -> None:
    opal, otto = User.objects.get(username="opal"), User.objects.get(username="otto")
    approve_closing(propose_closing(case, way, by=opal), otto)


def _ways(case: Case) -> tuple[Way, ...]:
    assert case.payment is not None
    return ways_of(case, Status(fresh(case.payment).status))


@pytest.mark.parametrize("came", ["100.01", "40.00"])
def test_the_push_comes_back_and_what_differs_goes_to_suspense(paid: Payment, came: str) -> None:
    return_payment(notice_about(paid, amount=Decimal(came)))
    _close(the_case(CaseKind.RETURN_DIFFERS), Way.CAME_BACK)
    assert status_of(paid) is Status.RETURNED
    assert available(paid.partner) == Decimal("998.75")
    assert balance("network_payable", network="sandbox") == Decimal(came) - 100
    assert balance("suspense") == 100 - Decimal(came)
    assert journals(paid) == ["accepted", "completed", "returned"]
    case = the_case(CaseKind.RETURN_DIFFERS)
    assert (case.way, case.journal and case.journal.kind) == ("came_back", "returned")
    assert_books_are_right()
    assert_the_checks_agree()


def test_one_alone_brings_nothing_back(paid: Payment, operators: tuple[User, User]) -> None:
    return_payment(notice_about(paid, amount=ODD))
    opal, _ = operators
    change = propose_closing(the_case(CaseKind.RETURN_DIFFERS), Way.CAME_BACK, by=opal)
    with pytest.raises(ChangeByProposer):
        approve_closing(change, opal)
    assert status_of(paid) is Status.COMPLETED
    assert journals(paid) == ["accepted", "completed"]


def test_the_same_word_after_it_changes_nothing(paid: Payment) -> None:
    odd = notice_about(paid, amount=ODD)
    return_payment(odd)
    _close(the_case(CaseKind.RETURN_DIFFERS), Way.CAME_BACK)
    assert return_payment(odd) is Status.RETURNED
    assert Case.objects.count() == 1
    assert history(paid).count("returned") == 1
    assert balance("suspense") == Decimal("-0.01")


def test_what_is_filed_first_and_told_later_is_one_case(paid: Payment) -> None:
    filed = notice_about(paid, amount=ODD, reference="FILE line 2", is_settled=True)
    told = notice_about(paid, amount=ODD)
    for notice in (filed, told, filed, told):
        return_payment(notice)
    case = the_case(CaseKind.RETURN_DIFFERS)
    assert history(paid)[-1] == "confirmed"
    _close(case, Way.CAME_BACK)
    assert return_payment(told) is Status.RETURNED
    assert Case.objects.count() == 1
    return_payment(notice_about(paid, amount=ODD, reference="RET-2"))
    assert Case.objects.count() == 2
    assert balance("suspense") == Decimal("-0.01")
    assert_books_are_right()


def test_another_return_of_the_same_dollars_is_another_case(paid: Payment) -> None:
    return_payment(notice_about(paid, amount=ODD, reference="FILE line 2", is_settled=True))
    for reference in ("RET-1", "RET-2", "RET-1", "RET-2"):
        return_payment(notice_about(paid, amount=ODD, reference=reference))
    return_payment(notice_about(paid, amount=Decimal("40.00"), reference="RET-3"))
    assert Case.objects.count() == 3


def test_of_two_returns_one_is_the_push_s(paid: Payment, operators: tuple[User, User]) -> None:
    opal, otto = operators
    for reference in ("RET-1", "RET-2"):
        return_payment(notice_about(paid, amount=ODD, reference=reference))
    first, second = Case.objects.order_by("pk")
    both = [propose_closing(case, Way.CAME_BACK, by=opal) for case in (first, second)]
    approve_closing(both[0], otto)
    with pytest.raises(ChangeOutdated):
        approve_closing(both[1], otto)
    withdraw_change(both[1].pk, by=opal)
    with pytest.raises(NotAChange):
        propose_closing(second, Way.CAME_BACK, by=opal)
    assert available(paid.partner) == Decimal("998.75")
    approve_closing(propose_closing(second, Way.ALL_TO_SUSPENSE, by=opal), otto)
    assert balance("suspense") == Decimal("-100.02")
    assert journals(paid).count("returned") == 1
    assert_books_are_right()
    assert_the_checks_agree()


def test_what_two_people_returned_leaves_what_differs(
    paid: Payment, operators: tuple[User, User]
) -> None:
    opal, otto = operators
    return_payment(notice_about(paid, amount=ODD))
    case = the_case(CaseKind.RETURN_DIFFERS)
    overtaken = propose_closing(case, Way.CAME_BACK, by=opal)
    say_yes(propose(paid, Status.RETURNED, by=opal), otto)
    with pytest.raises(ChangeOutdated):
        approve_closing(overtaken, otto)
    withdraw_change(overtaken.pk, by=opal)
    assert _ways(case) == (Way.TO_SUSPENSE, Way.ALL_TO_SUSPENSE, Way.NOTHING)
    approve_closing(propose_closing(case, Way.TO_SUSPENSE, by=opal), otto)
    assert balance("network_payable", network="sandbox") == Decimal("0.01")
    assert balance("suspense") == Decimal("-0.01")
    assert_books_are_right()
    assert_the_checks_agree()


def test_a_proposal_to_return_it_ends_with_its_case(
    paid: Payment, operators: tuple[User, User]
) -> None:
    opal, _ = operators
    return_payment(notice_about(paid, amount=ODD))
    waiting = propose(paid, Status.RETURNED, by=opal)
    _close(the_case(CaseKind.RETURN_DIFFERS), Way.CAME_BACK)
    assert state_of(waiting) == "overtaken"


def test_what_came_back_of_an_unpaid_push_goes_to_suspense(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    return_payment(notice_about(payment))
    case = the_case(CaseKind.UNEXPECTED_RETURN)
    assert Way.CAME_BACK not in _ways(case)
    _close(case, Way.ALL_TO_SUSPENSE)
    assert (status_of(payment), fresh(payment).moved_otherwise) == (Status.FAILED, "")
    assert history(payment)[-1] == "upheld"
    assert balance("network_payable", network="sandbox") == Decimal("100.00")
    assert balance("suspense") == Decimal("-100.00")
    assert available(card.partner) == Decimal("1000.00")
    assert_books_are_right()
    assert_the_checks_agree()


def test_what_the_partner_was_given_before_comes_back_to_nobody(
    paid: Payment, operators: tuple[User, User]
) -> None:
    opal, otto = operators
    record_outcome(paid.pk, declined("05"))
    return_payment(notice_about(paid, amount=ODD))
    case = the_case(CaseKind.RETURN_DIFFERS)
    too_late = propose_closing(case, Way.CAME_BACK, by=opal)
    approve_closing(propose_closing(the_case(), Way.GIVE_BACK, by=opal), otto)
    with pytest.raises(ChangeImpossible):
        approve_closing(too_late, otto)
    withdraw_change(too_late.pk, by=opal)
    assert _ways(case) == (Way.TO_SUSPENSE, Way.NOTHING)
    with pytest.raises(NotAChange):
        propose_closing(case, Way.CAME_BACK, by=opal)
    assert "returned" not in journals(paid)
    assert_books_are_right()
    assert available(paid.partner) == Decimal("1000.00")
