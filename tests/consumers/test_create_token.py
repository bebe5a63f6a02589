"""POST /auth/token/"""

import base64
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from consumers.models import AccessToken
from consumers.operations.api_clients import NewClient, add_client_secret, disable_api_client
from tests.builders import make_api_client, make_partner

pytestmark = [pytest.mark.django_db, pytest.mark.urls("consumers.api.urls")]

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def made() -> NewClient:
    return make_api_client()


def credentials(made: NewClient, **more: Any) -> dict[str, Any]:
    return {
        "grant_type": "client_credentials",
        "client_id": made.client.client_id,
        "client_secret": made.secret,
        **more,
    }


def post(body: Any, *, content_type: str = "application/json", **headers: str) -> Any:
    return Client().post("/auth/token/", body, content_type=content_type, headers=headers)


def test_gives_the_published_answer(made: NewClient) -> None:
    answer = post(credentials(made))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert document.pop("access_token")
    assert document == {"expires_in": 86400, "token_type": "Bearer", "scope": "api:read api:write"}


def test_takes_a_form_as_well(made: NewClient) -> None:
    body = f"grant_type=client_credentials&client_id={made.client.client_id}"
    answer = post(f"{body}&client_secret={made.secret}&scope=api%3Aread", content_type=FORM)
    assert answer.status_code == 200
    assert answer.json()["scope"] == "api:read"


def test_takes_http_basic_as_well(made: NewClient) -> None:
    pair = base64.b64encode(f"{made.client.client_id}:{made.secret}".encode()).decode()
    answer = post({"grant_type": "client_credentials"}, authorization=f"Basic {pair}")
    assert answer.status_code == 200


def test_takes_each_of_two_secrets(made: NewClient) -> None:
    second = add_client_secret(made.client)
    assert post(credentials(made, client_secret=second)).status_code == 200
    assert post(credentials(made)).status_code == 200


def test_the_token_is_good_for_a_day(made: NewClient) -> None:
    post(credentials(made))
    token = AccessToken.objects.get()
    assert token.expires_at - timezone.now() == pytest.approx(
        timedelta(days=1), abs=timedelta(minutes=1)
    )


def test_gives_only_the_scope_that_was_asked_for(made: NewClient) -> None:
    answer = post(credentials(made, scope="api:read api:read"))
    assert answer.json()["scope"] == "api:read"
    assert AccessToken.objects.get().scopes == ["api:read"]


def test_refuses_a_scope_beyond_the_clients() -> None:
    reader = make_api_client(scopes=["api:read"])
    answer = post(credentials(reader, scope="api:read api:write"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("scope", ["api:everything", "api:read\0", "API:READ"])
def test_refuses_an_unknown_scope(made: NewClient, scope: str) -> None:
    answer = post(f"scope={scope}&" + form_of(made), content_type=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def form_of(made: NewClient) -> str:
    return "&".join(f"{name}={value}" for name, value in credentials(made).items())


def test_an_unknown_client_and_a_wrong_secret_look_the_same(made: NewClient) -> None:
    wrong = post(credentials(made, client_secret="guess"))
    unknown = post(credentials(made, client_id="nobody"))
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.json()["error"] == "invalid_client"
    assert wrong.headers["WWW-Authenticate"].startswith("Basic ")
    assert not AccessToken.objects.exists()


def test_refuses_a_disabled_client(made: NewClient) -> None:
    disable_api_client(made.client)
    assert post(credentials(made)).json() == {"error": "invalid_client"}


def test_refuses_a_client_of_an_inactive_partner() -> None:
    made = make_api_client(partner=make_partner(is_active=False))
    assert post(credentials(made)).status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 1}, "invalid_request"),
        ({"client_id": ["a"]}, "invalid_request"),
        ({"scope": {"api:read": True}}, "invalid_request"),
    ],
)
def test_names_what_is_wrong_as_the_standard_does(
    made: NewClient, change: dict[str, Any], error: str
) -> None:
    answer = post(credentials(made, **change))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("", "application/json"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ('{"grant_type": "client_credentials", "grant_type": "password"}', "application/json"),
        ("grant_type=client_credentials&grant_type=client_credentials", FORM),
        ("grant_type=%FF", FORM),
        ("&".join(f"a{number}=1" for number in range(40)), FORM),
    ],
)
def test_an_unreadable_body_is_an_invalid_request(body: str, content_type: str) -> None:
    answer = post(body, content_type=content_type)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_ignores_parameters_that_the_standard_does_not_know(made: NewClient) -> None:
    assert post(credentials(made, audience="payouts", state="x")).status_code == 200


def test_refuses_credentials_in_two_ways(made: NewClient) -> None:
    answer = post(credentials(made), authorization="Basic eDp5")
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("encoded", ["", "?", "/w==", "eA=="])
def test_unreadable_basic_credentials_are_nobodys(encoded: str) -> None:
    answer = post({"grant_type": "client_credentials"}, authorization=f"Basic {encoded}")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_no_log_shows_a_secret_or_token(made: NewClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        token = post(credentials(made)).json()["access_token"]
    assert token not in caplog.text
    assert made.secret not in caplog.text


def test_refuses_parameters_in_the_address(made: NewClient) -> None:
    answer = Client().post(f"/auth/token/?{form_of(made)}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_other_methods_and_bodies_get_a_problem_document() -> None:
    assert Client().get("/auth/token/").status_code == 405
    answer = post("<grant/>", content_type="text/xml")
    assert answer.status_code == 415
    assert json.loads(answer.content)["code"] == "unsupported_media_type"


def test_needs_four_statements(
    made: NewClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # The client, its secrets, the sweep of its expired tokens, and the token.
    with django_assert_num_queries(4):
        post(credentials(made))
