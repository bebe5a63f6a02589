from datetime import date, timedelta
from decimal import Decimal

import pytest

from consumers.models import PaymentCard
from consumers.operations.cards import edit_card
from consumers.operations.consumers import update_consumer
from payouts.models import Attempt, Event, Payment
from payouts.networks.base import Finding, NotFound, Unknown, UnknownReason
from payouts.operations.inquire import (
    claim_due_inquiries,
    give_up_lost_senders,
    record_finding,
)
from payouts.operations.record_outcome import record_outcome
from payouts.operations.send_payments import claim_resend
from payouts.states import Status
from tests.books import assert_books_are_right, held, refusal
from tests.payouts.operations.conftest import Clock
from tests.pushes import (
    APPROVED,
    REFUSED_CONNECTION,
    TIMEOUT,
    claim,
    declined,
    fresh,
    history,
    make_payee,
    push,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db

UNREACHABLE = Unknown(UnknownReason.UNREACHABLE)


def _due_in(payment: Payment, clock: Clock) -> timedelta:
    due_at = fresh(payment).due_at
    assert due_at is not None
    return due_at - clock.at


# Asking


def test_asks_under_the_identity_of_the_attempt(card: PaymentCard, clock: Clock) -> None:
    payment = push(card)
    instruction = claim(payment)
    record_outcome(payment.pk, Unknown(UnknownReason.IN_PROGRESS, "000000000000042"))
    clock.advance(seconds=40)
    (inquiry,) = claim_due_inquiries(limit=10)
    assert inquiry.payment_id == payment.pk
    assert (inquiry.network, inquiry.identity) == ("sandbox", instruction.push.identity)
    assert inquiry.status_identifier == "000000000000042"


def test_asks_without_a_status_identifier_where_there_is_none(
    card: PaymentCard, clock: Clock
) -> None:
    push_unknown(card)
    clock.advance(seconds=40)
    (inquiry,) = claim_due_inquiries(limit=10)
    assert inquiry.status_identifier is None


def test_asks_only_when_it_is_time(card: PaymentCard, clock: Clock) -> None:
    push_unknown(card)
    clock.advance(seconds=39)
    assert claim_due_inquiries(limit=10) == []


def test_asks_about_unclear_payments_only(card: PaymentCard, clock: Clock) -> None:
    push_submitted(card, amount="1.00")
    push(card, amount="2.00")
    clock.advance(days=1)
    assert claim_due_inquiries(limit=10) == []


def test_lets_one_asker_ask_at_a_time(card: PaymentCard, clock: Clock) -> None:
    push_unknown(card)
    clock.advance(seconds=40)
    assert len(claim_due_inquiries(limit=10)) == 1
    assert claim_due_inquiries(limit=10) == []
    clock.advance(seconds=90)
    assert len(claim_due_inquiries(limit=10)) == 1


def test_asks_about_no_more_than_it_is_told(card: PaymentCard, clock: Clock) -> None:
    for dollars in range(1, 5):
        push_unknown(card, amount=str(dollars))
    clock.advance(minutes=5)
    assert len(claim_due_inquiries(limit=3)) == 3
    assert len(claim_due_inquiries(limit=3)) == 1


# What was found


@pytest.mark.parametrize(
    ("finding", "status"), [(APPROVED, Status.COMPLETED), (declined("05"), Status.FAILED)]
)
def test_a_definite_finding_settles_the_payment(
    finding: Finding, status: Status, card: PaymentCard
) -> None:
    payment = push_unknown(card)
    assert record_finding(payment.pk, finding) is status
    assert held(card.partner) == Decimal(0)
    assert_books_are_right()


@pytest.mark.parametrize("finding", [NotFound(), UNREACHABLE])
def test_anything_else_leaves_it_unknown_and_its_money_held(
    finding: Finding, card: PaymentCard
) -> None:
    payment = push_unknown(card, amount="40.00")
    assert record_finding(payment.pk, finding) is Status.UNKNOWN
    assert held(card.partner) == Decimal("40.00")
    assert history(payment) == ["created", "sent", "unknown", "inquired"]
    assert_books_are_right()


def test_asks_ever_more_rarely_and_never_stops(card: PaymentCard, clock: Clock) -> None:
    payment, pauses = push_unknown(card), []
    for _ in range(7):
        pauses.append(_due_in(payment, clock))
        clock.advance(seconds=pauses[-1].total_seconds())
        record_finding(payment.pk, UNREACHABLE)
    assert pauses == [
        timedelta(seconds=40),
        timedelta(seconds=80),
        timedelta(minutes=8),
        timedelta(minutes=50),
        timedelta(hours=5),
        timedelta(days=1),
        timedelta(days=1),
    ]


def test_writes_down_what_each_inquiry_found(card: PaymentCard) -> None:
    payment = push_unknown(card)
    record_finding(payment.pk, NotFound())
    record_finding(payment.pk, UNREACHABLE)
    found = Event.objects.filter(payment=payment, kind="inquired").order_by("number")
    assert [event.details for event in found] == [{"found": "not_found"}, {"found": "unreachable"}]
    attempt = Attempt.objects.get()
    assert (attempt.times_inquired, attempt.times_not_found) == (2, 1)


@pytest.mark.parametrize("finding", [NotFound(), UNREACHABLE])
def test_a_finding_about_a_settled_payment_changes_nothing(
    finding: Finding, card: PaymentCard
) -> None:
    payment = push_unknown(card)
    record_outcome(payment.pk, APPROVED)
    assert record_finding(payment.pk, finding) is Status.COMPLETED
    assert history(payment) == ["created", "sent", "unknown", "completed"]


def test_learns_the_handle_to_ask_with_from_an_inquiry(card: PaymentCard) -> None:
    payment = push_unknown(card)
    record_finding(payment.pk, Unknown(UnknownReason.IN_PROGRESS, "000000000000042"))
    record_finding(payment.pk, UNREACHABLE)
    assert Attempt.objects.get().status_identifier == "000000000000042"


# Lost senders


def test_a_silent_sender_makes_its_payment_unknown(card: PaymentCard, clock: Clock) -> None:
    payment = push_submitted(card)
    clock.advance(seconds=89)
    assert give_up_lost_senders(limit=10) == 0
    clock.advance(seconds=1)
    assert give_up_lost_senders(limit=10) == 1
    assert status_of(payment) is Status.UNKNOWN
    assert Attempt.objects.get().unknown_reason == "sender_lost"
    assert held(card.partner) == Decimal("100.00")
    assert_books_are_right()


def test_a_sender_that_was_only_slow_is_heard(card: PaymentCard, clock: Clock) -> None:
    payment = push_submitted(card)
    clock.advance(minutes=5)
    give_up_lost_senders(limit=10)
    assert record_outcome(payment.pk, APPROVED, send_number=1) is Status.COMPLETED


def test_gives_up_no_more_senders_than_it_is_told(card: PaymentCard, clock: Clock) -> None:
    for dollars in range(1, 4):
        push_submitted(card, amount=str(dollars))
    clock.advance(minutes=5)
    assert give_up_lost_senders(limit=2) == 2
    assert give_up_lost_senders(limit=2) == 1
    assert give_up_lost_senders(limit=2) == 0


# Sending again


def _not_found_for_long(payment: Payment, clock: Clock) -> None:
    record_finding(payment.pk, NotFound())
    clock.advance(minutes=10)
    record_finding(payment.pk, NotFound())


def test_sends_again_what_the_network_does_not_have(card: PaymentCard, clock: Clock) -> None:
    payment = push(card)
    first = claim(payment)
    record_outcome(payment.pk, TIMEOUT)
    _not_found_for_long(payment, clock)
    again = claim_resend(payment.pk)
    assert again is not None
    assert again.push == first.push
    assert (again.network, again.send_number) == ("sandbox", 2)
    assert status_of(payment) is Status.SUBMITTED
    assert Attempt.objects.get().times_sent == 2
    assert history(payment)[-2:] == ["inquired", "sent"]
    assert _due_in(payment, clock) == timedelta(seconds=90)
    assert_books_are_right()


def test_sends_again_what_was_sent_whatever_was_edited_since(clock: Clock) -> None:
    card = make_payee(cardholder_name="", expires=date(2031, 7, 31))
    payment = push(card)
    first = claim(payment)
    record_outcome(payment.pk, TIMEOUT)
    edit_card(card, cardholder_name="Somebody Else", expiration_year=2033)
    update_consumer(card.consumer, first_name="Somebody", last_name="New")
    _not_found_for_long(payment, clock)
    again = claim_resend(payment.pk)
    assert again is not None
    assert again.push == first.push


def test_sends_what_stands_there_now_while_nothing_has_left(clock: Clock) -> None:
    card = make_payee(cardholder_name="Ada Example")
    payment = push(card)
    first = claim(payment)
    record_outcome(payment.pk, REFUSED_CONNECTION, send_number=1)
    edit_card(card, cardholder_name="Ada L Example")
    clock.advance(seconds=6)
    again = claim(payment)
    assert again.push.recipient_name == "Ada L Example"
    assert again.push.identity == first.push.identity


def test_what_may_have_left_is_not_rewritten() -> None:
    push_unknown(make_payee())
    for change in ("recipient_name = 'Eve'", "expiration_year = 2099"):
        assert refusal(f"UPDATE payouts_attempt SET {change}") == "PY005"


def test_hands_out_a_resend_once(card: PaymentCard, clock: Clock) -> None:
    payment = push_unknown(card)
    _not_found_for_long(payment, clock)
    assert claim_resend(payment.pk) is not None
    assert claim_resend(payment.pk) is None
    assert Attempt.objects.get().times_sent == 2


def test_not_found_once_is_not_enough(card: PaymentCard, clock: Clock) -> None:
    payment = push_unknown(card)
    record_finding(payment.pk, NotFound())
    clock.advance(days=3)
    record_finding(payment.pk, UNREACHABLE)
    assert claim_resend(payment.pk) is None
    assert status_of(payment) is Status.UNKNOWN


def test_not_found_twice_within_the_visibility_delay_is_not_enough(
    card: PaymentCard, clock: Clock
) -> None:
    payment = push_unknown(card)
    record_finding(payment.pk, NotFound())
    clock.advance(minutes=8, seconds=59)
    record_finding(payment.pk, NotFound())
    assert claim_resend(payment.pk) is None
    clock.advance(seconds=1)
    record_finding(payment.pk, NotFound())
    assert claim_resend(payment.pk) is not None


def test_what_was_not_found_before_the_last_send_does_not_count(
    card: PaymentCard, clock: Clock
) -> None:
    payment = push_unknown(card)
    _not_found_for_long(payment, clock)
    claim_resend(payment.pk)
    record_outcome(payment.pk, TIMEOUT, send_number=2)
    record_finding(payment.pk, NotFound())
    assert claim_resend(payment.pk) is None
    clock.advance(minutes=10)
    record_finding(payment.pk, NotFound())
    again = claim_resend(payment.pk)
    assert again is not None
    assert again.send_number == 3


def test_inquiries_begin_anew_after_a_resend(card: PaymentCard, clock: Clock) -> None:
    payment = push_unknown(card)
    _not_found_for_long(payment, clock)
    claim_resend(payment.pk)
    record_outcome(payment.pk, TIMEOUT, send_number=2)
    assert _due_in(payment, clock) == timedelta(seconds=40)
    record_finding(payment.pk, UNREACHABLE)
    assert _due_in(payment, clock) == timedelta(seconds=80)


def test_a_resend_that_never_left_stays_unknown(card: PaymentCard, clock: Clock) -> None:
    payment = push_unknown(card)
    _not_found_for_long(payment, clock)
    claim_resend(payment.pk)
    after = record_outcome(payment.pk, REFUSED_CONNECTION, send_number=2)
    assert after is Status.UNKNOWN
    assert held(card.partner) == Decimal("100.00")
    assert _due_in(payment, clock) == timedelta(seconds=40)


def test_what_the_network_admitted_to_have_is_not_sent_again(
    card: PaymentCard, clock: Clock
) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, Unknown(UnknownReason.IN_PROGRESS, "000000000000042"))
    _not_found_for_long(payment, clock)
    assert claim_resend(payment.pk) is None
    assert status_of(payment) is Status.UNKNOWN


@pytest.mark.parametrize("change", [{"status": "inactive"}, {"expiration_year": 2020}])
def test_an_unclear_payment_to_a_closed_card_is_neither_resent_nor_failed(
    change: dict[str, object], card: PaymentCard, clock: Clock
) -> None:
    payment = push_unknown(card)
    PaymentCard.objects.filter(pk=card.pk).update(**change)
    _not_found_for_long(payment, clock)
    assert claim_resend(payment.pk) is None
    assert status_of(payment) is Status.UNKNOWN
    assert held(card.partner) == Decimal("100.00")


@pytest.mark.parametrize("outcome", [APPROVED, declined("05")])
def test_a_settled_payment_is_not_sent_again(
    outcome: Finding, card: PaymentCard, clock: Clock
) -> None:
    payment = push_unknown(card)
    _not_found_for_long(payment, clock)
    record_finding(payment.pk, outcome)
    assert claim_resend(payment.pk) is None
    assert Attempt.objects.get().times_sent == 1
