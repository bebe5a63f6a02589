"""GET /v2/schema/: valid OpenAPI 3.1 that says everything, and nothing that is not so."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.builders import make_token

STATUSES_OF_OUR_OWN = {"200", "201", "202", "204"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    served: dict[str, Any] = json.loads(Client().get("/v2/schema/").content)
    return served


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for answer in operation["responses"].values():
        yield from answer.get("content", {}).values()


def examples(content: dict[str, Any]) -> list[Any]:
    named = [example["value"] for example in content.get("examples", {}).values()]
    return [*named, content["example"]] if "example" in content else named


def judge(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def test_is_written_without_an_error_or_a_warning() -> None:
    written = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, api_version="v2", stdout=written)
    assert "openapi: 3.1" in written.getvalue()


def test_is_served_to_everybody_as_json(document: dict[str, Any]) -> None:
    answer = Client().get("/v2/schema/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/vnd.oai.openapi+json")
    assert document["openapi"].startswith("3.1")
    assert (document["info"]["title"], document["info"]["version"]) == ("Payouts API", "2.0.0")


def test_names_every_endpoint(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == {
        "POST /auth/token/",
        "GET /v2/balance/",
        "GET /v2/events/",
        "GET /v2/events/{event_id}/",
        "GET /v2/webhooks/",
        "POST /v2/webhooks/",
        "GET /v2/webhooks/{webhook_id}/",
        "PATCH /v2/webhooks/{webhook_id}/",
        "DELETE /v2/webhooks/{webhook_id}/",
        "POST /v2/webhooks/{webhook_id}/rotate-secret/",
        "POST /v2/webhooks/{webhook_id}/test/",
        "GET /v2/webhooks/{webhook_id}/deliveries/",
        "POST /v2/webhooks/{webhook_id}/replay/",
        "GET /v2/consumers/",
        "POST /v2/consumers/",
        "GET /v2/consumers/{consumer_id}/",
        "PUT /v2/consumers/{consumer_id}/",
        "PATCH /v2/consumers/{consumer_id}/",
        "POST /v2/consumers/{consumer_id}/cancel-account/",
        "GET /v2/consumers/{consumer_id}/external-payment-cards/",
        "POST /v2/consumers/{consumer_id}/external-payment-cards/",
        "GET /v2/consumers/pcid/{pcid}/",
        "GET /v2/external-payment-cards/{card_id}/",
        "PATCH /v2/external-payment-cards/{card_id}/",
        "DELETE /v2/external-payment-cards/{card_id}/",
        "POST /v2/external-payment-cards/{card_id}/check/",
        "GET /v2/payments/oct/",
        "POST /v2/payments/oct/",
        "POST /v2/payments/oct/quote/",
        "GET /v2/payments/oct/{payment_id}/",
        "POST /v2/payments/oct/{payment_id}/cancel/",
        "GET /v2/payments/oct/{payment_id}/events/",
    }


def test_describes_every_operation(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["operationId"], name
        assert operation["summary"], name
        assert operation["description"], name
        for status, answer in operation["responses"].items():
            assert "Request-Id" in answer["headers"], (name, status)


def test_says_how_to_come_in(document: dict[str, Any]) -> None:
    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["flows"]["clientCredentials"]["tokenUrl"] == "/auth/token/"
    assert scheme["flows"]["clientCredentials"]["scopes"].keys() == {"api:read", "api:write"}
    open_to_all = [name for name, one in operations(document) if not one.get("security")]
    assert open_to_all == ["POST /auth/token/"]
    reading = document["paths"]["/v2/balance/"]["get"]["security"]
    writing = document["paths"]["/v2/payments/oct/"]["post"]["security"]
    assert reading == [{"client_token": ["api:read"]}, {"client_token": ["api:write"]}]
    assert writing == [{"client_token": ["api:write"]}]


def test_refusals_are_problem_documents(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if name == "POST /auth/token/":
            continue
        assert {"400", "401", "403"} <= operation["responses"].keys(), name
        for status, answer in operation["responses"].items():
            if status not in STATUSES_OF_OUR_OWN:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_shows_examples_of_every_body_that_are_as_it_says(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for content in contents(operation):
            validator = judge(document, content["schema"])
            for example in examples(content):
                assert list(validator.iter_errors(example)) == [], name


def test_shows_an_example_of_every_request(document: dict[str, Any]) -> None:
    without = {
        name
        for name, operation in operations(document)
        if "requestBody" in operation
        and not examples(operation["requestBody"]["content"]["application/json"])
    }
    # Their bodies have no members.
    assert without == {
        "POST /v2/external-payment-cards/{card_id}/check/",
        "POST /v2/webhooks/{webhook_id}/test/",
    }


def test_its_defaults_are_as_it_says(document: dict[str, Any]) -> None:
    for schema in _schemas(document):
        if "default" in schema:
            assert list(judge(document, schema).iter_errors(schema["default"])) == [], schema


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for inner in value:
            yield from _schemas(inner)
    elif isinstance(value, dict):
        if "type" in value or "oneOf" in value or "anyOf" in value:
            yield value
        for inner in value.values():
            yield from _schemas(inner)


def test_its_schemas_are_schemas(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert not name.startswith("_")
        assert not name.endswith("Shown")


def test_the_headers_of_a_create_are_described(document: dict[str, Any]) -> None:
    create = document["paths"]["/v2/payments/oct/"]["post"]
    assert {one["name"] for one in create["parameters"]} == {"Idempotency-Key", "Prefer"}
    assert create["responses"]["201"]["headers"].keys() == {
        "Idempotent-Replayed",
        "Preference-Applied",
        "Request-Id",
    }
    assert "Retry-After" in create["responses"]["409"]["headers"]


class TestThePage:
    """GET /v2/docs/"""

    def test_takes_everything_from_us(self) -> None:
        page = Client().get("/v2/docs/").content.decode()
        for attribute in ("src=", "href="):
            addresses = [part.split('"')[1] for part in page.split(attribute)[1:]]
            assert addresses
            assert all(address.startswith("/") for address in addresses), addresses

    def test_has_no_inline_script(self) -> None:
        answer = Client().get("/v2/docs/")
        page = answer.content.decode()
        assert page.count("<script") == page.count("<script src=") == page.count("></script>")
        assert "script-src 'self';" in f"{answer.headers['Content-Security-Policy']};"

    def test_has_its_script_at_an_address_of_its_own(self) -> None:
        answer = Client().get("/v2/docs/?script=")
        assert answer.headers["Content-Type"].startswith("application/javascript")
        assert b'url: "/v2/schema/"' in answer.content.replace(b"\\u002D", b"-")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v2/payments/oct/", "/v2/consumers/", "/v2/events/"])
def test_says_of_each_list_whether_a_blank_page_size_is_taken(
    document: dict[str, Any], path: str
) -> None:
    parameters = {one["name"]: one for one in document["paths"][path]["get"]["parameters"]}
    says_so = parameters["page_size"].get("allowEmptyValue", False)
    answer = Client().get(f"{path}?page_size=", headers={"authorization": f"Bearer {make_token()}"})
    assert answer.status_code == (200 if says_so else 400)
