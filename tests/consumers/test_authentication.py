"""Who calls, and what the token allows."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import path
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consumers.api.authentication import caller_of
from consumers.models import AccessToken, APIClient, Partner
from consumers.operations.api_clients import disable_api_client
from tests.builders import make_api_client, make_partner, make_token

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class WhoAmI(APIView):
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        return Response({"partner_id": caller.partner_id, "name": caller.client_name})

    def post(self, request: Request) -> Response:
        return Response({"requires_key": caller_of(request).requires_idempotency_key})


urlpatterns = [path("v2/me/", WhoAmI.as_view())]


def ask(token: str, *, method: str = "GET") -> Any:
    headers = {"authorization": f"Bearer {token}"}
    return Client().generic(method, "/v2/me/", headers=headers)


def test_knows_the_partner_and_client_behind_a_token() -> None:
    partner = make_partner()
    made = make_api_client(partner=partner, name="Payroll")
    answer = ask(make_token(client=made.client))
    assert answer.json() == {"partner_id": str(partner.pk), "name": "Payroll"}


def test_knows_that_a_partner_requires_keys() -> None:
    token = make_token(partner=make_partner(requires_idempotency_key=True))
    assert ask(token, method="POST").json() == {"requires_key": True}


def test_needs_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token = make_token()
    with django_assert_num_queries(1):
        assert ask(token).status_code == 200


def test_takes_any_case_of_the_scheme() -> None:
    headers = {"authorization": f"bEARER {make_token()}"}
    assert Client().get("/v2/me/", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Token abc"])
def test_without_a_token_asks_for_one(header: str) -> None:
    answer = Client().get("/v2/me/", headers={"authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="payouts"'
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nobody",
        "Bearer a b",
        "Bearer ü",
        "BearerX",
        "Bearer " + "x" * 999,
    ],
)
def test_refuses_what_is_no_token_of_ours(header: str) -> None:
    answer = Client().get("/v2/me/", headers={"authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    challenge = 'Bearer realm="payouts", error="invalid_token"'
    assert answer.headers["WWW-Authenticate"] == challenge


def test_refuses_an_expired_token() -> None:
    token = make_token()
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ask(token).status_code == 401


def test_a_token_dies_at_once_when_its_client_is_disabled() -> None:
    made = make_api_client()
    token = make_token(client=made.client)
    assert ask(token).status_code == 200
    disable_api_client(made.client)
    assert ask(token).status_code == 401


def test_a_token_dies_at_once_when_its_partner_becomes_inactive() -> None:
    token = make_token()
    Partner.objects.update(is_active=False)
    assert ask(token).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "method", "status"),
    [
        (["api:read"], "GET", 200),
        (["api:read"], "HEAD", 200),
        (["api:read"], "POST", 403),
        (["api:write"], "GET", 200),
        (["api:write"], "POST", 200),
        (["api:read", "api:write"], "POST", 200),
        (["api:read"], "DELETE", 403),
        (["api:write"], "DELETE", 405),
    ],
)
def test_reading_needs_any_scope_and_changing_needs_write(
    scopes: list[str], method: str, status: int
) -> None:
    assert ask(make_token(scopes=scopes), method=method).status_code == status


def test_names_the_scope_that_is_missing() -> None:
    answer = ask(make_token(scopes=["api:read"]), method="POST")
    assert answer.json()["code"] == "insufficient_scope"
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="payouts", error="insufficient_scope", scope="api:write"'
    )


def test_a_scope_taken_from_the_client_is_gone_from_its_tokens() -> None:
    token = make_token()
    APIClient.objects.update(scopes=["api:read"])
    assert ask(token).status_code == 200
    assert ask(token, method="POST").status_code == 403
