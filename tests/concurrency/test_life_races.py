"""Two things that happen to one payment at the same instant: exactly one of them counts."""

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import Settings

from consumers.models import PaymentCard
from consumers.operations.consumers import update_consumer
from payouts.models import Attempt, Decision, Journal, Payment
from payouts.networks.base import NotFound, Outcome
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.decide import (
    AlreadyDecided,
    DecisionByConsumerEditor,
    NotWaitingForApproval,
    expire_undecided_payments,
)
from payouts.operations.inquire import claim_due_inquiries, give_up_lost_senders, record_finding
from payouts.operations.record_outcome import record_outcome
from payouts.operations.send_payments import claim_due_payments, claim_resend
from payouts.states import Status
from tests.books import assert_books_are_right, available, execute, held, select
from tests.decisions import approve_payment, reject_payment
from tests.pushes import (
    APPROVED,
    CLIENT,
    REFUSED_CONNECTION,
    declined,
    digest_of,
    fresh,
    history,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
    status_of,
)
from tests.racing import race, race_mixed, raised, returned

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10


def _cancel(payment: Payment) -> object:
    cancel_payment(payment, actor=CLIENT)
    return "canceled"


def _approve(payment: Payment, by: User) -> Callable[[], object]:
    return partial(approve_payment, payment.pk, by=by, digest=digest_of(payment))


def _overdue(payment: Payment) -> None:
    """It expires at this instant: who comes first decides."""
    execute("UPDATE payouts_payment SET due_at = now() WHERE id = %s", payment.pk)


def test_either_the_cancel_or_the_sender_wins(card: PaymentCard) -> None:
    for n in range(ROUNDS):
        payment = push(card, amount=f"{n + 1}.00")
        canceled, claimed = race_mixed(
            partial(_cancel, payment), partial(claim_due_payments, limit=5)
        )
        sent = isinstance(claimed, list) and bool(claimed)
        assert isinstance(canceled, NotCancelable) is sent
        assert status_of(payment) is (Status.SUBMITTED if sent else Status.CANCELED)
        assert Attempt.objects.filter(payment=payment).exists() is sent
    assert_books_are_right()


def test_of_two_cancels_one_counts(card: PaymentCard) -> None:
    for n in range(ROUNDS):
        payment = push(card, amount=f"{n + 1}.00")
        assert raised(race([partial(_cancel, payment)] * 4), NotCancelable) == 3
        assert history(payment) == ["created", "canceled"]
    assert available(card.partner) == Decimal("10000.00")
    assert_books_are_right()


def test_senders_never_take_the_same_payment(card: PaymentCard) -> None:
    cards = [card, *(make_payee(partner=card.partner) for _ in range(3))]
    payments = {push(cards[n % 4], amount=f"{n + 1}.00").pk for n in range(60)}
    batches = returned(race([partial(claim_due_payments, limit=10)] * 10))
    rest = claim_due_payments(limit=60)
    taken = [one.payment_id for batch in [*batches, rest] for one in batch]
    assert len(taken) == len(set(taken)) == 60
    assert set(taken) == payments
    assert set(Attempt.objects.values_list("times_sent", flat=True)) == {1}
    assert_books_are_right()


@pytest.mark.parametrize("outcome", [APPROVED, declined("05")])
def test_an_outcome_recorded_many_times_at_once_counts_once(
    outcome: Outcome, card: PaymentCard
) -> None:
    for n in range(ROUNDS):
        payment = push_submitted(card, amount=f"{n + 1}.00")
        ends = returned(race([partial(record_outcome, payment.pk, outcome)] * 4))
        assert len(set(ends)) == 1
        assert Journal.objects.filter(payment=payment).count() == 2
        assert len(history(payment)) == 3
    assert held(card.partner) == 0
    assert_books_are_right()


def test_of_an_approval_and_a_decline_one_counts(card: PaymentCard) -> None:
    for n in range(ROUNDS):
        payment = push_unknown(card, amount=f"{n + 1}.00")
        first, second = returned(
            race(
                [
                    partial(record_outcome, payment.pk, APPROVED),
                    partial(record_finding, payment.pk, declined("05")),
                ]
            )
        )
        assert first is second is status_of(payment)
    assert_books_are_right()


def test_a_slow_sender_and_the_sweep_do_not_lose_the_answer(card: PaymentCard) -> None:
    for n in range(ROUNDS):
        payment = push_submitted(card, amount=f"{n + 1}.00")
        execute("UPDATE payouts_payment SET due_at = now() WHERE id = %s", payment.pk)
        returned(
            race_mixed(
                partial(give_up_lost_senders, limit=5),
                partial(record_outcome, payment.pk, APPROVED, send_number=1),
            )
        )
        assert status_of(payment) is Status.COMPLETED
    assert_books_are_right()


def test_two_approvers_at_once_both_count(card: PaymentCard) -> None:
    carla, dora = make_staff("carla", "approver"), make_staff("dora", "approver")
    for n in range(ROUNDS):
        payment = push_for_approval(card, decisions=2, amount=f"{n + 1}.00")
        ends = returned(race([_approve(payment, carla), _approve(payment, dora)]))
        assert set(ends) == {Status.PENDING_APPROVAL, Status.PENDING}
        assert status_of(payment) is Status.PENDING
        assert history(payment) == ["created", "approval_required", "decided", "approved"]
    assert_books_are_right()


def test_one_approver_twice_at_once_counts_once(card: PaymentCard) -> None:
    carla = make_staff("carla", "approver")
    for n in range(ROUNDS):
        payment = push_for_approval(card, decisions=2, amount=f"{n + 1}.00")
        assert raised(race([_approve(payment, carla)] * 3), AlreadyDecided) == 2
        assert Decision.objects.filter(payment=payment).count() == 1
        assert status_of(payment) is Status.PENDING_APPROVAL


