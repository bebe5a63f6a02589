"""GET /v2/payments/oct/{id}/"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from consumers.ids import new_id
from consumers.models import Consumer, PaymentCard
from payouts.declines import decline_for, own_failure
from payouts.models import Payment
from payouts.networks.base import Outcome
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.record_outcome import fail_unsent_payment, record_outcome
from tests.decisions import approve_payment, reject_payment
from tests.payouts.api.caller import CONTRACT, CREATE, Caller, problem_in, statements
from tests.pushes import (
    APPROVED,
    CLIENT,
    REFUSED_CONNECTION,
    TIMEOUT,
    claim,
    declined,
    digest_of,
    make_payee,
    make_rule,
    make_staff,
    push,
    push_for_approval,
)

pytestmark = pytest.mark.django_db


def read(caller: Caller, payment: Payment) -> dict[str, Any]:
    answer = caller.get(f"{CREATE}{payment.pk}/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    document: dict[str, Any] = answer.json()
    return document


def ended(payment: Payment, outcome: Outcome) -> Payment:
    instruction = claim(payment)
    record_outcome(payment.pk, outcome, send_number=instruction.send_number)
    return Payment.objects.get(pk=payment.pk)


def written(instant: datetime | None) -> str:
    assert instant is not None
    return instant.isoformat().replace("+00:00", "Z")


def test_answers_the_contract(caller: Caller, card: PaymentCard) -> None:
    payment = push(card, amount="12.30")
    answer = caller.get(f"{CREATE}{payment.pk}/")
    document = json.loads(answer.content)
    assert tuple(document)[:7] == CONTRACT
    assert {name: document[name] for name in CONTRACT} == {
        "id": str(payment.pk),
        "amount": 12.3,
        "direction": "Push",
        "status": "pending",
        "consumer_id": str(card.consumer_id),
        "external_payment_card_id": str(card.pk),
        "fee_amount": 0,
    }
    assert re.search(rb'"amount":12\.30?,', answer.content)


def test_answers_what_the_create_answered(caller: Caller, card: PaymentCard) -> None:
    made = caller.create(card, description="a", reference="b", metadata={"c": "d"})
    assert caller.get(f"{CREATE}{made.json()['id']}/").content == made.content


def test_shows_the_network_once_there_is_an_attempt(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    assert read(caller, payment)["network"] is None
    claim(payment)
    document = read(caller, payment)
    assert (document["status"], document["money_moved"]) == ("submitted", "unknown")
    assert document["safe_to_retry"] is False
    network = document["network"]
    assert network["name"] == "sandbox"
    assert re.fullmatch("[0-9]{12}", network["retrieval_reference_number"])
    assert re.fullmatch("[0-9]{6}", network["trace_number"])
    assert (network["approval_code"], network["transaction_id"]) == (None, None)


def test_shows_a_completed_payment(caller: Caller, card: PaymentCard) -> None:
    payment = ended(push(card), APPROVED)
    document = read(caller, payment)
    assert document["status"] == "completed"
    assert document["completed_at"] == written(payment.completed_at)
    assert document["updated_at"] == document["completed_at"]
    assert document["network"]["approval_code"] == "12345S"
    assert document["network"]["transaction_id"] == "300000000000001"
    assert (document["failure"], document["approval"]) == (None, None)
    assert (document["money_moved"], document["safe_to_retry"]) == ("yes", False)


def test_shows_a_failure_that_may_be_tried_again(caller: Caller, card: PaymentCard) -> None:
    payment = ended(push(card), declined("91"))
    document = read(caller, payment)
    meaning = decline_for("91")
    assert document["status"] == "failed"
    assert document["completed_at"] is None
    assert document["failure"] == {
        "code": "issuer_unavailable",
        "reason": meaning.staff_text,
        "payee_message": meaning.payee_text,
        "network_code": "91",
        "retryable": True,
        "retry_after": written(payment.updated_at + timedelta(hours=1)),
    }
    assert (document["money_moved"], document["safe_to_retry"]) == ("no", True)


def test_shows_a_failure_that_stays_one(caller: Caller, card: PaymentCard) -> None:
    failure = read(caller, ended(push(card), declined("14")))["failure"]
    assert (failure["network_code"], failure["retryable"], failure["retry_after"]) == (
        "14",
        False,
        None,
    )


def test_shows_a_failure_without_a_network(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    fail_unsent_payment(payment.pk, failure_code="network_unreachable", at=payment.created_at)
    failure = read(caller, payment)["failure"]
    assert (failure["code"], failure["network_code"]) == ("network_unreachable", None)
    assert failure["reason"] == own_failure("network_unreachable").staff_text


def test_shows_an_unclear_answer_as_unknown(caller: Caller, card: PaymentCard) -> None:
    document = read(caller, ended(push(card), TIMEOUT))
    assert (document["status"], document["failure"]) == ("unknown", None)
    assert (document["money_moved"], document["safe_to_retry"]) == ("unknown", False)


def test_shows_what_never_left_as_pending(caller: Caller, card: PaymentCard) -> None:
    document = read(caller, ended(push(card), REFUSED_CONNECTION))
    assert (document["status"], document["money_moved"]) == ("pending", "no")
    assert document["network"]["name"] == "sandbox"


def test_counts_the_decisions_while_they_are_awaited(caller: Caller, card: PaymentCard) -> None:
    payment = push_for_approval(card, decisions=2)
    assert read(caller, payment)["approval"]["given"] == 0
    approve_payment(payment.pk, by=make_staff("carla", "approver"), digest=digest_of(payment))
    document = read(caller, payment)
    assert document["approval"] == {
        "required": 2,
        "given": 1,
        "expires_at": written(payment.approval_expires_at),
        "reasons": ["everything"],
    }
    approve_payment(payment.pk, by=make_staff("dora", "approver"), digest=digest_of(payment))
    document = read(caller, payment)
    assert (document["status"], document["approval"]) == ("pending", None)


def test_counts_no_decision_that_an_edit_has_voided(caller: Caller, card: PaymentCard) -> None:
    payment = push_for_approval(card, decisions=2)
    carla, dora = make_staff("carla", "approver"), make_staff("dora", "approver")
    approve_payment(payment.pk, by=carla, digest=digest_of(payment))
    Consumer.objects.filter(pk=card.consumer_id).update(edited_by_user=carla)
    assert read(caller, payment)["approval"]["given"] == 0
    Consumer.objects.filter(pk=card.consumer_id).update(edited_by_user=dora)
    assert read(caller, payment)["approval"]["given"] == 0
    ezra = make_staff("ezra", "approver")
    for name in ("Zoë", "Zoe"):
        approve_payment(payment.pk, by=ezra, digest=digest_of(payment))
        assert read(caller, payment)["approval"]["given"] == 1
        Consumer.objects.filter(pk=card.consumer_id).update(first_name=name)
        assert read(caller, payment)["approval"]["given"] == 0


def test_shows_a_rejected_payment(caller: Caller, card: PaymentCard) -> None:
    payment = push_for_approval(card)
    reject_payment(payment.pk, by=make_staff("carla", "approver"), digest=digest_of(payment))
    document = read(caller, payment)
    assert (document["status"], document["approval"]) == ("rejected", None)
    assert (document["money_moved"], document["safe_to_retry"]) == ("no", True)


def test_shows_a_canceled_payment(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    cancel_payment(payment, actor=CLIENT)
    document = read(caller, payment)
    assert (document["status"], document["money_moved"]) == ("canceled", "no")
    assert document["safe_to_retry"] is True


@pytest.mark.parametrize("address", [f"{CREATE}{new_id()}/", f"{CREATE}nothing/", f"{CREATE}1/"])
def test_what_is_not_there_is_not_found(caller: Caller, address: str) -> None:
    problem_in(caller.get(address), status=404, code="not_found")


def test_another_partners_payment_is_not_found(card: PaymentCard, caller: Caller) -> None:
    theirs = push(make_payee())
    problem_in(caller.get(f"{CREATE}{theirs.pk}/"), status=404, code="not_found")


def test_takes_two_statements_whatever_its_state(caller: Caller, card: PaymentCard) -> None:
    make_rule()
    payment = push(card)
    address = f"{CREATE}{payment.pk}/"
    with statements(2):
        caller.get(address)
    approve_payment(payment.pk, by=make_staff("carla", "approver"), digest=digest_of(payment))
    ended(payment, APPROVED)
    with statements(2):
        caller.get(address)
