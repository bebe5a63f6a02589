"""From the HTTP request to the card network and back: what a client sees, what the books say."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient as HTTPClient

from consumers.models import Partner, PaymentCard
from payouts.models import FeeSchedule, Payment
from payouts.networks.sandbox.behaviour import make_card_number
from payouts.work import drain
from tests.books import assert_books_are_right, balance, journals
from tests.builders import make_http_client
from tests.conftest import Bell
from tests.decisions import approve_payment, reject_payment
from tests.pushes import digest_of, make_funded_partner, make_payee, make_rule, make_staff
from tests.sandbox import SandboxServer

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENTS = "/v2/payments/oct/"


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    book = tmp_path_factory.mktemp("sandbox") / "book.sqlite3"
    with SandboxServer.started(book, latency_ms=0) as server:
        yield server


@pytest.fixture
def sandbox(
    _running: SandboxServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> SandboxServer:
    settings.CARD_NETWORK_SANDBOX_URL = _running.address
    monkeypatch.setattr(drain, "LINGER_SECONDS", 0)
    return _running


@pytest.fixture
def partner() -> Partner:
    partner = make_funded_partner(dollars="500.00")
    FeeSchedule.objects.create(partner=partner, fixed=Decimal("0.50"), basis_points=100)
    return partner


@pytest.fixture
def http(partner: Partner) -> HTTPClient:
    return make_http_client(partner=partner)


def _create(http: HTTPClient, card: PaymentCard, **members: object) -> dict[str, Any]:
    body = {
        "consumer_id": card.consumer.pcid,
        "external_payment_card_id": str(card.pk),
        "amount": 100,
        **members,
    }
    response = http.post(PAYMENTS, body, HTTP_IDEMPOTENCY_KEY="journey-1")
    assert response.status_code == 201, response.content
    created: dict[str, Any] = response.json()
    return created


def _retrieve(http: HTTPClient, payment: dict[str, Any]) -> dict[str, Any]:
    response = http.get(f"{PAYMENTS}{payment['id']}/")
    assert response.status_code == 200
    retrieved: dict[str, Any] = response.json()
    return retrieved


def _events(http: HTTPClient, payment: dict[str, Any]) -> list[str]:
    response = http.get(f"{PAYMENTS}{payment['id']}/events/")
    return [event["type"].removeprefix("payment.oct.") for event in response.json()["results"]]


def _balance(http: HTTPClient) -> tuple[float, float]:
    shown = http.get("/v2/balance/").json()
    return shown["available"], shown["held"]


def _stored(payment: dict[str, Any]) -> Payment:
    return Payment.objects.get(pk=UUID(payment["id"]))


def test_a_push_is_paid(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer, bell: Bell
) -> None:
    card = make_payee(partner=partner)
    created = _create(http, card)
    assert (created["status"], created["amount"], created["fee_amount"]) == ("pending", 100, 1.5)
    assert (created["direction"], created["consumer_id"]) == ("Push", str(card.consumer_id))
    assert (created["money_moved"], created["safe_to_retry"]) == ("no", False)
    assert created["network"] is None
    assert bell.rings == 1
    assert _balance(http) == (398.5, 101.5)

    drain.send_due_payments()

    paid = _retrieve(http, created)
    assert (paid["status"], paid["money_moved"], paid["safe_to_retry"]) == (
        "completed",
        "yes",
        False,
    )
    assert paid["completed_at"] >= paid["created_at"]
    assert paid["failure"] is None
    entry = sandbox.book()[-1]
    assert paid["network"] == {
        "name": "sandbox",
        "retrieval_reference_number": entry["retrieval_reference_number"],
        "trace_number": entry["systems_trace_audit_number"],
        "approval_code": f"{entry['id']:05d}S",
        "transaction_id": f"3{entry['id']:014d}",
    }
    assert (entry["credited"], entry["amount_cents"], entry["card_last4"]) == (1, 10000, "1111")
    assert _events(http, created) == ["created", "sent", "completed"]
    assert _balance(http) == (398.5, 0)
    assert journals(_stored(created)) == ["accepted", "completed"]
    assert balance("network_payable", network="sandbox") == Decimal("-100.00")
    assert balance("fee_revenue") == Decimal("-1.50")
    assert_books_are_right()


def test_a_repeat_after_the_payment_was_paid_hears_the_first_answer(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer
) -> None:
    card = make_payee(partner=partner)
    created = _create(http, card)
    drain.send_due_payments()
    assert _create(http, card) == created
    assert _retrieve(http, created)["status"] == "completed"
    drain.send_due_payments()
    assert Payment.objects.count() == 1
    assert sandbox.book()[-1]["times_seen"] == 1


def test_a_decline_gives_the_money_back_and_says_what_to_do(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer
) -> None:
    card = make_payee(partner=partner, number=make_card_number("code", 41))
    created = _create(http, card)
    drain.send_due_payments()
    failed = _retrieve(http, created)
    assert (failed["status"], failed["money_moved"], failed["safe_to_retry"]) == (
        "failed",
        "no",
        True,
    )
    assert failed["failure"]["network_code"] == "41"
    assert (failed["failure"]["retryable"], failed["failure"]["retry_after"]) == (False, None)
    assert failed["completed_at"] is None
    assert _balance(http) == (500, 0)
    assert sandbox.book()[-1]["credited"] == 0
    card.refresh_from_db()
    assert card.status == "inactive"
    again = http.post(
        PAYMENTS,
        {
            "consumer_id": card.consumer.pcid,
            "external_payment_card_id": str(card.pk),
            "amount": 100,
        },
        HTTP_IDEMPOTENCY_KEY="journey-2",
    )
    assert (again.status_code, again.json()["code"]) == (422, "card_inactive")
    assert_books_are_right()


def test_an_approved_push_is_paid(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer, bell: Bell
) -> None:
    make_rule(name="large", decisions=2, amount_at_least=Decimal("100.00"))
    carla, dora = make_staff("carla", "approver"), make_staff("dora", "approver")
    created = _create(http, make_payee(partner=partner))
    assert created["status"] == "pending_approval"
    assert (created["approval"]["required"], created["approval"]["given"]) == (2, 0)
    assert created["approval"]["reasons"] == ["large"]
    drain.send_due_payments()
    assert bell.rings == 0

    payment = _stored(created)
    approve_payment(payment.pk, by=carla, digest=digest_of(payment))
    drain.send_due_payments()
    waiting = _retrieve(http, created)
    assert (waiting["status"], waiting["approval"]["given"]) == ("pending_approval", 1)
    assert waiting["network"] is None
    assert _balance(http) == (398.5, 101.5)

    approve_payment(payment.pk, by=dora, digest=digest_of(payment))
    assert bell.rings == 1
    drain.send_due_payments()
    paid = _retrieve(http, created)
    assert (paid["status"], paid["approval"]) == ("completed", None)
    assert _events(http, created) == [
        *("created", "approval_required", "decided"),
        *("approved", "sent", "completed"),
    ]
    assert_books_are_right()


def test_a_rejected_push_never_leaves(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer
) -> None:
    make_rule()
    before = sandbox.totals()["instructions"]
    created = _create(http, make_payee(partner=partner))
    payment = _stored(created)
    carla = make_staff("carla", "approver")
    reject_payment(payment.pk, by=carla, digest=digest_of(payment), reason="unknown payee")
    drain.send_due_payments()
    rejected = _retrieve(http, created)
    assert (rejected["status"], rejected["money_moved"]) == ("rejected", "no")
    assert rejected["safe_to_retry"] is True
    assert _balance(http) == (500, 0)
    assert sandbox.totals()["instructions"] == before
    assert_books_are_right()


def test_a_canceled_push_never_leaves(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer
) -> None:
    before = sandbox.totals()["instructions"]
    created = _create(http, make_payee(partner=partner))
    canceled = http.post(f"{PAYMENTS}{created['id']}/cancel/", {})
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    drain.send_due_payments()
    assert _retrieve(http, created)["status"] == "canceled"
    assert sandbox.totals()["instructions"] == before
    assert _balance(http) == (500, 0)


def test_a_push_that_was_paid_is_not_canceled(
    http: HTTPClient, partner: Partner, sandbox: SandboxServer
) -> None:
    created = _create(http, make_payee(partner=partner))
    drain.send_due_payments()
    refused = http.post(f"{PAYMENTS}{created['id']}/cancel/", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_cancelable")
    assert _retrieve(http, created)["status"] == "completed"
