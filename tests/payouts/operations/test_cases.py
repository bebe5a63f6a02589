"""Cases: who works on them, and how each ends with the money where it belongs."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from consumers.models import AuditEntry, PaymentCard
from payouts.doubts import CaseKind, Way
from payouts.models import Case, ChangeRequest, Payment
from payouts.operations.cases import (
    CaseClosed,
    CaseNeedsTwo,
    CaseNotPermitted,
    CaseReasonMissing,
    Disagreement,
    close_case,
    open_case,
    take_case,
)
from payouts.operations.change_kinds import NotAChange
from payouts.operations.changes import (
    ChangeByProposer,
    ChangeImpossible,
    ChangeNotPermitted,
    ChangeOutdated,
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
    propose_closing,
    resolve,
    state_of,
    the_case,
)
from tests.pushes import (
    APPROVED,
    declined,
    history,
    make_charged_payee,
    make_staff,
    push,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> PaymentCard:
    return make_charged_payee()


@pytest.fixture
def released(card: PaymentCard) -> Payment:
    """Two people said that it was not paid; then the network said that it was."""
    payment = push_unknown(card)
    resolve(payment, Status.FAILED)
    record_outcome(payment.pk, APPROVED)
    return payment


@pytest.fixture
def paid(card: PaymentCard) -> Payment:
    """Two people said that it was paid; then the network said that it was not."""
    payment = push_unknown(card)
    resolve(payment, Status.COMPLETED)
    record_outcome(payment.pk, declined("05"))
    return payment


def _people() -> tuple[User, User]:
    return User.objects.get(username="opal"), User.objects.get(username="otto")


def _close(way: Way) -> ChangeRequest:
    opal, otto = _people()
    return approve_closing(propose_closing(the_case(), way, by=opal), otto)


def test_the_partner_pays_for_what_was_paid_after_all(released: Payment) -> None:
    change = _close(Way.CHARGE_PARTNER)
    assert available(released.partner) == Decimal("898.75")
    assert balance("network_payable", network="sandbox") == Decimal("-100.00")
    assert balance("fee_revenue") == Decimal("-1.25")
    case = the_case()
    assert (case.state, case.way, case.change) == ("closed", "charge_partner", change)
    assert (case.closed_by, str(case.journal_id)) == (_people()[1], change.result)
    assert_books_are_right()
    assert_the_checks_agree()


def test_the_house_bears_what_was_paid_after_all(released: Payment) -> None:
    _close(Way.HOUSE_BEARS)
    assert available(released.partner) == Decimal("1000.00")
    assert balance("network_payable", network="sandbox") == Decimal("-100.00")
    assert balance("suspense") == Decimal("100.00")
    assert_books_are_right()
    assert_the_checks_agree()


def test_the_partner_gets_back_what_was_not_paid_after_all(paid: Payment) -> None:
    _close(Way.GIVE_BACK)
    assert available(paid.partner) == Decimal("1000.00")
    assert balance("network_payable", network="sandbox") == 0
    assert balance("fee_revenue") == 0
    assert_books_are_right()
    assert_the_checks_agree()


def test_closing_never_changes_what_is_final(released: Payment) -> None:
    _close(Way.CHARGE_PARTNER)
    assert status_of(released) is Status.FAILED
    assert history(released)[-1] == "corrected"
    assert journals(released) == ["accepted", "released", "corrected"]


def test_nothing_may_be_right_to_book(released: Payment) -> None:
    _close(Way.NOTHING)
    assert journals(released) == ["accepted", "released"]
    assert the_case().state == "closed"


def test_a_proposal_closes_nothing(released: Payment) -> None:
    propose_closing(the_case(), Way.HOUSE_BEARS, by=_people()[0])
    assert the_case().state == "open"
    assert journals(released) == ["accepted", "released"]


def test_nobody_closes_it_alone(released: Payment) -> None:
    opal, _ = _people()
    change = propose_closing(the_case(), Way.HOUSE_BEARS, by=opal)
    with pytest.raises(ChangeByProposer):
        approve_closing(change, opal)
    with pytest.raises(CaseNeedsTwo):
        close_case(the_case().pk, by=opal, reason="Looks right")
    assert the_case().state == "open"
    assert journals(released) == ["accepted", "released"]


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "auditor"])
def test_only_operations_and_admins_work_on_cases(released: Payment, role: str) -> None:
    somebody, case = make_staff("somebody", role), the_case()
    with pytest.raises(CaseNotPermitted):
        take_case(case.pk, by=somebody)
    change = propose_closing(case, Way.NOTHING, by=_people()[0])
    with pytest.raises(ChangeNotPermitted):
        approve_closing(change, somebody)
    case.refresh_from_db()
    assert (case.state, case.owner) == ("open", None)
    assert AuditEntry.objects.filter(verb="take", result="refused").exists()


def test_a_way_that_does_not_fit_is_refused(released: Payment) -> None:
    with pytest.raises(NotAChange):
        propose_closing(the_case(), Way.GIVE_BACK, by=_people()[0])


def test_a_partner_without_money_is_not_charged(released: Payment) -> None:
    push(released.card, amount="950.00")
    opal, otto = _people()
    change = propose_closing(the_case(), Way.CHARGE_PARTNER, by=opal)
    with pytest.raises(ChangeImpossible):
        approve_closing(change, otto)
    assert (the_case().state, state_of(change)) == ("open", "proposed")
    assert available(released.partner) == Decimal("48.75")
    assert_books_are_right()


def test_what_came_back_meanwhile_is_not_given_back_twice(paid: Payment) -> None:
    opal, otto = _people()
    change = propose_closing(the_case(), Way.GIVE_BACK, by=opal)
    return_payment(notice_about(paid))
    with pytest.raises(ChangeOutdated):
        approve_closing(change, otto)
    assert available(paid.partner) == Decimal("998.75")
    assert "corrected" not in journals(paid)
    assert_books_are_right()


def test_a_closed_case_stays_closed(released: Payment) -> None:
    _close(Way.HOUSE_BEARS)
    with pytest.raises(CaseClosed):
        take_case(the_case().pk, by=_people()[0])
    with pytest.raises(NotAChange):
        propose_closing(the_case(), Way.CHARGE_PARTNER, by=_people()[0])
    record_outcome(released.pk, APPROVED)
    assert Case.objects.count() == 1


def test_a_case_is_taken_and_taken_over(released: Payment) -> None:
    opal, otto = _people()
    take_case(the_case().pk, by=opal)
    take_case(the_case().pk, by=otto)
    assert the_case().owner == otto
    entry = AuditEntry.objects.filter(verb="take").latest("id")
    assert (entry.before, entry.after) == ({"owner": "opal"}, {"owner": "otto"})


def _without_money() -> Case:
    nothing = Disagreement(
        kind=CaseKind.LATE_ANSWER, subject="x", title="Nothing at stake", amount=Decimal(0)
    )
    return open_case(nothing, at=timezone.now())


def test_one_person_closes_what_has_no_money_in_it() -> None:
    opal = make_staff("opal", "operations")
    closed = close_case(_without_money().pk, by=opal, reason="Seen twice")
    assert (closed.state, closed.way, closed.closing_reason) == ("closed", "nothing", "Seen twice")


def test_nothing_is_closed_without_a_reason() -> None:
    case = _without_money()
    with pytest.raises(CaseReasonMissing):
        close_case(case.pk, by=make_staff("opal", "operations"), reason="  ")
    case.refresh_from_db()
    assert case.state == "open"
