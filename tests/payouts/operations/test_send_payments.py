from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError
from pytest_django import Settings

from consumers.models import PaymentCard
from consumers.operations.cards import edit_card
from consumers.operations.consumers import update_consumer
from payouts.actors import COMMAND_LINE
from payouts.models import Attempt, Event, Payment
from payouts.operations import send_payments
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.record_outcome import record_outcome
from payouts.operations.report_missing_keys import report_missing_card_keys
from payouts.operations.send_payments import Instruction, claim_due_payments
from payouts.states import Status
from tests.books import assert_books_are_right, available, execute, held, used
from tests.builders import VISA_NUMBER
from tests.decisions import approve_payment
from tests.owner import triggers_asleep
from tests.payouts.operations.conftest import Clock
from tests.pushes import (
    REFUSED_CONNECTION,
    claim,
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

pytestmark = pytest.mark.django_db


def approved_but_not_sent(card: PaymentCard, clock: Clock) -> Payment:
    """Two eyes more have seen it, and the network could not be reached."""
    payment = push_for_approval(card)
    approver = make_staff("dora", "approver")
    approve_payment(payment.pk, by=approver, digest=digest_of(payment))
    record_outcome(claim(payment).payment_id, REFUSED_CONNECTION, send_number=1)
    clock.advance(minutes=1)
    return payment


@pytest.mark.parametrize("what", ["consumer", "card"])
def test_does_not_send_to_a_name_that_nobody_has_approved(clock: Clock, what: str) -> None:
    card = make_payee()
    payment = approved_but_not_sent(card, clock)
    if what == "card":
        edit_card(card, cardholder_name="Somebody Else")
    else:
        update_consumer(card.consumer, last_name="Else")
    assert claim_due_payments(limit=10) == []
    assert fresh(payment).failure_code == "payee_renamed"
    assert held(payment.partner) == 0
    assert_books_are_right()


def test_sends_what_was_approved_when_the_name_is_as_it_was(clock: Clock) -> None:
    card = make_payee(cardholder_name="Ada Example")
    edit_card(card, cardholder_name="Ada L Example")
    payment = approved_but_not_sent(card, clock)
    edit_card(card, cardholder_name="Somebody Else")
    edit_card(card, cardholder_name="Ada L Example", nickname="wages")
    update_consumer(card.consumer, pcid="another")
    assert claim(payment).push.recipient_name == "Ada L Example"


def test_a_fingerprint_that_was_made_anew_is_no_renaming(clock: Clock) -> None:
    card = make_payee()
    payment = approved_but_not_sent(card, clock)
    _change_card(card, fingerprint=b"under another key".ljust(32))
    assert claim(payment).push.recipient_name == card.cardholder_name


def _ids(instructions: Sequence[Instruction]) -> list[object]:
    return [instruction.payment_id for instruction in instructions]


def test_hands_out_what_the_network_needs() -> None:
    card = make_payee(cardholder_name="Ada L Example", expires=date(2031, 7, 31))
    payment = push(card, amount="12.34", description="Wages")
    instruction = claim(payment)
    assert instruction.network == "sandbox"
    assert instruction.push.number == VISA_NUMBER
    assert (instruction.push.expiration_month, instruction.push.expiration_year) == (7, 2031)
    assert (instruction.push.amount, instruction.push.currency) == (Decimal("12.34"), "USD")
    assert (instruction.push.recipient_name, instruction.push.description) == (
        "Ada L Example",
        "Wages",
    )


def test_names_the_consumer_where_the_card_has_no_name() -> None:
    card = make_payee(cardholder_name="")
    assert claim(push(card)).push.recipient_name == card.consumer.full_name


def test_shows_the_card_number_to_nobody_else() -> None:
    assert VISA_NUMBER not in repr(claim(push(make_payee())))


def test_commits_the_attempt_that_it_hands_out() -> None:
    payment = push(make_payee())
    instruction = claim(payment)
    attempt, identity = Attempt.objects.get(), instruction.push.identity
    assert attempt.payment_id == payment.pk
    assert (attempt.network, attempt.state) == ("sandbox", "sending")
    assert (attempt.times_sent, instruction.send_number) == (1, 1)
    assert attempt.acquiring_bin == identity.acquiring_bin
    assert attempt.trace_number == identity.systems_trace_audit_number
    assert attempt.retrieval_reference_number == identity.retrieval_reference_number
    assert attempt.card_acceptor_id == identity.card_acceptor_id
    assert attempt.terminal_id == identity.terminal_id


def test_gives_each_payment_an_identity_of_its_own() -> None:
    card = make_payee()
    for dollars in range(1, 6):
        push(card, amount=str(dollars))
    identities = {one.push.identity for one in claim_due_payments(limit=10)}
    assert len(identities) == 5


def test_moves_the_payment_to_submitted() -> None:
    payment = push_submitted(make_payee())
    assert payment.status == Status.SUBMITTED
    assert history(payment) == ["created", "sent"]
    assert Event.objects.get(payment=payment, number=2).actor == "worker"
    assert_books_are_right()


def test_says_when_a_silent_sender_counts_as_lost(clock: Clock, settings: Settings) -> None:
    settings.SENDER_LOST_SECONDS = 77
    payment = push_submitted(make_payee())
    assert payment.due_at == clock.at + timedelta(seconds=77)


def test_leaves_the_money_held() -> None:
    card = make_payee()
    push_submitted(card, amount="40.00")
    assert held(card.partner) == Decimal("40.00")


def test_takes_the_oldest_first_and_no_more_than_asked(clock: Clock) -> None:
    card, payments = make_payee(), []
    for dollars in range(1, 5):
        payments.append(push(card, amount=str(dollars)).pk)
        clock.advance(seconds=1)
    assert _ids(claim_due_payments(limit=3)) == payments[:3]
    assert _ids(claim_due_payments(limit=3)) == payments[3:]
    assert claim_due_payments(limit=3) == []


def test_leaves_alone_what_is_not_due() -> None:
    payment = push(make_payee())
    execute("UPDATE payouts_payment SET due_at = now() + interval '1 minute'")
    assert claim_due_payments(limit=10) == []
    execute("UPDATE payouts_payment SET due_at = NULL")
    assert claim_due_payments(limit=10) == []
    assert not Attempt.objects.filter(payment=payment).exists()


def test_leaves_alone_what_waits_for_people() -> None:
    payment = push_for_approval(make_payee())
    execute("UPDATE payouts_payment SET due_at = now()")
    assert claim_due_payments(limit=10) == []
    assert status_of(payment) is Status.PENDING_APPROVAL


def test_leaves_alone_what_is_with_a_sender_or_unclear() -> None:
    card = make_payee()
    push_unknown(card, amount="1.00")
    push_submitted(card, amount="2.00")
    execute("UPDATE payouts_payment SET due_at = now() - interval '1 day'")
    assert claim_due_payments(limit=10) == []


def test_leaves_alone_what_was_canceled() -> None:
    payment = push(make_payee())
    cancel_payment(payment, actor=COMMAND_LINE)
    assert claim_due_payments(limit=10) == []


def _close_consumer(card: PaymentCard) -> None:
    card.consumer.is_active = False
    card.consumer.save(update_fields=["is_active"])


def _change_card(card: PaymentCard, **fields: object) -> None:
    PaymentCard.objects.filter(pk=card.pk).update(**fields)


OBSTACLES: dict[str, Callable[[PaymentCard], None]] = {
    "consumer_inactive": _close_consumer,
    "card_inactive": lambda card: _change_card(card, status="inactive"),
    "card_expired": lambda card: _change_card(card, expiration_year=2020),
    "card_unreadable": lambda card: _change_card(card, ciphertext=b"not what was sealed"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_fails_what_must_not_be_sent_any_more(obstacle: str) -> None:
    card = make_payee()
    payment = push(card)
    OBSTACLES[obstacle](card)
    assert claim_due_payments(limit=10) == []
    assert (fresh(payment).status, fresh(payment).failure_code) == (Status.FAILED, obstacle)
    assert history(payment) == ["created", "failed"]
    assert not Attempt.objects.exists()


def test_fails_what_goes_to_a_network_that_takes_no_pushes_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payment = push(make_payee())
    monkeypatch.setattr(send_payments, "PUSHABLE_CARD_NETWORKS", frozenset({"mastercard"}))
    assert claim_due_payments(limit=10) == []
    assert fresh(payment).failure_code == "card_not_eligible"
    assert history(payment) == ["created", "failed"]
    assert not Attempt.objects.exists()


def test_leaves_what_it_has_no_key_for_to_a_sender_that_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strange, known = make_payee(), make_payee()
    waiting, payment = push(strange), push(known)
    _change_card(strange, kek_id="next-year")
    # A full claim of those must not keep the others back.
    assert _ids(claim_due_payments(limit=1)) == [payment.pk]
    assert history(waiting) == ["created"]
    assert report_missing_card_keys() == ["next-year"]
    assert "lacks the key 'next-year': 1 payments wait for it" in caplog.text
    _change_card(strange, kek_id=known.kek_id)
    assert _ids(claim_due_payments(limit=1)) == [waiting.pk]
    assert report_missing_card_keys() == []


def test_does_not_send_again_what_it_has_no_key_for(caplog: pytest.LogCaptureFixture) -> None:
    payment = push_unknown(make_payee())
    _change_card(payment.card, kek_id="next-year")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(send_payments, "_is_missing", lambda _: True)
        assert send_payments.claim_resend(payment.pk) is None
    assert status_of(payment) is Status.UNKNOWN
    assert "card_key_missing" in caplog.text


def test_gives_the_money_and_the_day_back_for_what_it_fails() -> None:
    card = make_payee()
    payment = push(card)
    _close_consumer(card)
    claim_due_payments(limit=10)
    assert available(card.partner) == Decimal("10000.00")
    assert used(card.pk, on=payment.created_at.date()) == (Decimal(0), Decimal(0))
    assert_books_are_right()


def test_one_that_must_not_be_sent_does_not_stop_the_others() -> None:
    good, bad = make_payee(), make_payee()
    payments = [push(good, amount="1.00"), push(bad), push(good, amount="2.00")]
    _close_consumer(bad)
    assert set(_ids(claim_due_payments(limit=10))) == {payments[0].pk, payments[2].pk}
    assert status_of(payments[1]) is Status.FAILED


def test_trouble_with_one_that_must_not_be_sent_loses_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("deadlock detected")

    good, bad = make_payee(), make_payee()
    payments = [push(good), push(bad)]
    _close_consumer(bad)
    with monkeypatch.context() as broken:
        broken.setattr(send_payments, "fail_unsent_payment", fail)
        assert _ids(claim_due_payments(limit=10)) == [payments[0].pk]
    assert status_of(payments[1]) is Status.PENDING
    assert claim_due_payments(limit=10) == []
    assert status_of(payments[1]) is Status.FAILED


def test_sends_again_under_the_same_identity(clock: Clock) -> None:
    payment = push(make_payee())
    first = claim(payment)
    record_outcome(payment.pk, REFUSED_CONNECTION, send_number=first.send_number)
    clock.advance(days=1)
    second = claim(payment)
    assert second.push.identity == first.push.identity
    assert second.send_number == 2
    assert Attempt.objects.get().times_sent == 2


def test_an_attempt_stays_with_its_network(clock: Clock) -> None:
    payment = push(make_payee())
    record_outcome(payment.pk, REFUSED_CONNECTION, send_number=claim(payment).send_number)
    with triggers_asleep():
        execute("UPDATE payouts_attempt SET network = 'first_network'")
    clock.advance(days=1)
    assert claim(payment).network == "first_network"


def test_what_is_stopped_after_it_was_not_sent_keeps_its_attempt(clock: Clock) -> None:
    card = make_payee()
    payment = push(card)
    record_outcome(payment.pk, REFUSED_CONNECTION, send_number=claim(payment).send_number)
    _close_consumer(card)
    clock.advance(days=1)
    assert claim_due_payments(limit=10) == []
    assert status_of(payment) is Status.FAILED
    assert Attempt.objects.get().times_sent == 1
    assert_books_are_right()
