"""Whatever arrives at POST /v2/payments/oct/: a clear problem document, and nothing is stored."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.models import PaymentCard
from tests.builders import make_card, make_consumer
from tests.payouts.api.caller import (
    BALANCE,
    CREATE,
    QUOTE,
    Caller,
    nothing_is_stored,
    problem_in,
    wish,
    wrong_fields,
)
from tests.pushes import make_funded_partner

pytestmark = pytest.mark.django_db

CARD = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PAN = "4111111111111111"


@pytest.fixture(autouse=True)
def _nothing_is_stored(caller: Caller, card: PaymentCard) -> Iterator[None]:
    """Every test of this file is about a refusal."""
    with nothing_is_stored():
        yield


def body_with(card: PaymentCard, name: str, written: str) -> str:
    """The body of a good create, but for one member that is written like this."""
    return json.dumps(wish(card, **{name: "@@"})).replace('"@@"', written)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("0", "too_small"),
        ("-1", "too_small"),
        ("-0.0", "too_small"),
        ("0.001", "too_many_decimals"),
        ("12.345", "too_many_decimals"),
        ("1e-400", "too_many_decimals"),
        ("50000.001", "too_large"),
        ("50000.01", "too_large"),
        ("1000000000", "too_large"),
        ("1e9", "too_large"),
        ("1e400", "too_large"),
        ("9" * 399, "too_large"),
        ('"1e2"', "invalid"),
        ('"-5"', "invalid"),
        ('"+5"', "invalid"),
        ('" 5"', "invalid"),
        ('"5\\n"', "invalid"),
        ('"5,00"', "invalid"),
        ('"1_000"', "invalid"),
        ('"\u0665"', "invalid"),
        ('"NaN"', "invalid"),
        ('"Infinity"', "invalid"),
        ('"0x10"', "invalid"),
        ('"1' + "0" * 5000 + '"', "invalid"),
        ('""', "invalid"),
        ("true", "invalid"),
        ("null", "null"),
        ("[100]", "invalid"),
        ('{"value": 100}', "invalid"),
    ],
)
def test_refuses_an_amount(caller: Caller, card: PaymentCard, written: str, code: str) -> None:
    for address in (CREATE, QUOTE):
        answer = caller.send(address, body_with(card, "amount", written))
        document = problem_in(answer, status=400, code="invalid_request")
        assert wrong_fields(document) == {"amount": code}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("NaN", "malformed_json"),
        ("Infinity", "malformed_json"),
        ("-Infinity", "malformed_json"),
        ("1e401", "number_out_of_range"),
        ("1e999999999999999999999", "number_out_of_range"),
        ("-1e9999999", "number_out_of_range"),
        ("9" * 5000, "number_out_of_range"),
        ("0." + "1" * 5000, "number_out_of_range"),
        ("01", "malformed_json"),
        (".5", "malformed_json"),
        ("1.", "malformed_json"),
        ("0x10", "malformed_json"),
        ("'5'", "malformed_json"),
        ("", "malformed_json"),
    ],
)
def test_refuses_what_is_no_number_at_all(
    caller: Caller, card: PaymentCard, written: str, code: str
) -> None:
    answer = caller.send(CREATE, body_with(card, "amount", written))
    problem_in(answer, status=400, code=code)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("consumer_id", "", "blank"),
        ("consumer_id", "x" * 129, "max_length"),
        ("consumer_id", 5, "invalid"),
        ("consumer_id", ["a"], "invalid"),
        ("consumer_id", {"a": 1}, "invalid"),
        ("consumer_id", True, "invalid"),
        ("consumer_id", "a\nb", "control_characters"),
        ("external_payment_card_id", "", "invalid"),
        ("external_payment_card_id", CARD.replace("-", ""), "invalid"),
        ("external_payment_card_id", "{" + CARD + "}", "invalid"),
        ("external_payment_card_id", "urn:uuid:" + CARD, "invalid"),
        ("external_payment_card_id", CARD + "\n", "invalid"),
        ("external_payment_card_id", 5, "invalid"),
        ("external_payment_card_id", [CARD], "invalid"),
        ("description", "x" * 501, "max_length"),
        ("description", "\x1b[31mred", "control_characters"),
        ("description", "a\x85b", "control_characters"),
        ("description", 5, "invalid"),
        ("description", None, "null"),
        ("reference", "x" * 65, "max_length"),
        ("reference", "a\r\nX-Injected: 1", "control_characters"),
        ("reference", "a\tb", "control_characters"),
        ("metadata", [], "invalid"),
        ("metadata", "a", "invalid"),
        ("metadata", None, "null"),
        ("metadata", {"a": 1}, "invalid"),
        ("metadata", {"a": None}, "invalid"),
        ("metadata", {"a": {"b": "c"}}, "invalid"),
        ("metadata", {"a": ["b"]}, "invalid"),
        ("description", "card 4111-1111-1111-1111\nof Ada", "card_number"),
        ("reference", PAN, "card_number"),
        ("metadata", {"card": f"is {PAN}"}, "card_number"),
        ("metadata", {PAN: "b"}, "card_number"),
        ("metadata", {"": "b"}, "key_too_long"),
        ("metadata", {"k" * 41: "b"}, "key_too_long"),
        ("metadata", {"k": "v" * 501}, "value_too_long"),
        ("metadata", {str(number): "v" for number in range(21)}, "too_many_keys"),
    ],
)
def test_refuses_a_member(
    caller: Caller, card: PaymentCard, name: str, value: Any, code: str
) -> None:
    answer = caller.create(card, **{name: value})
    document = problem_in(answer, status=400, code="invalid_request")
    assert wrong_fields(document) == {name: code}
    assert len(answer.content) < 1000


@pytest.mark.parametrize("name", ["amount_usd", "Amount", "id", "status", "x" * 5000, "a\nb", "_"])
def test_refuses_an_unknown_member(caller: Caller, card: PaymentCard, name: str) -> None:
    answer = caller.post(CREATE, wish(card, **{name: 1}))
    document = problem_in(answer, status=400, code="invalid_request")
    assert list(wrong_fields(document).values()) == ["unknown_field"]
    assert len(answer.content) < 1000


def test_does_not_repeat_a_card_number_that_was_sent_as_a_name(
    caller: Caller, card: PaymentCard
) -> None:
    answer = caller.create(card, **{PAN: "4111"})
    problem_in(answer, status=400, code="invalid_request")
    assert PAN.encode() not in answer.content


@pytest.mark.parametrize(
    "carrier",
    [
        {"cvv": "123"},
        {"CVC2": "123"},
        {"card": {"securityCode": "123"}},
        {"metadata": {"cvv": "123"}},
        {"metadata": {"card pin": "1234"}},
        {"description": {"a": [{"deep": {"card_verification_value": "123"}}]}},
        {"track-2": ";4111"},
    ],
)
def test_refuses_sensitive_authentication_data(
    caller: Caller, card: PaymentCard, carrier: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    for address in (CREATE, QUOTE):
        answer = caller.post(address, wish(card, **carrier))
        problem_in(answer, status=400, code="sensitive_authentication_data")
        # The request id is random hex and may hold these digits by chance.
        told = {**answer.json(), "request_id": ""}
        assert "123" not in str(told)
    assert "123" not in caplog.text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_request"),
        (b" ", "malformed_json"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"5", "not_an_object"),
        (b"{", "malformed_json"),
        (b"{}}", "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b"{a: 1}", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b'{"a": 1} // comment', "malformed_json"),
        (b'{"amount": 1, "amount": 2}', "duplicate_key"),
        (b'{"metadata": {"a": "1", "a": "1"}}', "duplicate_key"),
        (b'\xef\xbb\xbf{"amount": 1}', "malformed_json"),
        (b'{"description": "\xff"}', "invalid_utf8"),
        (b'{"description": "\xc0\x80"}', "invalid_utf8"),
        (b'{"description": "\xed\xa0\x80"}', "invalid_utf8"),
        ('{"amount": 1}'.encode("utf-16"), "invalid_utf8"),
        (b'{"description": "a\x00b"}', "malformed_json"),
        (b'{"description": "a\\u0000b"}', "invalid_text"),
        (b'{"description": "\\ud800"}', "invalid_text"),
        (b'{"metadata": {"\\u0000": "a"}}', "invalid_text"),
        (b'{"description": "a\nb"}', "malformed_json"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "nested_too_deeply"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested_too_deeply"),
        (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested_too_deeply"),
        (b"[" * 60_000, "nested_too_deeply"),
    ],
)
def test_refuses_a_body(caller: Caller, content: bytes, code: str) -> None:
    problem_in(caller.send(CREATE, content), status=400, code=code)


@pytest.mark.parametrize("size", [64 * 1024 + 1, 10 * 1024 * 1024])
def test_refuses_a_body_of_many_bytes(caller: Caller, size: int) -> None:
    content = b'{"description": "' + b"x" * (size - 19) + b'"}'
    problem_in(caller.send(CREATE, content), status=413, code="body_too_large")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/json-patch+json",
        "text/json",
        "*/*",
        "json",
    ],
)
def test_refuses_a_body_that_is_not_json(
    caller: Caller, card: PaymentCard, content_type: str
) -> None:
    answer = caller.send(CREATE, json.dumps(wish(card)), content_type=content_type)
    problem_in(answer, status=415, code="unsupported_media_type")


def test_refuses_a_form(caller: Caller, card: PaymentCard) -> None:
    form = "&".join(f"{name}={value}" for name, value in wish(card).items())
    answer = caller.send(CREATE, form, content_type="application/x-www-form-urlencoded")
    problem_in(answer, status=415, code="unsupported_media_type")


def test_refuses_a_body_that_ends_early(caller: Caller, card: PaymentCard) -> None:
    content = json.dumps(wish(card)).encode()[:-20]
    problem_in(caller.send(CREATE, content), status=400, code="malformed_json")


class TestWhomAndWhere:
    @pytest.fixture(autouse=True)
    def _nothing_is_stored(self) -> None:
        """These tests make rows of their own."""

    def refused(self, caller: Caller, card: PaymentCard, code: str, **asked: Any) -> None:
        with nothing_is_stored():
            answer = caller.create(card, **asked)
        problem_in(answer, status=422, code=code)

    def test_a_closed_consumer(self, caller: Caller) -> None:
        consumer = make_consumer(partner=caller.partner, is_active=False)
        self.refused(caller, make_card(consumer=consumer), "consumer_inactive")

    def test_an_expired_card(self, caller: Caller) -> None:
        consumer = make_consumer(partner=caller.partner)
        card = make_card(consumer=consumer, expiration_year=2020)
        self.refused(caller, card, "card_expired")

    def test_a_deactivated_card(self, caller: Caller) -> None:
        consumer = make_consumer(partner=caller.partner)
        self.refused(caller, make_card(consumer=consumer, status="inactive"), "card_inactive")

    def test_a_card_that_takes_no_pushes(self, caller: Caller) -> None:
        consumer = make_consumer(partner=caller.partner)
        card = make_card(consumer=consumer, push_eligible=False)
        self.refused(caller, card, "card_not_eligible")

    def test_a_foreign_card_for_a_consumer_of_ones_own(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        foreign = make_card(consumer=make_consumer(partner=make_funded_partner()))
        self.refused(caller, card, "card_not_found", external_payment_card_id=str(foreign.pk))

    def test_a_foreign_consumer_by_pcid(self, caller: Caller, card: PaymentCard) -> None:
        make_consumer(partner=make_funded_partner(), pcid="theirs")
        self.refused(caller, card, "payment_refused", consumer_id="theirs")


@pytest.mark.parametrize(
    "address",
    [
        "/v2/payments/oct",
        "/v2/payments/oct/quote",
        f"/v2/payments/oct/{CARD}",
        f"/v2/payments/oct/{CARD}/cancel",
        "/v2/payments/",
        "/v2/",
        "/v2/payments/oct/%00/",
        "/v2/payments/oct/%ff%fe/",
        "/v2/payments/oct/../../admin/",
        f"/v2/payments/oct/{CARD}%0d%0aX-Injected:%201/",
        "/v2/payments/oct/" + "9" * 5000 + "/",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_address_that_is_not_ours_is_not_found(
    caller: Caller, card: PaymentCard, address: str, method: str
) -> None:
    """Also one without its last slash: a redirect would lose the body."""
    answer = caller.send(address, json.dumps(wish(card)), method=method)
    problem_in(answer, status=404, code="not_found")
    assert "X-Injected" not in answer.headers


@pytest.mark.parametrize("address", [CREATE, QUOTE, BALANCE, f"{CREATE}{CARD}/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "POKE"])
def test_an_unknown_method_is_refused(caller: Caller, address: str, method: str) -> None:
    answer = caller.send(address, b"", method=method)
    problem_in(answer, status=405, code="method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) <= {"GET", "POST", "HEAD", "OPTIONS"}


def test_head_answers_as_get_without_a_body(caller: Caller) -> None:
    for address in (CREATE, BALANCE):
        answer = caller.send(address, b"", method="HEAD")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Type"] == "application/json"


def test_options_tells_the_methods_and_needs_a_token(caller: Caller) -> None:
    answer = caller.send(CREATE, b"", method="OPTIONS")
    assert answer.status_code == 200
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    caller.token = "token_of_nobody"
    assert caller.send(CREATE, b"", method="OPTIONS").status_code == 401
