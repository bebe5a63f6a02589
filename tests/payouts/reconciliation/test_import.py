"""What becomes of each kind of line: matched, settled by it, or a case that people close."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from consumers.models import PaymentCard
from payouts.doubts import CaseKind, Way
from payouts.models import Case, Payment, SettlementFinding, SettlementLine
from payouts.networks.sandbox.settlement import RETURN, Window
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.cases import close_case, ways_of
from payouts.operations.return_payment import return_payment
from payouts.states import Status
from tests.books import (
    assert_books_are_right,
    assert_the_checks_agree,
    available,
    balance,
    journals,
)
from tests.doubts import approve_closing, notice_about, propose_closing, two_operators
from tests.pushes import (
    CLIENT,
    history,
    push,
    push_completed,
    push_declined,
    push_submitted,
    push_unknown,
    status_of,
)
from tests.settlements import bring, findings_of, line_about, settlement_of, window_around_now

pytestmark = pytest.mark.django_db


def the_case() -> Case:
    return Case.objects.get()


def test_a_file_that_says_the_same_finds_nothing(card: PaymentCard) -> None:
    payments = [push_completed(card), push_completed(card, amount="12.34")]
    push_declined(card)
    cancel_payment(push(card), actor=CLIENT)
    file = bring(settlement_of(map(line_about, payments)))
    assert (file.state, findings_of(file)) == ("done", [])
    outcomes = SettlementLine.objects.filter(file=file).values_list("payment", "outcome")
    assert set(outcomes) == {(payment.pk, "matched") for payment in payments}
    assert not Case.objects.exists()
    assert_books_are_right()


def test_an_unclear_push_is_settled_by_its_line(card: PaymentCard) -> None:
    unclear, sending = push_unknown(card), push_submitted(card)
    file = bring(settlement_of([line_about(unclear), line_about(sending)]))
    assert findings_of(file) == ["resolves", "resolves"]
    for payment in (unclear, sending):
        assert status_of(payment) is Status.COMPLETED
        assert journals(payment) == ["accepted", "completed"]
    assert not Case.objects.exists()
    assert_books_are_right()
    assert_the_checks_agree()


def test_an_unclear_push_without_a_line_stays_unclear(card: PaymentCard) -> None:
    unclear = push_unknown(card)
    assert findings_of(bring(settlement_of([]))) == []
    assert status_of(unclear) is Status.UNKNOWN


def test_a_credit_of_a_push_that_failed_flips_nothing(card: PaymentCard) -> None:
    failed = push_declined(card)
    before = history(failed)
    file = bring(settlement_of([line_about(failed)]))
    assert findings_of(file) == ["contradicts"]
    assert status_of(failed) is Status.FAILED
    assert history(failed) == [*before, "disputed"]
    assert the_case().kind == CaseKind.LATE_ANSWER
    assert SettlementFinding.objects.get().case == the_case()


def test_a_return_gives_the_partner_its_money_back(card: PaymentCard) -> None:
    payment = push_completed(card)
    before = available(card.partner)
    # The return stands before the credit, and is seen to after it.
    lines = [line_about(payment, kind=RETURN), line_about(payment)]
    file = bring(settlement_of(lines))
    assert findings_of(file) == ["returned"]
    assert status_of(payment) is Status.RETURNED
    assert available(card.partner) == before + payment.amount
    assert not Case.objects.exists()
    assert_books_are_right()


def test_an_unclear_push_may_come_back_in_the_same_file(card: PaymentCard) -> None:
    payment = push_unknown(card)
    bring(settlement_of([line_about(payment, kind=RETURN), line_about(payment)]))
    assert status_of(payment) is Status.RETURNED
    assert journals(payment) == ["accepted", "completed", "returned"]
    assert not Case.objects.exists()


def test_a_return_that_was_told_before_is_matched(card: PaymentCard) -> None:
    payment = push_completed(card)
    return_payment(notice_about(payment))
    file = bring(settlement_of([line_about(payment), line_about(payment, kind=RETURN)]))
    assert findings_of(file) == []


def test_a_return_of_another_amount_is_a_case(card: PaymentCard) -> None:
    payment = push_completed(card)
    lines = [line_about(payment), line_about(payment, kind=RETURN, cents=99_99)]
    assert findings_of(bring(settlement_of(lines))) == ["returned"]
    assert status_of(payment) is Status.COMPLETED
    assert the_case().kind == CaseKind.RETURN_DIFFERS
    assert SettlementFinding.objects.get().case == the_case()


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_return_of_another_amount_that_was_told_before_is_that_case(
    card: PaymentCard, *, is_closed: bool
) -> None:
    payment = push_completed(card)
    return_payment(notice_about(payment, amount=Decimal("99.99")))
    case = Case.objects.get()
    if is_closed:
        opal, otto = two_operators()
        approve_closing(propose_closing(case, Way.CAME_BACK, by=opal), otto)
    lines = [line_about(payment), line_about(payment, kind=RETURN, cents=99_99)]
    bring(settlement_of(lines))
    assert Case.objects.get() == case
    assert SettlementFinding.objects.get().case == case
    assert_books_are_right()


def test_a_return_of_a_push_that_never_was_paid_is_a_case(card: PaymentCard) -> None:
    failed = push_declined(card)
    bring(settlement_of([line_about(failed, kind=RETURN)]))
    assert status_of(failed) is Status.FAILED
    assert the_case().kind == CaseKind.UNEXPECTED_RETURN


@pytest.mark.parametrize(
    ("outcome", "kind", "lines_of", "at_stake"),
    [
        ("amount_differs", "amount_differs", lambda p: [line_about(p, cents=100_01)], "0.01"),
        ("currency_differs", "currency_differs", lambda p: [line_about(p, currency="EUR")], "100"),
        ("identity_differs", "identity_differs", lambda p: [line_about(p, terminal_id="W")], "100"),
        ("duplicate", "settled_twice", lambda p: [line_about(p)] * 2, "100"),
        ("missing_there", "missing_there", lambda p: [], "100"),
        (
            "missing_here",
            "missing_here",
            lambda p: [line_about(p), line_about(p, terminal_id="X", cents=7_00)],
            "7",
        ),
        (
            "late",
            "settled_late",
            lambda p: [line_about(p, settled_on=timezone.now().date() + timedelta(days=3))],
            "0",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_differs_is_a_case_and_moves_nothing(
    card: PaymentCard,
    outcome: str,
    kind: str,
    lines_of: Callable[[Payment], list[Any]],
    at_stake: str,
) -> None:
    payment = push_completed(card)
    before = history(payment), journals(payment)
    file = bring(settlement_of(lines_of(payment)))
    assert (file.state, findings_of(file)) == ("done", [outcome])
    assert (the_case().kind, the_case().amount) == (kind, Decimal(at_stake))
    assert (history(payment), journals(payment)) == before


def test_the_same_money_to_the_same_card_is_not_guessed_at(card: PaymentCard) -> None:
    """Two pushes alike, and one line under a strange identity: nobody knows whose it is."""
    push_completed(card)
    push_completed(card)
    stranger = line_about(push_completed(card, amount="5.00"), cents=100_00)._replace(
        terminal_id="W"
    )
    file = bring(settlement_of([stranger]))
    assert sorted(findings_of(file)) == ["missing_here", *["missing_there"] * 3]


def test_a_line_counts_once_in_all_files_together(card: PaymentCard) -> None:
    payment, window = push_completed(card), window_around_now()
    bring(settlement_of([line_about(payment)]))
    later = Window(window.ends_at, window.ends_at + timedelta(days=1))
    file = bring(settlement_of([line_about(payment)], window=later, reference="S2"))
    assert findings_of(file) == ["duplicate"]


def test_nothing_is_missed_at_a_time_that_no_file_is_about(card: PaymentCard) -> None:
    """Paid within a minute of the window's end, it may stand in the next file."""
    push_completed(card)
    now = timezone.now()
    early = Window(now - timedelta(days=1), now + timedelta(seconds=30))
    assert findings_of(bring(settlement_of([], window=early))) == []
    rest = Window(early.ends_at, early.ends_at + timedelta(days=1))
    assert findings_of(bring(settlement_of([], window=rest, reference="S2"))) == ["missing_there"]


