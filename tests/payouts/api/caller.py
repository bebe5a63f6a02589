"""A partner's server that speaks to the API, and what its tests look at."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consumers.models import Partner, PaymentCard
from payouts.models import Payment
from tests.books import execute, select
from tests.builders import make_token

CREATE = "/v2/payments/oct/"
QUOTE = "/v2/payments/oct/quote/"
BALANCE = "/v2/balance/"

CONTRACT = (
    "id",
    "amount",
    "direction",
    "status",
    "consumer_id",
    "external_payment_card_id",
    "fee_amount",
)
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


class Caller:
    """Sends what it is given, byte for byte, with a good token of its partner."""

    def __init__(self, partner: Partner, *, scopes: tuple[str, ...] = ()) -> None:
        self.partner = partner
        self.token = make_token(partner=partner, scopes=scopes)
        self.http = Client(raise_request_exception=True)

    def get(self, address: str, **headers: str) -> Any:
        return self.http.get(address, headers={**self._credentials(), **_headers(headers)})

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        return self.send(address, b"" if body is None else json.dumps(body), **headers)

    def send(
        self,
        address: str,
        content: str | bytes,
        *,
        content_type: str = "application/json",
        method: str = "POST",
        **headers: str,
    ) -> Any:
        """A body as it stands; headers by keyword, `idempotency_key` for `Idempotency-Key`."""
        return self.http.generic(
            method,
            address,
            content,
            content_type=content_type,
            headers={**self._credentials(), **_headers(headers)},
        )

    def create(
        self, card: PaymentCard, /, *, key: str = "", headers: Any = None, **asked: Any
    ) -> Any:
        """Ask for 100 dollars to the card, unless `asked` says otherwise."""
        named = {**(headers or {}), **({"idempotency_key": key} if key else {})}
        return self.post(CREATE, wish(card, **asked), **named)

    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def wish(card: PaymentCard, /, **asked: Any) -> dict[str, Any]:
    """The body of a create."""
    return {
        "consumer_id": str(card.consumer_id),
        "external_payment_card_id": str(card.pk),
        "amount": 100,
        **asked,
    }


def _headers(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


def problem_in(answer: Any, *, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, after a look at its form."""
    document: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert document.keys() >= PROBLEM_MEMBERS
    assert document["status"] == status
    assert document["type"] == f"urn:problem-type:payouts:{code}"
    assert document["title"]
    assert document["detail"]
    assert answer.headers["Request-Id"].startswith("req_")
    if "Idempotent-Replayed" not in answer.headers:
        assert document["request_id"] == answer.headers["Request-Id"]
    return document


def wrong_fields(document: Mapping[str, Any]) -> dict[str, str]:
    """The code of each wrong field."""
    return {error["field"]: error["code"] for error in document["errors"]}


@cache
def _fingerprints() -> str:
    tables = select(
        "SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'consumers_auditentry'"
    )
    # A sum needs no order: sorting the rows of every table took ten times as long.
    return " UNION ALL ".join(
        f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)) FROM \"{name}\" t"
        for (name,) in tables
    )


def everything_stored() -> dict[str, Any]:
    """A fingerprint of every table, by its name; that somebody was refused leaves an entry."""
    # Planning it takes longer than answering it.
    if not select("SELECT FROM pg_prepared_statements WHERE name = 'everything_stored'"):
        execute(f"PREPARE everything_stored AS {_fingerprints()}")
    return {name: fingerprint for name, *fingerprint in select("EXECUTE everything_stored")}


@contextmanager
def nothing_is_stored() -> Iterator[None]:
    """Whatever is answered within, no row of any table has come, gone or changed."""
    before = everything_stored()
    yield
    assert everything_stored() == before


@contextmanager
def statements(number: int) -> Iterator[None]:
    """Exactly so many statements reach the database."""
    with CaptureQueriesContext(connection) as captured:
        yield
    assert len(captured) == number, "\n\n".join(one["sql"] for one in captured.captured_queries)


def listed(caller: Caller, **query: Any) -> dict[str, Any]:
    """The list with these parameters."""
    answer = caller.get(f"{CREATE}?{urlencode(query, doseq=True)}" if query else CREATE)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def ids(document: dict[str, Any]) -> list[str]:
    return [payment["id"] for payment in document["results"]]


def keys(*payments: Payment) -> list[str]:
    return [str(payment.pk) for payment in payments]
