"""Whom a push was made to, whatever that person is called today."""

import pytest
from django.db import DatabaseError, transaction

from consumers.models import Consumer, FormerName
from consumers.operations.cards import edit_card
from consumers.operations.consumers import update_consumer
from payouts.models import Decision, Payment
from payouts.payee_history import PayeeHistory, payee_history
from tests.books import execute
from tests.decisions import approve_payment
from tests.owner import owning
from tests.pushes import digest_of, make_payee, make_staff, push_for_approval

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment() -> Payment:
    return push_for_approval(make_payee(cardholder_name="A EXAMPLE"), decisions=3)


def history(payment: Payment) -> PayeeHistory:
    return payee_history(Payment.objects.select_related("consumer", "card").get(pk=payment.pk))


def test_nothing_is_kept_of_an_edit_that_renames_nobody(payment: Payment) -> None:
    update_consumer(payment.consumer, first_name="Ada", email="ada@new.example")
    edit_card(payment.card, nickname="Travel")
    assert not FormerName.objects.exists()
    assert history(payment).edited_since == []


@pytest.mark.parametrize("columns", [{"pcid": "other"}, {"last_name": "Other"}])
def test_keeps_a_name_whoever_changes_it(payment: Payment, columns: dict[str, str]) -> None:
    Consumer.objects.filter(pk=payment.consumer_id).update(**columns)
    (edited,) = history(payment).edited_since
    assert "other" in edited.now.lower()
    assert "other" not in edited.was.lower()


def test_a_name_that_came_back_is_no_edit_but_stands_with_its_decision(payment: Payment) -> None:
    update_consumer(payment.consumer, last_name="Other")
    carla = make_staff("carla", "approver")
    approve_payment(payment.pk, by=carla, digest=digest_of(payment))
    update_consumer(payment.consumer, last_name="Example")
    now = history(payment)
    assert now.edited_since == []
    assert now.seen(Decision.objects.get()).full_name == "Ada Other"


def test_a_decision_is_found_by_its_names_and_not_by_a_clock_that_is_late(payment: Payment) -> None:
    carla = make_staff("carla", "approver")
    approve_payment(payment.pk, by=carla, digest=digest_of(payment))
    edit_card(payment.card, cardholder_name="E OTHER")
    decision = Decision.objects.get()
    decision.created_at = FormerName.objects.get().until.replace(year=2100)
    assert history(payment).seen(decision).cardholder_name == "A EXAMPLE"
    # As after a rotation of keys, when nothing gives the SHA-256 any more.
    decision.digest = bytes(32)
    assert history(payment).seen(decision).cardholder_name == "E OTHER"


def test_what_is_kept_is_written_once(payment: Payment) -> None:
    update_consumer(payment.consumer, last_name="Other")
    for statement in (
        "UPDATE consumers_formername SET was = '{}'",
        "DELETE FROM consumers_formername",
        "TRUNCATE consumers_formername",
    ):
        with (
            pytest.raises(DatabaseError, match="written once"),
            transaction.atomic(),
            owning(),
        ):
            execute(statement)
    assert history(payment).made.full_name == "Ada Example"
