"""People decide what became of a push while others decide too, or while the network answers."""

import time
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import Error, transaction

from payouts.doubts import Way
from payouts.models import AccountKind, Case, ChangeRequest, Journal
from payouts.operations.ask_now import Asked, ask_now
from payouts.operations.changes import ChangeDecisionRefused
from payouts.operations.inquire import claim_due_inquiries
from payouts.operations.overtake import overtake_answered
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import return_payment
from payouts.states import Status
from tests.books import assert_books_are_right, journals, select
from tests.changes import reject
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
    APPROVED,
    declined,
    history,
    make_payee,
    make_staff,
    push_unknown,
    status_of,
)
from tests.racing import race, race_mixed, raised, returned

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 6


@pytest.fixture
def three() -> tuple[User, User, User]:
    return (*two_operators(), make_staff("ada", "admin"))


def test_two_deciders_apply_it_once(three: tuple[User, User, User]) -> None:
    card = make_payee()
    for _ in range(ROUNDS):
        payment = push_unknown(card)
        change = propose(payment, by=three[0])
        ends = race([partial(say_yes, change, three[1]), partial(say_yes, change, three[2])])
        assert raised(ends, ChangeDecisionRefused) == 1
        assert journals(payment) == ["accepted", "completed"]
    assert_books_are_right()


def test_a_yes_and_a_no_end_in_one_of_them(three: tuple[User, User, User]) -> None:
    card = make_payee()
    for _ in range(ROUNDS):
        payment = push_unknown(card)
        change = propose(payment, Status.FAILED, by=three[0])
        no = partial(reject, change, three[2])
        ends = race([partial(say_yes, change, three[1]), no])
        assert raised(ends, ChangeDecisionRefused) == 1
        was_applied = state_of(change) == "applied"
        assert status_of(payment) is (Status.FAILED if was_applied else Status.UNKNOWN)
    assert_books_are_right()


def test_an_answer_and_a_decision_end_in_one_outcome(three: tuple[User, User, User]) -> None:
    """The people say paid, the network says not: whoever is second changes nothing."""
    card = make_payee()
    for _ in range(ROUNDS):
        payment = push_unknown(card)
        change = propose(payment, Status.COMPLETED, by=three[0])
        ends = race_mixed(
            partial(say_yes, change, three[1]),
            partial(record_outcome, payment.pk, declined("05")),
        )
        overtake_answered(limit=10)
        refused = raised(ends, ChangeDecisionRefused)
        if state_of(change) == "applied":
            assert (refused, status_of(payment)) == (0, Status.COMPLETED)
            assert Case.objects.filter(payment=payment).count() == 1
        else:
            assert (refused, status_of(payment)) == (1, Status.FAILED)
            assert state_of(change) == "overtaken"
            assert not Case.objects.filter(payment=payment).exists()
        assert len(journals(payment)) == 2
    assert_books_are_right()


def test_two_who_propose_at_once_leave_one_proposal(three: tuple[User, User, User]) -> None:
    payment = push_unknown(make_payee())
    race_mixed(*[partial(propose, payment, by=one) for one in three])
    assert ChangeRequest.objects.count() == 1


def test_the_same_contradiction_many_times_at_once_is_one_case(
    three: tuple[User, User, User],
) -> None:
    payment = push_unknown(make_payee())
    say_yes(propose(payment, Status.FAILED, by=three[0]), three[1])
    returned(race([partial(record_outcome, payment.pk, APPROVED)] * 6))
    assert Case.objects.count() == 1
    assert journals(payment) == ["accepted", "released"]


def test_a_return_many_times_at_once_moves_money_once() -> None:
    payment = push_unknown(make_payee())
    record_outcome(payment.pk, APPROVED)
    notice = notice_about(payment)
    assert set(returned(race([partial(return_payment, notice)] * 6))) == {Status.RETURNED}
    assert history(payment).count("returned") == 1
    assert Journal.objects.filter(payment=payment, kind="returned").count() == 1
    assert_books_are_right()