def close(case: Case, way: Way, people: tuple[User, User]) -> None:
    opal, otto = people
    approve_closing(propose_closing(case, way, by=opal), otto)


@pytest.mark.parametrize(
    ("cents", "in_suspense"), [(100_01, Decimal("0.01")), (99_00, Decimal("-1.00"))]
)
def test_two_people_book_a_difference_to_suspense(
    card: PaymentCard, cents: int, in_suspense: Decimal
) -> None:
    payment = push_completed(card)
    bring(settlement_of([line_about(payment, cents=cents)]))
    close(the_case(), Way.TO_SUSPENSE, two_operators())
    assert balance("suspense") == in_suspense
    assert balance("network_payable", network="sandbox") == -Decimal(cents) / 100
    assert journals(payment) == ["accepted", "completed"]
    assert_books_are_right()
    assert_the_checks_agree()


def test_a_stranger_can_be_booked_though_no_push_is_behind_it(card: PaymentCard) -> None:
    stranger = line_about(push_completed(card), terminal_id="X", cents=7_00)
    bring(settlement_of([stranger, line_about(Payment.objects.get())]))
    close(the_case(), Way.TO_SUSPENSE, two_operators())
    assert balance("suspense") == Decimal("7.00")


def test_what_was_never_settled_can_be_given_back(card: PaymentCard) -> None:
    payment = push_completed(card)
    bring(settlement_of([]))
    before = available(card.partner)
    assert ways_of(the_case(), Status.COMPLETED) == (Way.NOTHING, Way.GIVE_BACK)
    close(the_case(), Way.GIVE_BACK, two_operators())
    assert available(card.partner) == before + payment.amount + payment.fee_amount
    assert_books_are_right()


def test_one_person_closes_what_is_only_late(card: PaymentCard) -> None:
    payment = push_completed(card)
    day = timezone.now().date() + timedelta(days=3)
    bring(settlement_of([line_about(payment, settled_on=day)]))
    case = close_case(the_case().pk, by=two_operators()[0], reason="They told us.")
    assert case.journal_id is None
