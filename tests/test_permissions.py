"""Who may call what: every route and method of the API against every kind of token.

A route that is missing from the table fails the suite, and so does one that the table invents.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from consumers.models import AccessToken, APIClient, Partner, PaymentCard
from consumers.operations.api_clients import READ, WRITE, disable_api_client
from payouts.models import Payment, WebhookEndpoint
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.webhook_endpoints import add_webhook
from tests import eligibility
from tests.builders import make_api_client, make_token
from tests.payouts.api.caller import Caller, nothing_is_stored, problem_in, wish
from tests.payouts.audit.tampering import undone
from tests.pushes import make_funded_partner, make_payee, push

pytestmark = pytest.mark.django_db

CARD_BODY = {"number": "5555555555554444", "expiration_month": 12, "expiration_year": 2039}

# Served to everybody: the way in, and what the API is.
# Networks sign what they post; what nobody has signed is stored and never believed.
PUBLIC = {
    ("create-token", "POST"),
    ("schema", "GET"),
    ("docs", "GET"),
    ("network-notifications", "POST"),
}


@dataclass(frozen=True)
class Cast:
    """A partner with a consumer, a card and a payment."""

    card: PaymentCard
    payment: Payment
    webhook: WebhookEndpoint

    @property
    def partner(self) -> Partner:
        return self.card.consumer.partner


@dataclass(frozen=True)
class Row:
    """One route and method: the scope that it needs, and what its owner is answered."""

    route: str
    method: str
    scope: str
    status: int
    address: str
    body: Callable[[Cast], dict[str, Any]] = field(default=lambda cast: {})
    # What a stranger is told who sends the very same: an object of another partner is not there.
    for_strangers: int = 404

    def address_of(self, cast: Cast) -> str:
        return self.address.format(
            consumer=cast.card.consumer_id,
            pcid=cast.card.consumer.pcid,
            card=cast.card.pk,
            payment=cast.payment.pk,
            event=f"evt_{cast.payment.pk.hex}_1",
            webhook=cast.webhook.pk,
        )


TABLE: Sequence[Row] = [
    Row("consumers", "GET", READ, 200, "/v2/consumers/", for_strangers=200),
    Row(
        "consumers",
        "POST",
        WRITE,
        201,
        "/v2/consumers/",
        lambda cast: {"pcid": "new"},
        for_strangers=201,
    ),
    Row("consumer-by-pcid", "GET", READ, 200, "/v2/consumers/pcid/{pcid}/"),
    Row("consumer", "GET", READ, 200, "/v2/consumers/{consumer}/"),
    Row("consumer", "PUT", WRITE, 200, "/v2/consumers/{consumer}/", lambda cast: {"pcid": "new"}),
    Row("consumer", "PATCH", WRITE, 200, "/v2/consumers/{consumer}/", lambda cast: {"pcid": "new"}),
    Row(
        "consumer-cancel-account",
        "POST",
        WRITE,
        200,
        "/v2/consumers/{consumer}/cancel-account/",
        lambda cast: {"cancellation_reason": "left"},
    ),
    Row("consumer-cards", "GET", READ, 200, "/v2/consumers/{consumer}/external-payment-cards/"),
    Row(
        "consumer-cards",
        "POST",
        WRITE,
        201,
        "/v2/consumers/{consumer}/external-payment-cards/",
        lambda cast: CARD_BODY,
    ),
    Row("card", "GET", READ, 200, "/v2/external-payment-cards/{card}/"),
    Row(
        "card",
        "PATCH",
        WRITE,
        200,
        "/v2/external-payment-cards/{card}/",
        lambda cast: {"nickname": "new"},
    ),
    Row("card", "DELETE", WRITE, 204, "/v2/external-payment-cards/{card}/"),
    Row("card-check", "POST", WRITE, 200, "/v2/external-payment-cards/{card}/check/"),
    Row("payments", "GET", READ, 200, "/v2/payments/oct/", for_strangers=200),
    Row(
        "payments",
        "POST",
        WRITE,
        201,
        "/v2/payments/oct/",
        lambda cast: wish(cast.card),
        for_strangers=422,
    ),
    Row(
        "payment-quote",
        "POST",
        READ,
        200,
        "/v2/payments/oct/quote/",
        lambda cast: wish(cast.card),
        for_strangers=200,
    ),
    Row("payment", "GET", READ, 200, "/v2/payments/oct/{payment}/"),
    Row("payment-cancel", "POST", WRITE, 200, "/v2/payments/oct/{payment}/cancel/"),
    Row("payment-events", "GET", READ, 200, "/v2/payments/oct/{payment}/events/"),
    Row("balance", "GET", READ, 200, "/v2/balance/", for_strangers=200),
    Row("event-feed", "GET", READ, 200, "/v2/events/", for_strangers=200),
    Row("event", "GET", READ, 200, "/v2/events/{event}/"),
    Row("webhooks", "GET", READ, 200, "/v2/webhooks/", for_strangers=200),
    Row(
        "webhooks",
        "POST",
        WRITE,
        201,
        "/v2/webhooks/",
        lambda cast: {"url": "https://hooks.test-partner.com/"},
        for_strangers=201,
    ),
    Row("webhook", "GET", READ, 200, "/v2/webhooks/{webhook}/"),
    Row(
        "webhook",
        "PATCH",
        WRITE,
        200,
        "/v2/webhooks/{webhook}/",
        lambda cast: {"enabled": False},
    ),
    Row("webhook", "DELETE", WRITE, 204, "/v2/webhooks/{webhook}/"),
    Row("webhook-rotate-secret", "POST", WRITE, 200, "/v2/webhooks/{webhook}/rotate-secret/"),
    Row("webhook-test", "POST", WRITE, 202, "/v2/webhooks/{webhook}/test/"),
    Row("webhook-deliveries", "GET", READ, 200, "/v2/webhooks/{webhook}/deliveries/"),
    Row("webhook-replay", "POST", WRITE, 202, "/v2/webhooks/{webhook}/replay/"),
]

every_row = pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method}-{row.route}")


def _routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, address)
        else:
            yield address, pattern


def _methods(pattern: URLPattern) -> list[str]:
    # Those of networks are Django's own: no token, nothing is negotiated.
    view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
    assert view is not None, f"{pattern} is no endpoint with methods"
    return [
        name.upper()
        for name in view.http_method_names
        if hasattr(view, name) and name not in ("head", "options")
    ]


def test_the_table_has_every_route_and_method() -> None:
    served = [
        (pattern.name, method)
        for address, pattern in _routes(get_resolver().url_patterns)
        if address.startswith(("v2/", "auth/", "networks/"))
        for method in _methods(pattern)
    ]
    assert sorted(served) == sorted([*((row.route, row.method) for row in TABLE), *PUBLIC])


@pytest.fixture(autouse=True)
def _network(settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = eligibility.FAST


@pytest.fixture
def cast() -> Cast:
    card = make_payee(partner=make_funded_partner())
    payment = push(card, amount="5.00")
    follow_outbox()
    webhook = add_webhook(card.partner_id, url="https://hooks.test-partner.com/").endpoint
    return Cast(card, payment, webhook)


def call(row: Row, cast: Cast, token: str | None) -> Any:
    credentials = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = b"" if row.method in ("GET", "DELETE") else json.dumps(row.body(cast))
    return Client().generic(
        row.method,
        row.address_of(cast),
        content,
        content_type="application/json",
        headers=credentials,
    )


# Tokens that were good once.


def expired(cast: Cast) -> str:
    token = make_token(partner=cast.partner)
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return token


def of_a_disabled_client(cast: Cast) -> str:
    client = make_api_client(partner=cast.partner).client
    token = make_token(client=client)
    disable_api_client(client)
    return token


def of_an_inactive_partner(cast: Cast) -> str:
    token = make_token(partner=cast.partner)
    Partner.objects.filter(pk=cast.partner.pk).update(is_active=False)
    return token


@every_row
class TestEveryRoute:
    def test_is_open_to_its_owner_with_the_scope_and_to_write_alone(
        self, row: Row, cast: Cast
    ) -> None:
        for scope in {row.scope, WRITE}:
            token = make_token(partner=cast.partner, scopes=[scope])
            answer = call(row, cast, token)
            assert answer.status_code == row.status, (scope, answer.content)

    def test_is_closed_without_a_good_token(self, row: Row, cast: Cast) -> None:
        with nothing_is_stored():
            answers = [call(row, cast, token) for token in (None, "token_of_nobody", "")]
        problem_in(answers[0], status=401, code="not_authenticated")
        assert answers[0].headers["WWW-Authenticate"] == 'Bearer realm="payouts"'
        for answer in answers[1:]:
            problem_in(answer, status=401, code="invalid_token")
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    def test_is_closed_to_a_token_that_is_good_no_more(self, row: Row, cast: Cast) -> None:
        for spoilt in (expired, of_a_disabled_client, of_an_inactive_partner):
            with undone():
                token = spoilt(cast)
                with nothing_is_stored():
                    problem_in(call(row, cast, token), status=401, code="invalid_token")

    def test_is_closed_to_read_alone_if_it_writes(self, row: Row, cast: Cast) -> None:
        """Also to a token that says more: the client has the scope for reading left."""
        read_alone = make_token(partner=cast.partner, scopes=[READ])
        was_both = make_token(partner=cast.partner, scopes=[READ, WRITE])
        APIClient.objects.update(scopes=[READ])
        for token in (read_alone, was_both):
            if row.scope == READ:
                assert call(row, cast, token).status_code == row.status
                continue
            with nothing_is_stored():
                answer = call(row, cast, token)
            problem_in(answer, status=403, code="insufficient_scope")
            assert 'scope="api:write"' in answer.headers["WWW-Authenticate"]

    def test_does_not_show_or_change_another_partners(self, row: Row, cast: Cast) -> None:
        stranger = Caller(make_funded_partner())
        before = cast.card.consumer.pcid
        answer = call(row, cast, stranger.token)
        assert answer.status_code == row.for_strangers, answer.content
        for secret in (cast.payment.pk, before):
            assert str(secret).encode() not in answer.content
        cast.card.consumer.refresh_from_db()
        cast.card.refresh_from_db()
        cast.payment.refresh_from_db()
        cast.webhook.refresh_from_db()
        assert (cast.webhook.state, cast.webhook.removed_at) == ("enabled", None)
        assert cast.webhook.previous_secret is None
        assert cast.card.consumer.pcid == before
        assert cast.card.consumer.is_active
        assert (cast.card.status, cast.card.nickname) == ("active", "")
        assert cast.payment.status == "pending"
        assert Payment.objects.count() == 1


@pytest.mark.parametrize("address", ["/v2/schema/", "/v2/docs/"])
def test_documents_need_no_token(address: str) -> None:
    assert Client().get(address).status_code == 200