def test_the_network_and_two_people_return_it_once(three: tuple[User, User, User]) -> None:
    card = make_payee()
    for _ in range(ROUNDS):
        payment = push_unknown(card)
        record_outcome(payment.pk, APPROVED)
        change = propose(payment, Status.RETURNED, by=three[0])
        notice = notice_about(payment)
        ends = race_mixed(partial(say_yes, change, three[1]), partial(return_payment, notice))
        raised(ends, ChangeDecisionRefused)
        overtake_answered(limit=10)
        assert journals(payment) == ["accepted", "completed", "returned"]
        assert state_of(change) in ("applied", "overtaken")
    assert_books_are_right()


def test_two_who_close_a_case_book_once(three: tuple[User, User, User]) -> None:
    payment = push_unknown(make_payee())
    say_yes(propose(payment, Status.FAILED, by=three[0]), three[1])
    record_outcome(payment.pk, APPROVED)
    change = propose_closing(the_case(), Way.HOUSE_BEARS, by=three[0])
    ends = race([partial(approve_closing, change, one) for one in three[1:]])
    assert raised(ends, ChangeDecisionRefused) == 1
    assert journals(payment) == ["accepted", "released", "corrected"]
    assert_books_are_right()


def test_many_who_ask_at_once_make_one_inquiry() -> None:
    opal, _ = two_operators()
    for _ in range(ROUNDS):
        payment = push_unknown(make_payee())
        ends = returned(race([partial(ask_now, payment.pk, by=opal)] * 5))
        assert ends.count(Asked.ASKING) == 1
        claimed = returned(race([partial(claim_due_inquiries, limit=5)] * 4))
        assert sum(len(one) for one in claimed) == 1


def test_asking_while_a_worker_claims_makes_one_inquiry() -> None:
    opal, _ = two_operators()
    for _ in range(ROUNDS):
        payment = push_unknown(make_payee())
        ask_now(payment.pk, by=opal)
        ends = race_mixed(
            partial(ask_now, payment.pk, by=opal),
            partial(claim_due_inquiries, limit=5),
            partial(ask_now, payment.pk, by=opal),
        )
        assert raised(ends, AssertionError) == 0
        assert len(claim_due_inquiries(limit=5)) + len(ends[1]) == 1  # type: ignore[arg-type]


def test_charging_a_partner_takes_balances_in_the_order_of_all_journals() -> None:
    """Whoever has the network's balance goes on to the partner's: neither waits for the other."""
    opal, otto = two_operators()
    payment = push_unknown(make_payee())
    record_outcome(payment.pk, declined("05"))
    record_outcome(payment.pk, APPROVED)
    change = propose_closing(the_case(), Way.CHARGE_PARTNER, by=opal)

    def hold_and_go_on() -> None:
        with transaction.atomic():
            select(_LOCK_ALL, AccountKind.NETWORK_PAYABLE)
            deadline = time.monotonic() + 10
            while not select(_SOMEBODY_WAITS):
                assert time.monotonic() < deadline
            select(f"{_LOCK_ALL} NOWAIT", AccountKind.AVAILABLE)

    race_mixed_ends = race_mixed(hold_and_go_on, partial(_approve_soon, change, otto))
    assert [end for end in race_mixed_ends if isinstance(end, Exception)] == []
    assert journals(payment)[-1] == "corrected"
    assert_books_are_right()


_LOCK_ALL = """
SELECT part FROM payouts_accountpart JOIN payouts_account account ON account.id = account_id
WHERE account.kind = %s ORDER BY account_id, part FOR NO KEY UPDATE OF payouts_accountpart"""
_SOMEBODY_WAITS = "SELECT pid FROM pg_locks WHERE NOT granted"


def _approve_soon(change: ChangeRequest, by: User) -> ChangeRequest:
    """Once the other one has what it holds."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with transaction.atomic():
                select(f"{_LOCK_ALL} NOWAIT", AccountKind.NETWORK_PAYABLE)
        except Error:
            break
        assert time.monotonic() < deadline
    return approve_closing(change, by)
