"""What browsers are told about pages, and that the API is not served over plain HTTP."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

SCRIPTS = "script-src 'self'"


def policy(client: Client, path: str) -> str:
    return str(client.get(path).headers["Content-Security-Policy"])


def test_an_answer_that_is_no_page_may_load_nothing(client: Client) -> None:
    assert policy(client, "/healthz") == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.django_db
def test_a_staff_page_may_evaluate_but_not_run_inline_scripts(client: Client) -> None:
    rules = policy(client, "/admin/login/").split("; ")
    assert f"{SCRIPTS} 'unsafe-eval'" in rules
    assert "frame-ancestors 'none'" in rules
    assert "form-action 'self'" in rules


def test_the_documents_of_the_api_may_not_evaluate(client: Client) -> None:
    assert SCRIPTS in policy(client, "/v2/docs/").split("; ")


@pytest.mark.django_db
def test_no_page_may_be_framed(client: Client) -> None:
    assert client.get("/admin/login/").headers["X-Frame-Options"] == "DENY"


class TestOverPlainHTTPInProduction:
    @pytest.fixture(autouse=True)
    def _production(self, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True

    @pytest.mark.parametrize("path", ["/v2/balance/", "/auth/token/"])
    def test_the_api_refuses(self, client: Client, path: str) -> None:
        answer = client.post(path)
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "https_required"
        assert answer.json()["request_id"] == answer.headers["Request-Id"]

    def test_pages_send_people_to_https(self, client: Client) -> None:
        answer = client.get("/admin/")
        assert answer.status_code == 301
        assert answer.headers["Location"] == "https://testserver/admin/"

    def test_probes_are_answered(self, client: Client) -> None:
        assert client.get("/healthz").status_code == 200

    def test_the_api_answers_over_https(self, client: Client) -> None:
        assert client.post("/auth/token/", secure=True).status_code != 403
