"""Seeded payments obey every rule of the house, and live on in the product like any other."""

from collections import Counter
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from itertools import count
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from consumers.ids import first_id_at
from consumers.models import Consumer, Partner, PaymentCard
from consumers.queries import consumer_count
from consumers.vault import SealedCard, fingerprint, key_ring_from_settings, unseal
from payouts.checks import check_ledger
from payouts.fees import FeeSchedule, fee_for
from payouts.invariants import SEEDED_CARD_ACCEPTOR
from payouts.management.commands import seed_payments
from payouts.models import Attempt, Decision, IdempotencyKey, Journal, Payment
from payouts.operations.decide import subject_digest
from payouts.operations.record_outcome import record_outcome
from payouts.operations.send_payments import claim_due_payments
from payouts.queries import partner_balance
from payouts.seeding import run as seeding
from payouts.states import OPEN, Status
from tests.books import assert_books_are_right, select
from tests.decisions import approve_payment, reject_payment
from tests.owner import owning
from tests.payouts.commands import running
from tests.payouts.commands.running import refusal
from tests.payouts.rollups.books import broken, kept, link_and_follow
from tests.pushes import (
    APPROVED,
    claim,
    digest_of,
    make_payee,
    make_staff,
    push,
    status_of,
)

pytestmark = pytest.mark.django_db

# With this many every story is told.
ENOUGH = "3000"


@pytest.fixture(autouse=True)
def _same_draws_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn follows from the run's name alone."""
    runs = count(1)
    monkeypatch.setattr("secrets.token_hex", lambda _bytes: f"test{next(runs):04d}")


def run(command: str, *words: str, **options: Any) -> str:
    """The command as it is, with the owner at hand inside of a test's own transaction."""
    with owning():
        return running.run(command, *words, **options)


def assert_everything_holds() -> None:
    assert [finding for finding in check_ledger() if not finding.holds] == []
    assert_books_are_right()


def statuses() -> Counter[str]:
    return Counter(Payment.objects.values_list("status", flat=True))


def test_every_invariant_holds() -> None:
    run("seed_payments", ENOUGH)
    assert Payment.objects.count() == int(ENOUGH)
    assert_everything_holds()


@pytest.mark.parametrize(("payments", "days"), [(1, 1), (7, 30), (100, 1), (40, 400)])
def test_makes_exactly_as_many_as_asked(payments: int, days: int) -> None:
    assert f"Added {payments} payments." in run("seed_payments", str(payments), days=days)
    assert Payment.objects.count() == payments
    assert_everything_holds()


def test_most_are_completed_and_some_are_everything_else() -> None:
    run("seed_payments", ENOUGH)
    seen = statuses()
    assert 0.91 < seen["completed"] / int(ENOUGH) < 0.97
    assert 0.02 < seen["failed"] / int(ENOUGH) < 0.06
    assert {"returned", "canceled", "rejected", "expired"} < set(seen)


def test_leaves_the_worker_nothing_to_do() -> None:
    run("seed_payments", ENOUGH, days=5)
    still_open = Payment.objects.filter(status__in=[status.value for status in OPEN])
    assert {payment.status for payment in still_open} == {"pending_approval"}
    assert not Payment.objects.filter(due_at__lte=timezone.now()).exists()
    assert claim_due_payments(limit=10) == []


def test_adds_to_what_is_there() -> None:
    partner_id = make_payee().partner_id
    for _ in range(2):
        run("seed_payments", "400", days=3)
    assert Payment.objects.count() == 800
    assert Partner.objects.exclude(pk=partner_id).count() == 3
    assert_everything_holds()


def test_gives_the_first_partner_the_most() -> None:
    run("seed_payments", "1000", partners=4, days=3)
    seen = Counter(Payment.objects.values_list("partner__name", flat=True))
    assert set(seen) == {f"Seeded partner {number}" for number in (1, 2, 3, 4)}
    assert seen.most_common(1)[0][0] == "Seeded partner 1"


def test_spreads_over_the_last_days_and_never_into_the_future() -> None:
    before = timezone.now()
    run("seed_payments", ENOUGH, days=10)
    made = sorted(Payment.objects.values_list("created_at", flat=True))
    assert made[0] >= before - timedelta(days=10)
    assert len({at.date() for at in made}) == 11
    assert timezone.now() >= made[-1] > before - timedelta(hours=1)
    ((latest,),) = select("SELECT max(created_at) FROM payouts_event")
    assert latest <= timezone.now()


def test_the_key_of_a_row_says_when_it_was_made() -> None:
    run("seed_payments", "300", days=3)
    for model in (Payment, Consumer, PaymentCard):
        for row in model.objects.all()[:100]:
            next_at = row.created_at + timedelta(milliseconds=1)
            assert first_id_at(row.created_at) <= row.pk < first_id_at(next_at)


def test_people_are_known_before_they_are_paid() -> None:
    run("seed_payments", "300", days=3)
    assert not select(
        """SELECT p.id FROM payouts_payment p JOIN consumers_paymentcard card ON card.id = p.card_id
           JOIN consumers_consumer consumer ON consumer.id = p.consumer_id
           WHERE card.created_at > p.created_at OR consumer.created_at > card.created_at"""
    )


def test_there_is_a_consumer_for_twenty_payments() -> None:
    run("seed_payments", "2000", days=2)
    assert Consumer.objects.count() == 100
    assert 100 < PaymentCard.objects.count() < 200


def test_the_consumers_are_counted() -> None:
    run("seed_payments", ENOUGH)
    for partner in Partner.objects.all():
        assert consumer_count(partner.pk) == Consumer.objects.filter(partner=partner).count()


