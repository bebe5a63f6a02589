from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from consumers.models import PaymentCard
from payouts.actors import staff
from payouts.approvals import Source
from payouts.models import (
    ApprovalRequirement,
    Event,
    FeeSchedule,
    Payment,
)
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.books import assert_books_are_right, available, held, journals, used
from tests.builders import make_card, make_consumer, make_partner
from tests.conftest import Bell
from tests.payouts.operations.conftest import Clock
from tests.pushes import (
    CLIENT_ID,
    accepted,
    body_of,
    declined,
    history,
    make_funded_partner,
    make_payee,
    make_rule,
    make_staff,
    push,
    push_request,
    push_submitted,
)

pytestmark = pytest.mark.django_db

NOTHING = Decimal(0)


def test_stores_what_was_asked_for() -> None:
    card = make_payee()
    request = push_request(
        card,
        amount="12.34",
        description="Wages",
        reference="W-17",
        metadata={"week": "47"},
        request_id="req-1",
    )
    payment = Payment.objects.get(pk=accepted(request).payment.id)
    assert payment.partner_id == card.partner_id
    assert (payment.consumer_id, payment.card_id) == (card.consumer_id, card.pk)
    assert payment.amount == Decimal("12.34")
    assert (payment.description, payment.reference) == ("Wages", "W-17")
    assert payment.metadata == {"week": "47"}
    assert payment.status == Status.PENDING
    assert (payment.source, payment.maker_client_id) == (Source.API, CLIENT_ID)
    assert payment.request_id == "req-1"
    assert payment.due_at == payment.created_at


def test_writes_the_first_event() -> None:
    payment = push(make_payee(), request_id="req-1")
    event = Event.objects.get(payment=payment)
    assert (event.number, event.kind) == (1, "created")
    assert (event.from_status, event.to_status) == ("", "pending")
    assert (event.actor, event.request_id) == ("client:Payroll server", "req-1")


def test_names_the_staff_member_who_issued_it() -> None:
    maker = make_staff("mara", "maker")
    payment = push(make_payee(), actor=staff(maker.pk, maker.username), source=Source.BACK_OFFICE)
    assert (payment.maker_user_id, payment.maker_client_id) == (maker.pk, None)
    assert Event.objects.get(payment=payment).actor == "staff:mara"


def test_holds_amount_and_fee() -> None:
    card = make_payee(partner=make_funded_partner(dollars="500.00"))
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("0.25"), basis_points=50)
    payment = push(card, amount="100.00")
    assert payment.fee_amount == Decimal("0.75")
    assert held(card.partner) == Decimal("100.75")
    assert available(card.partner) == Decimal("399.25")
    assert journals(payment) == ["accepted"]
    assert_books_are_right()


def test_uses_the_limits_of_the_day() -> None:
    card = make_payee()
    payment = push(card, amount="30.00")
    push(card, amount="12.50")
    for subject in (card.pk, card.consumer_id, card.partner_id):
        assert used(subject, on=payment.created_at.date()) == (Decimal("42.50"), Decimal(2))


def test_finds_the_consumer_by_the_partners_own_id() -> None:
    card = make_payee()
    request = push_request(card, consumer_ref=card.consumer.pcid)
    assert accepted(request).payment.consumer_id == card.consumer_id


def test_prefers_the_id_when_a_pcid_looks_like_one() -> None:
    card = make_payee()
    make_consumer(partner=card.partner, pcid=str(card.consumer_id))
    assert accepted(push_request(card)).payment.consumer_id == card.consumer_id


def test_answers_what_it_stored() -> None:
    card = make_payee()
    answer = accepted(push_request(card, key="k-1"))
    assert answer.payment.pcid == card.consumer.pcid
    assert (answer.payment.card_network, answer.payment.card_last4) == ("visa", "1111")
    assert answer.payment.status is Status.PENDING
    assert answer.body == body_of(answer.payment)


