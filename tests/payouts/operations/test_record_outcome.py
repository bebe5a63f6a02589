import logging
from datetime import timedelta
from decimal import Decimal

import pytest

from consumers.models import PaymentCard
from payouts.actors import staff
from payouts.declines import DECLINES, decline_for
from payouts.models import Attempt, Event, Payment
from payouts.networks.base import Approved, Outcome, Unknown, UnknownReason
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.record_outcome import fail_unsent_payment, record_outcome
from payouts.operations.send_payments import claim_due_payments
from payouts.operations.transition import PaymentMoved
from payouts.states import Status
from tests.books import assert_books_are_right, available, balance, held, journals, used
from tests.payouts.operations.conftest import Clock
from tests.pushes import (
    APPROVED,
    CLIENT,
    REFUSED_CONNECTION,
    TIMEOUT,
    claim,
    declined,
    fresh,
    history,
    make_charged_payee,
    make_payee,
    push,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> PaymentCard:
    return make_charged_payee()


NOTHING = Decimal(0)


def _attempt(payment: Payment) -> Attempt:
    return Attempt.objects.get(payment=payment)


def _day(payment: Payment) -> tuple[Decimal, Decimal]:
    return used(payment.card_id, on=payment.created_at.date())


# Approved


def test_an_approval_completes_the_payment(card: PaymentCard, clock: Clock) -> None:
    payment = push_submitted(card)
    clock.advance(seconds=2)
    assert record_outcome(payment.pk, APPROVED) is Status.COMPLETED
    payment = fresh(payment)
    assert (payment.status, payment.network_code) == (Status.COMPLETED, "00")
    assert payment.completed_at == payment.updated_at == clock.at
    assert payment.due_at is None
    assert history(payment) == ["created", "sent", "completed"]


def test_an_approval_pays_the_network_and_takes_the_fee(card: PaymentCard) -> None:
    payment = push_submitted(card, amount="100.00")
    record_outcome(payment.pk, APPROVED)
    assert available(card.partner) == Decimal("898.75")
    assert held(card.partner) == NOTHING
    assert balance("network_payable", network="sandbox") == Decimal("-100.00")
    assert balance("fee_revenue") == Decimal("-1.25")
    assert journals(payment) == ["accepted", "completed"]
    assert_books_are_right()


def test_an_approval_without_a_fee_has_no_line_for_it() -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    assert balance("fee_revenue") == NOTHING
    assert_books_are_right()


def test_an_approval_is_kept_with_what_the_network_said(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, Approved("11", "54321Z", "300000000000009", {"actionCode": "11"}))
    attempt = _attempt(payment)
    assert (attempt.state, attempt.network_code) == ("approved", "11")
    assert (attempt.approval_code, attempt.transaction_id) == ("54321Z", "300000000000009")
    assert attempt.answer == {"actionCode": "11"}
    assert attempt.answered_at is not None


def test_what_was_paid_stays_used(card: PaymentCard) -> None:
    payment = push_submitted(card, amount="100.00")
    record_outcome(payment.pk, APPROVED)
    assert _day(payment) == (Decimal("100.00"), Decimal(1))


# Declined


def test_a_decline_fails_the_payment(card: PaymentCard) -> None:
    payment = push_submitted(card)
    assert record_outcome(payment.pk, declined("05")) is Status.FAILED
    payment = fresh(payment)
    assert (payment.failure_code, payment.network_code) == ("do_not_honor", "05")
    assert payment.due_at is None
    assert (_attempt(payment).state, _attempt(payment).network_code) == ("declined", "05")
    event = Event.objects.get(payment=payment, kind="failed")
    assert event.details == {"failure": "do_not_honor", "network_code": "05"}


def test_a_decline_gives_amount_and_fee_back(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("51"))
    assert (available(card.partner), held(card.partner)) == (Decimal("1000.00"), NOTHING)
    assert balance("fee_revenue") == NOTHING
    assert journals(payment) == ["accepted", "released"]
    assert_books_are_right()


def test_a_decline_gives_the_day_its_room_back(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("51"))
    for subject in (card.pk, card.consumer_id, card.partner_id):
        assert used(subject, on=payment.created_at.date()) == (NOTHING, NOTHING)


def test_the_room_goes_back_to_the_day_of_the_payment(card: PaymentCard, clock: Clock) -> None:
    payment = push_submitted(card)
    clock.advance(days=2)
    record_outcome(payment.pk, declined("51"))
    assert _day(payment) == (NOTHING, NOTHING)
    assert used(card.pk, on=clock.at.date()) == (NOTHING, NOTHING)
    assert_books_are_right()


@pytest.mark.parametrize("code", sorted(DECLINES))
def test_a_decline_does_to_the_card_what_the_table_says(code: str) -> None:
    card = make_payee(push_eligible=True)
    payment = push_submitted(card)
    record_outcome(payment.pk, declined(code))
    card.refresh_from_db()
    meaning = decline_for(code)
    assert (card.status == "inactive") is meaning.deactivates_card
    assert (card.deactivation_reason == meaning.code) is meaning.deactivates_card
    assert (card.push_eligible is False) is meaning.marks_not_push_capable
    assert fresh(payment).failure_code == meaning.code


@pytest.mark.parametrize("code", ["04", "07", "14", "15", "41", "43", "46"])
def test_a_card_that_is_gone_takes_no_more_pushes(code: str) -> None:
    card = make_payee()
    record_outcome(push_submitted(card).pk, declined(code))
    card.refresh_from_db()
    assert card.status == "inactive"


def test_a_card_keeps_the_first_reason_for_its_deactivation(card: PaymentCard) -> None:
    first, second = push(card, amount="1.00"), push(card, amount="2.00")
    assert len(claim_due_payments(limit=2)) == 2
    record_outcome(first.pk, declined("43"))
    record_outcome(second.pk, declined("14"))
    card.refresh_from_db()
    assert card.deactivation_reason == decline_for("43").code


def test_a_code_that_nobody_knows_fails_without_touching_the_card(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("Q7"))
    card.refresh_from_db()
    assert fresh(payment).failure_code == "declined_other"
    assert card.status == "active"


# Unknown


def test_an_unclear_answer_keeps_the_money_held(card: PaymentCard) -> None:
    payment = push_submitted(card, amount="100.00")
    assert record_outcome(payment.pk, TIMEOUT) is Status.UNKNOWN
    assert held(card.partner) == Decimal("101.25")
    assert journals(payment) == ["accepted"]
    assert _day(payment) == (Decimal("100.00"), Decimal(1))
    assert_books_are_right()


def test_an_unclear_answer_is_asked_about_after_forty_seconds(
    card: PaymentCard, clock: Clock
) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, TIMEOUT)
    assert fresh(payment).due_at == clock.at + timedelta(seconds=40)