def test_one_approver_twice_at_once_counts_once_after_an_edit_too(card: PaymentCard) -> None:
    carla = make_staff("carla", "approver")
    for n in range(ROUNDS):
        payment = push_for_approval(card, decisions=2, amount=f"{n + 1}.00")
        _approve(payment, carla)()
        update_consumer(card.consumer, last_name=f"Edited {n}")
        assert raised(race([_approve(payment, carla)] * 3), AlreadyDecided) == 2
        assert Decision.objects.filter(payment=payment).count() == 2
        assert status_of(payment) is Status.PENDING_APPROVAL


def test_whoever_edits_and_approves_at_once_approves_nothing_that_they_edited() -> None:
    carla = make_staff("carla", "approver")
    for n in range(ROUNDS):
        payee = make_payee()
        payment = push_for_approval(payee)
        seen = digest_of(payment)
        edit = partial(update_consumer, payee.consumer, by_user=carla, last_name=f"Edited {n}")
        end, _ = race_mixed(_approve(payment, carla), edit)
        digests = [bytes(one.digest) for one in Decision.objects.filter(payment=payment)]
        if end is Status.PENDING:
            assert digests == [seen]
        else:
            assert isinstance(end, DecisionByConsumerEditor)
            assert (digests, status_of(payment)) == ([], Status.PENDING_APPROVAL)


def test_of_a_yes_and_a_no_the_first_counts(card: PaymentCard) -> None:
    carla, dora = make_staff("carla", "approver"), make_staff("dora", "approver")
    for n in range(ROUNDS):
        payment = push_for_approval(card, amount=f"{n + 1}.00")
        reject = partial(reject_payment, payment.pk, by=dora, digest=digest_of(payment))
        ends = race_mixed(_approve(payment, carla), reject)
        assert raised(ends, NotWaitingForApproval) == 1
        assert status_of(payment) in ends
        assert Decision.objects.filter(payment=payment).count() == 1
    assert_books_are_right()


def test_either_the_decision_or_the_expiry_wins(card: PaymentCard) -> None:
    carla = make_staff("carla", "approver")
    for n in range(ROUNDS):
        payment = push_for_approval(card, amount=f"{n + 1}.00")
        _overdue(payment)
        ends = race_mixed(_approve(payment, carla), partial(expire_undecided_payments, limit=5))
        approved = ends[0] is Status.PENDING
        assert raised(ends, NotWaitingForApproval) == (not approved)
        assert status_of(payment) is (Status.PENDING if approved else Status.EXPIRED)
        assert Decision.objects.filter(payment=payment).exists() is approved
    assert_books_are_right()


def test_either_the_decision_or_the_cancel_wins(card: PaymentCard) -> None:
    """A payment that was approved first is still canceled: it waits for its sender then."""
    carla = make_staff("carla", "approver")
    for n in range(ROUNDS):
        payment = push_for_approval(card, amount=f"{n + 1}.00")
        ends = race_mixed(_approve(payment, carla), partial(_cancel, payment))
        assert raised(ends, NotWaitingForApproval) <= 1
        assert status_of(payment) is Status.CANCELED
    assert_books_are_right()


def test_an_overdue_payment_expires_once(card: PaymentCard) -> None:
    payments = [push_for_approval(card, amount=f"{n + 1}.00") for n in range(6)]
    for payment in payments:
        _overdue(payment)
    assert sum(returned(race([partial(expire_undecided_payments, limit=10)] * 4))) == 6
    assert {fresh(payment).version for payment in payments} == {3}
    assert_books_are_right()


def test_an_unclear_payment_is_asked_about_by_one(card: PaymentCard) -> None:
    for n in range(6):
        push_unknown(card, amount=f"{n + 1}.00")
    execute("UPDATE payouts_payment SET due_at = now()")
    batches = returned(race([partial(claim_due_inquiries, limit=4)] * 4))
    taken = [one.payment_id for batch in batches for one in batch]
    assert len(taken) == len(set(taken))


def test_a_missing_payment_is_sent_again_by_one(card: PaymentCard, settings: Settings) -> None:
    settings.NETWORK_VISIBILITY_SECONDS = 0
    for n in range(ROUNDS):
        payment = push_unknown(card, amount=f"{n + 1}.00")
        record_finding(payment.pk, NotFound())
        record_finding(payment.pk, NotFound())
        ends = returned(race([partial(claim_resend, payment.pk)] * 4))
        assert sum(one is not None for one in ends) == 1
        assert Attempt.objects.get(payment=payment).times_sent == 2
    assert_books_are_right()


def test_news_of_an_earlier_send_that_had_to_wait_recalls_no_later_one(card: PaymentCard) -> None:
    """It waits for the lock, and meanwhile the payment goes back to the queue and out again."""
    payment = push_submitted(card)
    heard: list[object] = []

    def hear() -> None:
        heard.extend(race([partial(record_outcome, payment.pk, REFUSED_CONNECTION, send_number=1)]))

    late = threading.Thread(target=hear)
    with transaction.atomic():
        record_outcome(payment.pk, REFUSED_CONNECTION, send_number=1)
        late.start()
        _wait_until_somebody_waits()
        execute("UPDATE payouts_payment SET due_at = now() - interval '1 minute'")
        (again,) = claim_due_payments(limit=1)
    late.join()
    assert again.send_number == 2
    assert heard == [Status.SUBMITTED]
    assert status_of(payment) is Status.SUBMITTED


def _wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    until = time.monotonic() + 20
    while select(waiting) == [(0,)]:
        assert time.monotonic() < until, "nobody waits for the lock"
        time.sleep(0.01)