def test_rings_the_sender_once_it_is_stored(
    bell: Bell, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        push(make_payee())
        assert bell.rings == 0
    assert bell.rings == 1


def test_does_not_ring_for_a_payment_that_waits(
    bell: Bell, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    make_rule()
    with django_capture_on_commit_callbacks(execute=True):
        push(make_payee())
    assert bell.rings == 0


# The fee


def test_fixes_the_fee_when_it_accepts() -> None:
    card = make_payee()
    FeeSchedule.objects.create(partner=card.partner, fixed=Decimal("1.00"))
    payment = push(card)
    FeeSchedule.objects.create(
        partner=card.partner, fixed=Decimal("9.00"), valid_from=timezone.now()
    )
    assert Payment.objects.get(pk=payment.pk).fee_amount == Decimal("1.00")
    assert push(card).fee_amount == Decimal("9.00")


def test_takes_the_latest_schedule_that_has_begun() -> None:
    card, now = make_payee(), timezone.now()
    for fixed, days in (("1.00", -30), ("2.00", -1), ("3.00", 1)):
        FeeSchedule.objects.create(
            partner=card.partner, fixed=Decimal(fixed), valid_from=now + timedelta(days=days)
        )
    assert push(card).fee_amount == Decimal("2.00")


def test_takes_no_fee_of_another_partner() -> None:
    FeeSchedule.objects.create(partner=make_partner(), fixed=Decimal("1.00"))
    assert push(make_payee()).fee_amount == 0


# Possible duplicates


def test_a_second_push_without_a_key_waits_for_a_person() -> None:
    card = make_payee()
    accepted(push_request(card))
    second = accepted(push_request(card)).payment
    assert second.status is Status.PENDING_APPROVAL
    assert second.requirements == [("possible_duplicate", 1, None)]
    assert held(card.partner) == Decimal("200.00")
    assert_books_are_right()


def test_a_push_without_a_key_after_one_with_a_key_waits_too() -> None:
    card = make_payee()
    push(card, key="k-1")
    assert accepted(push_request(card)).payment.status is Status.PENDING_APPROVAL


def test_a_push_with_a_key_is_no_duplicate() -> None:
    card = make_payee()
    push(card)
    assert push(card, key="k-2").status == Status.PENDING


@pytest.mark.parametrize("amount", ["99.99", "100.01"])
def test_another_amount_is_no_duplicate(amount: str) -> None:
    card = make_payee()
    push(card, amount="100.00")
    assert accepted(push_request(card, amount=amount)).payment.status is Status.PENDING


def test_another_card_is_no_duplicate() -> None:
    card = make_payee()
    push(card)
    other = make_card(consumer=card.consumer, number="5555555555554444")
    assert accepted(push_request(other)).payment.status is Status.PENDING


def test_what_was_not_paid_is_no_twin() -> None:
    card = make_payee()
    record_outcome(push_submitted(card).pk, declined("05"))
    assert accepted(push_request(card)).payment.status is Status.PENDING


@pytest.mark.parametrize(
    ("minutes", "status"), [(9.99, Status.PENDING_APPROVAL), (10.01, Status.PENDING)]
)
def test_looks_back_ten_minutes(minutes: float, status: Status, clock: Clock) -> None:
    card = make_payee()
    begin = datetime(2026, 3, 1, 23, 55, tzinfo=UTC)
    clock.set(begin)
    push(card)
    clock.set(begin + timedelta(minutes=minutes))
    assert accepted(push_request(card)).payment.status is status


# Approvals


def test_writes_down_why_it_waits() -> None:
    card = make_payee()
    group = Group.objects.get(name="approver")
    make_rule(name="large", decisions=2, amount_at_least=Decimal("50.00"), group=group)
    make_rule(name="by the API", source="api", partner=card.partner)
    make_rule(name="other partner", partner=make_partner())
    make_rule(name="asleep", is_active=False)
    make_rule(name="batch", source="batch")
    payment = push(card)
    kept = ApprovalRequirement.objects.filter(payment=payment).order_by("id")
    assert list(kept.values_list("name", "decisions", "group")) == [
        ("large", 2, group.pk),
        ("by the API", 1, None),
    ]
    assert history(payment) == ["created", "approval_required"]


def test_waits_as_long_as_the_partner_says() -> None:
    make_rule()
    payment = push(make_payee(partner=make_funded_partner(approval_hours=2)))
    assert payment.approval_expires_at == payment.created_at + timedelta(hours=2)
    assert payment.due_at == payment.approval_expires_at


def test_knows_the_first_push_to_a_card() -> None:
    card = make_payee()
    make_rule(first_push_to_card=True)
    assert push(card).status == Status.PENDING_APPROVAL
    assert push(card).status == Status.PENDING


def test_a_push_that_was_not_paid_leaves_the_next_the_first() -> None:
    card = make_payee()
    record_outcome(push_submitted(card).pk, declined("05"))
    make_rule(first_push_to_card=True)
    assert push(card).status == Status.PENDING_APPROVAL


@pytest.mark.parametrize(("days", "status"), [(1, Status.PENDING_APPROVAL), (3, Status.PENDING)])
def test_knows_a_young_card(days: int, status: Status) -> None:
    card = make_payee()
    PaymentCard.objects.filter(pk=card.pk).update(created_at=timezone.now() - timedelta(days=days))
    make_rule(card_younger_than=timedelta(days=2))
    assert push(card).status == status


def test_a_push_that_waits_holds_its_money() -> None:
    make_rule()
    card = make_payee(partner=make_funded_partner(dollars="150.00"))
    push(card, amount="100.00")
    assert (available(card.partner), held(card.partner)) == (Decimal("50.00"), Decimal("100.00"))