@pytest.mark.parametrize("why", UnknownReason)
def test_every_unclear_answer_is_unknown_and_never_failed(why: UnknownReason) -> None:
    payment = push_submitted(make_payee())
    assert record_outcome(payment.pk, Unknown(why, raw={"http_status": 500})) is Status.UNKNOWN
    attempt = _attempt(payment)
    assert (attempt.state, attempt.unknown_reason) == ("unknown", why.value)
    assert attempt.answer == {"http_status": 500}
    assert Event.objects.get(payment=payment, kind="unknown").details == {"why": why.value}


def test_the_handle_to_ask_with_is_kept(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, Unknown(UnknownReason.IN_PROGRESS, "000000000000042"))
    assert _attempt(payment).status_identifier == "000000000000042"


def test_a_later_unclear_answer_does_not_take_the_handle_away(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, Unknown(UnknownReason.IN_PROGRESS, "000000000000042"))
    assert record_outcome(payment.pk, Unknown(UnknownReason.SENDER_LOST)) is Status.UNKNOWN
    assert _attempt(payment).status_identifier == "000000000000042"
    assert history(payment) == ["created", "sent", "unknown"]


@pytest.mark.parametrize("outcome", [APPROVED, declined("05")])
def test_an_unknown_payment_is_settled_by_a_late_answer(
    outcome: Outcome, card: PaymentCard
) -> None:
    payment = push_unknown(card)
    assert record_outcome(payment.pk, outcome) in (Status.COMPLETED, Status.FAILED)
    assert held(card.partner) == NOTHING
    assert_books_are_right()


# Provably not sent


def test_what_never_left_goes_back_to_the_queue(card: PaymentCard, clock: Clock) -> None:
    payment = push(card)
    number = claim(payment).send_number
    after = record_outcome(payment.pk, REFUSED_CONNECTION, send_number=number)
    assert after is Status.PENDING
    assert fresh(payment).due_at == clock.at + timedelta(seconds=5)
    assert _attempt(payment).state == "not_sent"
    assert history(payment) == ["created", "sent", "not_sent"]
    assert held(card.partner) == Decimal("101.25")
    assert_books_are_right()


def test_waits_longer_each_time_that_nothing_left(card: PaymentCard, clock: Clock) -> None:
    payment, pauses = push(card), []
    for _ in range(5):
        number = claim(payment).send_number
        record_outcome(payment.pk, REFUSED_CONNECTION, send_number=number)
        due_at = fresh(payment).due_at
        assert due_at is not None
        pauses.append((due_at - clock.at).total_seconds())
        clock.set(due_at)
    assert pauses == [5, 30, 120, 600, 600]


