"""Every refusal is a problem document (RFC 9457), whoever refuses."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.test import Client
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import rest
from consumers.api.permissions import InsufficientScope
from consumers.api.problems import (
    FieldError,
    Problem,
    RequestRefused,
    Throttled,
    refusal,
)

pytestmark = pytest.mark.urls(__name__)

MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}

to_raise: list[Exception] = []


class Raising(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        raise to_raise[-1]

    def post(self, request: Request) -> Response:
        return Response({"read": request.data})


class RaisingPage(Raising):
    """An endpoint that shows a page, as the API's documents do."""

    renderer_classes = (TemplateHTMLRenderer,)


def raising(request: HttpRequest) -> HttpResponse:
    raise to_raise[-1]


urlpatterns = [
    path("v2/endpoint/", Raising.as_view()),
    path("v2/page/", RaisingPage.as_view()),
    path("v2/plain/", raising),
    path("page/", raising),
]
handler400 = "config.rest.bad_request"
handler403 = "config.rest.permission_denied"
handler404 = "config.rest.page_not_found"
handler500 = "config.rest.server_error"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    to_raise.clear()


def answer_to(exception: Exception, address: str = "/v2/endpoint/") -> Any:
    to_raise.append(exception)
    return Client(raise_request_exception=False).get(address)


def problem_in(answer: Any) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(answer.content)
    assert document.keys() >= MEMBERS
    assert document["status"] == answer.status_code
    assert document["type"] == f"urn:problem-type:payouts:{document['code']}"
    assert document["request_id"] == answer.headers["Request-Id"]
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (exceptions.ParseError(), 400, "malformed_json"),
        (RequestRefused("invalid_cursor", "No."), 400, "invalid_cursor"),
        (UnreadablePostError(), 400, "incomplete_body"),
        (SuspiciousOperation("secret"), 400, "invalid_request"),
        # DRF turns 401 into 403 for an endpoint without an authenticator; see test_authentication.
        (exceptions.NotAuthenticated(), 403, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 403, "invalid_token"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied(), 403, "permission_denied"),
        (InsufficientScope("api:write"), 403, "insufficient_scope"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404("Payment 7 of somebody"), 404, "not_found"),
        (exceptions.MethodNotAllowed("GET"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7.2), 429, "throttled"),
        (Throttled("too_early", "Wait.", retry_after_seconds=3), 429, "too_early"),
        (exceptions.APIException("secret"), 500, "internal_error"),
        (KeyError("secret"), 500, "internal_error"),
        (OperationalError("secret"), 503, "unavailable"),
        (InterfaceError("secret"), 503, "unavailable"),
    ],
)
def test_has_one_form_for_every_exception(exception: Exception, status: int, code: str) -> None:
    answer = answer_to(exception)
    assert (answer.status_code, problem_in(answer)["code"]) == (status, code)


