from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from consumers.models import Consumer, PaymentCard
from consumers.operations.consumers import update_consumer
from payouts.actors import staff
from payouts.approvals import Source
from payouts.models import ApprovalRule, Decision, Event, Payment
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.decide import (
    AlreadyDecided,
    ApprovalNotPermitted,
    DecisionByCardEditor,
    DecisionByConsumerEditor,
    DecisionByMaker,
    NotWaitingForApproval,
    SubjectChanged,
    expire_undecided_payments,
)
from payouts.operations.send_payments import claim_due_payments
from payouts.states import Status
from tests.books import assert_books_are_right, available, execute, held, journals, used
from tests.conftest import Bell
from tests.decisions import approve_payment, reject_payment
from tests.pushes import (
    CLIENT,
    digest_of,
    fresh,
    history,
    make_funded_partner,
    make_payee,
    make_rule,
    make_staff,
    push,
    push_for_approval,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> PaymentCard:
    return make_payee(partner=make_funded_partner(dollars="500.00"))


@pytest.fixture
def dora() -> User:
    return make_staff("dora", "approver")


def approve(payment: Payment, by: User, **named: Any) -> Status:
    return approve_payment(payment.pk, by=by, digest=digest_of(payment), **named)


def reject(payment: Payment, by: User, **named: Any) -> Status:
    return reject_payment(payment.pk, by=by, digest=digest_of(payment), **named)


# Yes


def test_the_last_yes_sends_the_payment_on(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    assert approve(payment, carla, reason="known payee") is Status.PENDING
    assert history(payment) == ["created", "approval_required", "approved"]
    event = Event.objects.get(payment=payment, kind="approved")
    assert (event.actor, event.details) == ("staff:carla", {"reason": "known payee"})
    assert [one.payment_id for one in claim_due_payments(limit=5)] == [payment.pk]


def test_the_last_yes_rings_the_sender(
    card: PaymentCard,
    carla: User,
    bell: Bell,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    payment = push_for_approval(card)
    with django_capture_on_commit_callbacks(execute=True):
        approve(payment, carla)
    assert bell.rings == 1


def test_keeps_each_decision_with_what_it_was_about(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    digest = digest_of(payment)
    approve_payment(payment.pk, by=carla, digest=digest, reason="fine")
    decision = Decision.objects.get()
    assert (decision.payment_id, decision.user_id) == (payment.pk, carla.pk)
    assert (decision.verdict, decision.reason) == ("approve", "fine")
    assert bytes(decision.digest) == digest


def test_money_stays_held_while_people_decide(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card, amount="100.00")
    assert held(card.partner) == Decimal("100.00")
    approve(payment, carla)
    assert held(card.partner) == Decimal("100.00")
    assert journals(payment) == ["accepted"]
    assert_books_are_right()


def test_two_decisions_need_two_people(card: PaymentCard, carla: User, dora: User) -> None:
    payment = push_for_approval(card, decisions=2)
    assert approve(payment, carla, reason="one") is Status.PENDING_APPROVAL
    assert fresh(payment).due_at == payment.approval_expires_at
    assert approve(payment, dora) is Status.PENDING
    assert history(payment) == ["created", "approval_required", "decided", "approved"]
    noted = Event.objects.get(payment=payment, kind="decided")
    assert noted.details == {"verdict": "approve", "reason": "one"}
    assert_books_are_right()


def test_one_person_is_not_two(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card, decisions=2)
    approve(payment, carla)
    with pytest.raises(AlreadyDecided):
        approve(payment, carla)
    assert status_of(payment) is Status.PENDING_APPROVAL
    assert Decision.objects.count() == 1


def test_a_requirement_of_a_group_needs_its_members(
    card: PaymentCard, carla: User, dora: User
) -> None:
    treasury = Group.objects.create(name="treasury")
    make_rule(name="treasury looks", group=treasury)
    payment = push(card)
    assert approve(payment, carla) is Status.PENDING_APPROVAL
    dora.groups.add(treasury)
    assert approve(payment, dora) is Status.PENDING


def test_one_person_may_meet_several_requirements(card: PaymentCard, dora: User) -> None:
    treasury = Group.objects.create(name="treasury")
    dora.groups.add(treasury)
    make_rule(name="treasury looks", group=treasury)
    make_rule(name="anybody looks")
    payment = push(card)
    assert approve(payment, dora) is Status.PENDING


def test_the_largest_requirement_counts(card: PaymentCard, carla: User, dora: User) -> None:
    make_rule(name="one", decisions=1)
    make_rule(name="two", decisions=2)
    payment = push(card)
    assert approve(payment, carla) is Status.PENDING_APPROVAL
    assert approve(payment, dora) is Status.PENDING


def test_rules_of_tomorrow_do_not_move_what_waits_today(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    ApprovalRule.objects.update(decisions=5)
    assert approve(payment, carla) is Status.PENDING


# No


def test_one_no_ends_the_payment(card: PaymentCard, carla: User, dora: User) -> None:
    payment = push_for_approval(card, decisions=2)
    approve(payment, carla)
    assert reject(payment, dora, reason="not him") is Status.REJECTED
    assert history(payment)[-1] == "rejected"
    assert fresh(payment).due_at is None
    event = Event.objects.get(payment=payment, kind="rejected")
    assert (event.actor, event.details) == ("staff:dora", {"reason": "not him"})


def test_a_no_gives_the_money_and_the_day_back(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    reject(payment, carla)
    assert available(card.partner) == Decimal("500.00")
    assert used(card.pk, on=payment.created_at.date()) == (Decimal(0), Decimal(0))
    assert journals(payment) == ["accepted", "released"]
    assert_books_are_right()


# Who may not


def test_refuses_its_maker(card: PaymentCard, carla: User) -> None:
    make_rule()
    payment = push(card, actor=staff(carla.pk, carla.username), source=Source.BACK_OFFICE)
    for decide in (approve, reject):
        with pytest.raises(DecisionByMaker):
            decide(payment, carla)
    _nothing_happened(payment)


def test_refuses_a_maker_who_is_a_superuser(card: PaymentCard) -> None:
    root = User.objects.create_superuser("root")
    make_rule()
    payment = push(card, actor=staff(root.pk, "root"), source=Source.BACK_OFFICE)
    with pytest.raises(DecisionByMaker):
        approve(payment, root)
    _nothing_happened(payment)


def test_refuses_the_last_editor_of_the_card(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    PaymentCard.objects.filter(pk=card.pk).update(edited_by_user=carla)
    for decide in (approve, reject):
        with pytest.raises(DecisionByCardEditor):
            decide(payment, carla)
    _nothing_happened(payment)


def test_refuses_the_last_editor_of_the_consumer(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    update_consumer(card.consumer, by_user=carla, last_name="Sample")
    for decide in (approve, reject):
        with pytest.raises(DecisionByConsumerEditor):
            decide(payment, carla)
    _nothing_happened(payment)


@pytest.mark.parametrize("role", ["viewer", "maker", "operations", "admin", "auditor"])
def test_refuses_whoever_may_not_approve(role: str, card: PaymentCard) -> None:
    payment = push_for_approval(card)
    person = make_staff("otto", role)
    for decide in (approve, reject):
        with pytest.raises(ApprovalNotPermitted):
            decide(payment, person)
    _nothing_happened(payment)


def test_refuses_somebody_who_has_left(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    carla.is_active = False
    with pytest.raises(ApprovalNotPermitted):
        approve(payment, carla)
    _nothing_happened(payment)


def _nothing_happened(payment: Payment) -> None:
    assert status_of(payment) is Status.PENDING_APPROVAL
    assert history(payment) == ["created", "approval_required"]
    assert not Decision.objects.exists()


# About what


@pytest.mark.parametrize(
    "change",
    [
        lambda card: Consumer.objects.filter(pk=card.consumer_id).update(last_name="Mallory"),
        lambda card: PaymentCard.objects.filter(pk=card.pk).update(fingerprint=b"x" * 32),
        lambda card: PaymentCard.objects.filter(pk=card.pk).update(cardholder_name="M. Mallory"),
    ],
)
def test_refuses_a_decision_about_something_else(
    change: Callable[[PaymentCard], object], card: PaymentCard, carla: User
) -> None:
    payment = push_for_approval(card)
    seen = digest_of(payment)
    change(card)
    for decide in (approve_payment, reject_payment):
        with pytest.raises(SubjectChanged):
            decide(payment.pk, by=carla, digest=seen)
    _nothing_happened(payment)
    assert approve(payment, carla) is Status.PENDING


def test_what_people_see_differs_from_payment_to_payment(card: PaymentCard, carla: User) -> None:
    first, second = push_for_approval(card), push_for_approval(card)
    with pytest.raises(SubjectChanged):
        approve_payment(second.pk, by=carla, digest=digest_of(first))


def test_an_earlier_yes_is_void_after_a_change(card: PaymentCard, carla: User, dora: User) -> None:
    payment = push_for_approval(card, decisions=2)
    approve(payment, carla)
    Consumer.objects.filter(pk=card.consumer_id).update(last_name="Mallory")
    assert approve(payment, dora) is Status.PENDING_APPROVAL
    assert approve(payment, make_staff("emil", "approver")) is Status.PENDING


def test_whoever_decided_before_a_change_decides_anew_and_once(
    card: PaymentCard, carla: User, dora: User
) -> None:
    payment = push_for_approval(card, decisions=2)
    approve(payment, carla)
    update_consumer(card.consumer, last_name="Sample")
    assert approve(payment, carla) is Status.PENDING_APPROVAL
    with pytest.raises(AlreadyDecided):
        approve(payment, carla)
    assert Decision.objects.filter(user=carla).count() == 2
    assert approve(payment, dora) is Status.PENDING


def test_an_editor_is_a_maker_from_then_on(card: PaymentCard, carla: User, dora: User) -> None:
    payment = push_for_approval(card, decisions=1)
    update_consumer(card.consumer, by_user=carla, last_name="Mallory")
    update_consumer(card.consumer, by_user=dora, last_name="Mallory")
    for person in (carla, dora):
        with pytest.raises(DecisionByConsumerEditor):
            approve(payment, person)
    _nothing_happened(payment)


def test_the_yes_of_somebody_who_then_edits_the_card_is_void(
    card: PaymentCard, carla: User, dora: User
) -> None:
    payment = push_for_approval(card, decisions=2)
    approve(payment, carla)
    PaymentCard.objects.filter(pk=card.pk).update(edited_by_user=carla)
    assert approve(payment, dora) is Status.PENDING_APPROVAL
    assert approve(payment, make_staff("emil", "approver")) is Status.PENDING


# When


def test_refuses_a_payment_that_does_not_wait(card: PaymentCard, carla: User) -> None:
    payment = push(card)
    for decide in (approve, reject):
        with pytest.raises(NotWaitingForApproval):
            decide(payment, carla)
    assert history(payment) == ["created"]


def test_refuses_after_it_was_canceled(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    cancel_payment(payment, actor=CLIENT)
    with pytest.raises(NotWaitingForApproval):
        approve(payment, carla)
    assert not Decision.objects.exists()


def test_refuses_when_the_time_is_over_though_nobody_swept(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card)
    execute("UPDATE payouts_payment SET approval_expires_at = now() - interval '1 second'")
    for decide in (approve, reject):
        with pytest.raises(NotWaitingForApproval):
            decide(payment, carla)
    _nothing_happened(payment)


def test_expires_what_nobody_decided(card: PaymentCard) -> None:
    payment = push_for_approval(card)
    execute("UPDATE payouts_payment SET due_at = now(), approval_expires_at = now()")
    assert expire_undecided_payments(limit=10) == 1
    assert history(payment) == ["created", "approval_required", "expired"]
    assert Event.objects.get(payment=payment, kind="expired").actor == "worker"
    assert available(card.partner) == Decimal("500.00")
    assert journals(payment) == ["accepted", "released"]
    assert_books_are_right()


def test_expires_nothing_before_its_time(card: PaymentCard) -> None:
    payment = push_for_approval(card)
    assert expire_undecided_payments(limit=10) == 0
    assert payment.approval_expires_at is not None
    assert payment.approval_expires_at > timezone.now() + timedelta(hours=71)


def test_expires_half_decided_payments_too(card: PaymentCard, carla: User) -> None:
    payment = push_for_approval(card, decisions=2)
    approve(payment, carla)
    execute("UPDATE payouts_payment SET due_at = now(), approval_expires_at = now()")
    assert expire_undecided_payments(limit=10) == 1
    assert status_of(payment) is Status.EXPIRED


def test_expires_no_more_than_it_is_told(card: PaymentCard) -> None:
    for dollars in range(1, 4):
        push_for_approval(card, amount=str(dollars))
    execute("UPDATE payouts_payment SET due_at = now(), approval_expires_at = now()")
    assert expire_undecided_payments(limit=2) == 2
    assert expire_undecided_payments(limit=2) == 1