def test_gives_up_after_a_day_of_never_leaving(card: PaymentCard, clock: Clock) -> None:
    payment = push(card)
    clock.advance(hours=24, seconds=1)
    number = claim(payment).send_number
    after = record_outcome(payment.pk, REFUSED_CONNECTION, send_number=number)
    assert after is Status.FAILED
    assert fresh(payment).failure_code == "network_unreachable"
    assert history(payment) == ["created", "sent", "failed"]
    assert available(card.partner) == Decimal("1000.00")
    assert_books_are_right()


def test_what_never_left_can_be_canceled(card: PaymentCard) -> None:
    payment = push(card)
    record_outcome(payment.pk, REFUSED_CONNECTION, send_number=claim(payment).send_number)
    cancel_payment(payment, actor=CLIENT)
    assert status_of(payment) is Status.CANCELED
    assert_books_are_right()


def test_what_was_unclear_once_never_goes_back_to_the_queue(card: PaymentCard) -> None:
    payment = push_unknown(card)
    assert record_outcome(payment.pk, REFUSED_CONNECTION, send_number=1) is Status.UNKNOWN
    assert history(payment) == ["created", "sent", "unknown"]
    assert held(card.partner) == Decimal("101.25")


def test_news_of_an_earlier_send_does_not_recall_a_later_one(
    card: PaymentCard, clock: Clock
) -> None:
    """An outcome is recorded again when the database was away, and the first may have counted."""
    payment = push(card)
    first = claim(payment)
    record_outcome(payment.pk, REFUSED_CONNECTION, send_number=first.send_number)
    clock.advance(days=1)
    claim(payment)
    after = record_outcome(payment.pk, REFUSED_CONNECTION, send_number=first.send_number)
    assert after is Status.SUBMITTED
    assert _attempt(payment).state == "sending"


def test_not_sent_proves_nothing_without_the_number_of_the_send(card: PaymentCard) -> None:
    payment = push_submitted(card)
    assert record_outcome(payment.pk, REFUSED_CONNECTION) is Status.SUBMITTED


# After the end


@pytest.mark.parametrize("first", [APPROVED, declined("05")])
@pytest.mark.parametrize("second", [APPROVED, declined("41"), TIMEOUT, REFUSED_CONNECTION])
def test_nothing_moves_a_final_payment(first: Outcome, second: Outcome, card: PaymentCard) -> None:
    payment = push_submitted(card)
    after = record_outcome(payment.pk, first)
    before = (fresh(payment).status, available(card.partner), _attempt(payment).state)
    assert record_outcome(payment.pk, second, send_number=1) is after
    assert (fresh(payment).status, available(card.partner), _attempt(payment).state) == before
    card.refresh_from_db()
    assert card.status == "active"
    assert_books_are_right()


@pytest.mark.parametrize(
    ("first", "second"), [(APPROVED, declined("05")), (declined("05"), APPROVED)]
)
def test_people_hear_of_an_answer_that_contradicts_the_first(
    first: Outcome, second: Outcome, card: PaymentCard, caplog: pytest.LogCaptureFixture
) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, first)
    record_outcome(payment.pk, first)
    assert not [one for one in caplog.records if one.levelno >= logging.CRITICAL]
    record_outcome(payment.pk, second)
    (said,) = [one for one in caplog.records if one.levelno >= logging.CRITICAL]
    assert str(payment.pk) in said.getMessage()


def test_an_approval_of_what_was_never_sent_is_disputed_and_no_more(
    card: PaymentCard, caplog: pytest.LogCaptureFixture
) -> None:
    payment = push(card)
    assert record_outcome(payment.pk, APPROVED) is Status.PENDING
    assert str(payment.pk) in caplog.text
    assert history(payment) == ["created", "disputed"]
    assert (fresh(payment).status, held(card.partner)) == (
        "pending",
        payment.amount + payment.fee_amount,
    )


def test_names_who_brought_the_answer(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED, actor=staff(7, "otto"))
    assert Event.objects.get(payment=payment, kind="completed").actor == "staff:otto"


# Failing what was never sent


def test_fails_a_pending_payment_only() -> None:
    payment = push_submitted(make_payee())
    with pytest.raises(PaymentMoved):
        fail_unsent_payment(payment.pk, failure_code="card_inactive", at=payment.updated_at)
    assert history(payment) == ["created", "sent"]
    assert journals(payment) == ["accepted"]