def test_the_rollups_follow_it() -> None:
    run("seed_payments", ENOUGH)
    link_and_follow()
    assert kept() == statuses()
    assert broken() == []


def test_the_card_numbers_open_and_are_found_by_their_fingerprints() -> None:
    run("seed_payments", "500", days=3)
    ring = key_ring_from_settings()
    for card in PaymentCard.objects.all():
        sealed = SealedCard(card.kek_id, bytes(card.wrapped_key), bytes(card.ciphertext))
        number = unseal(sealed, card_id=card.pk, partner_id=card.partner_id, ring=ring)
        assert (number.bin, number.last4, number.network) == (card.bin, card.last4, card.network)
        known_by = fingerprint(number, partner_id=card.partner_id, ring=ring)
        assert bytes(card.fingerprint) == known_by.digest


def test_the_fee_is_that_of_the_schedule() -> None:
    run("seed_payments", "300", partners=1, days=3)
    row = Partner.objects.get(name="Seeded partner 1").fee_schedules.get()
    schedule = FeeSchedule(row.fixed, row.basis_points, row.minimum, row.maximum)
    for payment in Payment.objects.all():
        assert payment.fee_amount == fee_for(payment.amount, schedule=schedule)


def test_a_free_partner_pays_no_fee() -> None:
    run("seed_payments", "5", partners=1)
    Partner.objects.get(name="Seeded partner 1").fee_schedules.create(fixed=Decimal(0))
    run("seed_payments", "300", partners=1, days=3)
    assert Payment.objects.filter(fee_amount=0).count() == 300
    assert_everything_holds()


def test_some_have_an_idempotency_key() -> None:
    run("seed_payments", "1000", days=3)
    assert 100 < IdempotencyKey.objects.filter(status_code=201).count() < 300


def test_network_identities_meet_neither_each_other_nor_those_of_the_product() -> None:
    card = make_payee()
    claim(push(card))
    run("seed_payments", "500", days=3)
    instruction = claim(push(card))
    assert record_outcome(instruction.payment_id, APPROVED, send_number=1) is Status.COMPLETED
    traces = Attempt.objects.values_list("trace_number", flat=True)
    assert len(set(traces)) == len(traces)


def test_seeded_attempts_are_told_apart_from_real_ones() -> None:
    run("seed_payments", "100")
    acceptors = Attempt.objects.values_list("card_acceptor_id", flat=True)
    assert set(acceptors) == {SEEDED_CARD_ACCEPTOR}


def test_a_waiting_payment_can_be_decided() -> None:
    run("seed_payments", ENOUGH, days=5)
    checker = make_staff("checker", "approver")
    approved, rejected = Payment.objects.filter(status="pending_approval")[:2]
    approve_payment(approved.pk, by=checker, digest=digest_of(approved))
    reject_payment(rejected.pk, by=checker, digest=digest_of(rejected))
    assert status_of(approved) is Status.PENDING
    assert status_of(rejected) is Status.REJECTED
    assert_everything_holds()


def test_decisions_are_bound_to_what_was_decided_about() -> None:
    run("seed_payments", ENOUGH)
    decisions = Decision.objects.select_related("payment__consumer", "payment__card")
    assert decisions
    for decision in decisions:
        assert bytes(decision.digest) == subject_digest(decision.payment)
    assert not decisions[0].user.is_active


def test_partners_have_money_left_and_can_push_on() -> None:
    run("seed_payments", "300", partners=1, days=3)
    partner = Partner.objects.get(name="Seeded partner 1")
    assert partner_balance(partner.pk).available > 0
    card = PaymentCard.objects.filter(partner=partner).first()
    assert card is not None
    push(card, amount="1.00")
    assert_everything_holds()


def test_the_triggers_are_awake_afterwards() -> None:
    run("seed_payments", "10")
    assert select("SHOW session_replication_role") == [("origin",)]


def test_shows_how_far_it_is() -> None:
    err = StringIO()
    with owning():
        call_command("seed_payments", "50", stdout=StringIO(), stderr=err)
    lines = err.getvalue().splitlines()
    assert lines[-1].startswith("payments  [####")
    assert "100 % 50 of 50" in lines[-1]


def test_what_is_there_is_complete_when_it_is_stopped() -> None:
    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "payments" and done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), owning():
        seeding.seed(600, told=interrupt, days=10)
    assert 300 < Payment.objects.count() < 600
    assert_everything_holds()


def test_a_slice_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("payouts.seeding.write._keep_balances", fail)
    with pytest.raises(ZeroDivisionError):
        run("seed_payments", "50")
    assert not Payment.objects.exists()
    assert not Journal.objects.exists()
    assert select("SHOW session_replication_role") == [("origin",)]
    assert_everything_holds()


def test_refuses_a_role_that_may_not_let_triggers_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed_payments, "as_owner", nullcontext)
    assert "superuser" in refusal("seed_payments", "10")
    assert not Partner.objects.exists()


def test_refuses_production(settings: Any) -> None:
    settings.PRODUCTION = True
    assert "production" in refusal("seed_payments", "10")
    assert not Partner.objects.exists()
    run("seed_payments", "10", "--days=2", "--even-in-production")
    assert Payment.objects.count() == 10


@pytest.mark.parametrize("words", [("0",), ("-3",), ("5", "--days=0"), ("5", "--partners=0")])
def test_refuses_numbers_that_make_no_sense(words: tuple[str, ...]) -> None:
    assert "must be at least 1" in refusal("seed_payments", *words)
    assert not Partner.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_several_processes_write_the_same_as_one() -> None:
    running.run("seed_payments", "2000", "--processes=2", days=4)
    assert Payment.objects.count() == 2000
    assert_everything_holds()
