"""Everything at once on the same cards and the same partner, for seconds; then the books."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from consumers.ids import new_id
from consumers.models import Consumer, PaymentCard
from payouts.models import FeeSchedule, Limit, Payment
from payouts.networks.base import Finding, NotFound, Outcome
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.decide import NotWaitingForApproval
from payouts.operations.inquire import claim_due_inquiries, give_up_lost_senders, record_finding
from payouts.operations.record_outcome import record_outcome
from payouts.operations.request_payment import PaymentRefused, RequestInProgress
from payouts.operations.send_payments import claim_due_payments, claim_resend
from payouts.states import OPEN, Status
from tests.books import (
    assert_books_are_right,
    assert_the_checks_agree,
    available,
    execute,
    held,
    select,
)
from tests.decisions import approve_payment, reject_payment
from tests.pushes import (
    APPROVED,
    CLIENT,
    REFUSED_CONNECTION,
    TIMEOUT,
    ask,
    declined,
    digest_of,
    make_funded_partner,
    make_payee,
    make_rule,
    make_staff,
    push_request,
)
from tests.racing import race_mixed, returned

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 4.0
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
FINDINGS: tuple[Finding, ...] = (APPROVED, NotFound(), NotFound())
OUTCOMES: tuple[Outcome, ...] = (
    *[APPROVED] * 5,
    *[declined("05")] * 3,
    *[TIMEOUT] * 2,
    *[REFUSED_CONNECTION] * 2,
)


@dataclass
class Storm:
    """Who does what at random, until the time is over. Counts what was done."""

    cards: list[PaymentCard]
    people: list[User]
    until: float
    done: Counter[str] = field(default_factory=Counter)

    def repeat(self, act: Callable[[random.Random], str], *, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        while time.monotonic() < self.until:
            self.done[act(chance)] += 1

    def create(self, chance: random.Random) -> str:
        request = push_request(
            chance.choice(self.cards),
            amount=f"{chance.choice([1, 2, 5, 20, 60])}.{chance.randrange(100):02d}",
            key=new_id().hex if chance.random() < 0.8 else None,
        )
        try:
            ask(request)
        except PaymentRefused:
            return "refused"
        except RequestInProgress:
            return "too busy"
        return "created"

    def send(self, chance: random.Random) -> str:
        for one in claim_due_payments(limit=chance.randint(1, 8)):
            outcome = chance.choice(OUTCOMES)
            record_outcome(one.payment_id, outcome, send_number=one.send_number)
            if chance.random() < 0.2:
                record_outcome(one.payment_id, outcome, send_number=one.send_number)
        return "sent"

    def cancel(self, chance: random.Random) -> str:
        payment = _any_payment(chance, Status.PENDING, Status.PENDING_APPROVAL)
        if payment is None:
            return "nothing to cancel"
        try:
            cancel_payment(payment, actor=CLIENT)
        except NotCancelable:
            return "not canceled"
        return "canceled"

    def decide(self, chance: random.Random) -> str:
        payment = _any_payment(chance, Status.PENDING_APPROVAL)
        if payment is None:
            return "nothing to decide"
        decision = chance.choice([approve_payment, reject_payment])
        try:
            decision(payment.pk, by=chance.choice(self.people), digest=digest_of(payment))
        except NotWaitingForApproval:
            return "not decided"
        return "decided"

    def sweep(self, chance: random.Random) -> str:
        # The pauses are minutes; here nobody waits.
        execute(
            """UPDATE payouts_payment SET due_at = now() WHERE id IN (
                   SELECT id FROM payouts_payment
                   WHERE status IN ('unknown', 'submitted', 'pending') AND due_at > now()
                   LIMIT 3 FOR NO KEY UPDATE SKIP LOCKED)"""
        )
        give_up_lost_senders(limit=3)
        for inquiry in claim_due_inquiries(limit=5):
            record_finding(inquiry.payment_id, chance.choice(FINDINGS))
            again = claim_resend(inquiry.payment_id)
            if again is not None:
                record_outcome(again.payment_id, APPROVED, send_number=again.send_number)
        return "swept"

    def close_and_open(self, chance: random.Random) -> str:
        consumer = Consumer.objects.filter(pk=chance.choice(self.cards).consumer_id)
        consumer.update(is_active=False)
        time.sleep(0.05)
        consumer.update(is_active=True)
        return "closed and opened"


def test_the_books_are_right_after_a_storm(settings: Settings) -> None:
    settings.NETWORK_VISIBILITY_SECONDS = 0
    partner = make_funded_partner(dollars="600.00")
    FeeSchedule.objects.create(partner=partner, fixed=Decimal("0.10"), basis_points=100)
    Limit.objects.create(partner=partner, scope="partner_day", max_amount=Decimal("900.00"))
    Limit.objects.create(partner=partner, scope="card_day", max_amount=Decimal("400.00"))
    make_rule(amount_at_least=Decimal("50.00"))
    people = [make_staff(name, "approver") for name in ("carla", "dora")]
    cards = [make_payee(partner=partner) for _ in range(5)]
    deadlocks = select(DEADLOCKS)
    storm = Storm(cards, people, until=time.monotonic() + SECONDS)
    acts = [
        *[storm.create] * 6,
        *[storm.send] * 3,
        *[storm.cancel] * 2,
        storm.decide,
        storm.sweep,
        storm.sweep,
        storm.close_and_open,
    ]
    returned(race_mixed(*(partial(storm.repeat, act, seed=seed) for seed, act in enumerate(acts))))
    assert_books_are_right()
    select("SELECT pg_stat_force_next_flush()")
    assert select(DEADLOCKS) == deadlocks
    assert {"created", "refused", "sent", "canceled", "decided"} <= set(storm.done)
    statuses = set(Payment.objects.values_list("status", flat=True))
    assert {Status.COMPLETED, Status.FAILED, Status.CANCELED} <= statuses
    assert available(partner) >= 0
    _settle_the_rest()
    assert held(partner) == 0
    assert_books_are_right()
    assert_the_checks_agree()


def _settle_the_rest() -> None:
    """Let everything that is open come to an end."""
    execute("UPDATE payouts_payment SET due_at = now() WHERE status = 'pending'")
    for payment in Payment.objects.filter(status="pending_approval"):
        cancel_payment(payment, actor=CLIENT)
    while instructions := claim_due_payments(limit=100):
        for one in instructions:
            record_outcome(one.payment_id, APPROVED, send_number=one.send_number)
    for payment_id in Payment.objects.filter(status__in=OPEN).values_list("pk", flat=True):
        record_outcome(payment_id, APPROVED)


def _any_payment(chance: random.Random, *statuses: Status) -> Payment | None:
    found = list(Payment.objects.filter(status__in=statuses)[:20])
    return chance.choice(found) if found else None