def test_a_page_refuses_in_the_same_form() -> None:
    answer = answer_to(SuspiciousOperation("secret"), "/v2/page/")
    assert (answer.status_code, problem_in(answer)["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("address", ["/v2", "/auth", "/v2/nothing"])
def test_what_no_endpoint_has_is_a_problem_too(address: str) -> None:
    assert problem_in(Client().get(address))["code"] == "not_found"


def test_says_nothing_about_an_unknown_exception_but_logs_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = answer_to(KeyError("the secret of the house"))
    assert b"secret" not in answer.content
    assert "the secret of the house" in caplog.text
    assert "Traceback" in caplog.text


def test_says_when_to_come_back_while_the_database_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = answer_to(OperationalError("could not connect to the secret host"))
    assert int(answer.headers["Retry-After"]) > 0
    assert b"secret" not in answer.content
    assert "secret host" in caplog.text


def test_says_nothing_of_what_was_not_found() -> None:
    assert b"somebody" not in answer_to(Http404("Payment 7 of somebody")).content


def test_names_every_wrong_field_by_its_path() -> None:
    detail: Any = {
        "amount": [exceptions.ErrorDetail("Too small.", "min_value")],
        "metadata": {"colour": [exceptions.ErrorDetail("A string.", "invalid")]},
        "rows": [{}, {"name": [exceptions.ErrorDetail("Missing.", "required")]}],
        "non_field_errors": [exceptions.ErrorDetail("Nothing fits.", "mismatch")],
    }
    document = problem_in(answer_to(exceptions.ValidationError(detail)))
    assert document["code"] == "invalid_request"
    assert document["errors"] == [
        {"field": "amount", "code": "min_value", "message": "Too small."},
        {"field": "metadata.colour", "code": "invalid", "message": "A string."},
        {"field": "rows.1.name", "code": "required", "message": "Missing."},
        {"field": "", "code": "mismatch", "message": "Nothing fits."},
    ]


def test_lists_the_problems_of_a_nested_serializer() -> None:
    class Inner(serializers.Serializer[Any]):
        size = serializers.IntegerField()

    class Outer(serializers.Serializer[Any]):
        inner = Inner()
        sizes = serializers.ListField(child=serializers.IntegerField())

    outer = Outer(data={"inner": {"size": "x"}, "sizes": [1, "x"]})
    with pytest.raises(exceptions.ValidationError) as caught:
        outer.is_valid(raise_exception=True)
    document = problem_in(answer_to(caught.value))
    assert [error["field"] for error in document["errors"]] == ["inner.size", "sizes.1"]


def test_says_when_to_come_again() -> None:
    assert answer_to(exceptions.Throttled(wait=7.2)).headers["Retry-After"] == "8"
    assert answer_to(exceptions.Throttled()).headers["Retry-After"] == "1"
    throttled = Throttled("too_early", "Wait.", retry_after_seconds=3)
    assert answer_to(throttled).headers["Retry-After"] == "3"


def test_says_which_methods_are_allowed() -> None:
    answer = Client().delete("/v2/endpoint/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_says_which_scope_is_missing() -> None:
    challenge = answer_to(InsufficientScope("api:write")).headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="payouts", error="insufficient_scope", scope="api:write"'


class FundsMissing(Exception):
    def __init__(self, *problems: FieldError) -> None:
        super().__init__("The balance is too small.")
        self.problems = problems


class NearlyEnough(FundsMissing):
    pass


@pytest.fixture
def _with_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = refusal(422, "insufficient_funds", "Not enough money.", field="amount")
    monkeypatch.setattr(rest, "DOMAIN_PROBLEMS", {FundsMissing: row})


@pytest.mark.usefixtures("_with_a_row")
@pytest.mark.parametrize("kind", [FundsMissing, NearlyEnough])
def test_answers_an_operations_refusal_by_the_table(kind: type[FundsMissing]) -> None:
    document = problem_in(answer_to(kind(FieldError("amount", "too_much", "Only 3."))))
    assert (document["status"], document["code"]) == (422, "insufficient_funds")
    assert document["detail"] == "The balance is too small."
    assert document["errors"] == [{"field": "amount", "code": "too_much", "message": "Only 3."}]


@pytest.mark.usefixtures("_with_a_row")
def test_a_refusal_of_one_field_names_it() -> None:
    [error] = problem_in(answer_to(FundsMissing()))["errors"]
    assert (error["field"], error["code"]) == ("amount", "insufficient_funds")


def test_adds_members_and_headers_of_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(
        status=409, code="exists", title="It exists.", members={"id": 7}, headers={"X-Id": "7"}
    )
    monkeypatch.setattr(rest, "DOMAIN_PROBLEMS", {FundsMissing: lambda exception: problem})
    answer = answer_to(FundsMissing())
    assert problem_in(answer)["id"] == 7
    assert answer.headers["X-Id"] == "7"


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (SuspiciousOperation("secret"), 400, "invalid_request"),
        (PermissionDenied("secret"), 403, "permission_denied"),
        (Http404("secret"), 404, "not_found"),
        (KeyError("secret"), 500, "internal_error"),
    ],
)
def test_addresses_without_an_endpoint_answer_alike(
    exception: Exception, status: int, code: str
) -> None:
    answer = answer_to(exception, "/v2/plain/")
    assert (answer.status_code, problem_in(answer)["code"]) == (status, code)
    assert b"secret" not in answer.content


@pytest.mark.parametrize("address", ["/v2/nothing/", "/v2/endpoint", "/auth/", "/v2/%00/"])
def test_an_unknown_address_of_the_api_is_a_problem(address: str) -> None:
    answer = Client().get(address)
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


def test_people_keep_their_pages() -> None:
    for exception in (SuspiciousOperation(), PermissionDenied(), Http404(), KeyError()):
        answer = answer_to(exception, "/page/")
        assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "malformed_json"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("{}", "", 415, "unsupported_media_type"),
        ("{}", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
        (" " * 70_000, "application/json", 413, "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    body: str, content_type: str, status: int, code: str
) -> None:
    answer = Client().generic("POST", "/v2/endpoint/", body, content_type=content_type)
    assert (answer.status_code, problem_in(answer)["code"]) == (status, code)


def test_answers_json_whatever_is_accepted() -> None:
    answer = Client().post(
        "/v2/endpoint/",
        '{"amount": 1.10}',
        content_type="application/json",
        headers={"accept": "text/html"},
    )
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == b'{"read":{"amount":1.10}}'
