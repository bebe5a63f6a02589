"""JSON in and out, exactly."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request

from consumers.api.exact_json import (
    LARGEST_BODY_BYTES,
    ExactJSONParser,
    OnlyJSON,
    is_secret_name,
    parsed,
    rendered,
)
from consumers.api.problems import BodyTooLarge, RequestRefused

# fmt: off
SECRET_NAMES = [
    "cvv", "CVV", "cvc", "cvv2", "CVC2", "cvv-2", "card_cvv", "cardCvv", "cardCVC2", "cvvCode",
    "cvv_code", "c.v.v", "card_security_code", "securityCode", "verificationValue",
    "card_verification_number", "pin", "PIN", "card_pin", "cardPin", "cardpin", "pinBlock",
    "pin_block", "track", "track1", "Track2Data", "track_data", "magstripe", "magnetic_stripe",
    "csc", "\uff43\uff56\uff56",
]
HARMLESS_NAMES = [
    "number", "description", "pcid", "recv_count", "shipping_pinned", "tracking_number",
    "spinner", "opinion", "postal_code", "expiration_month", "cid", "pinterest_id",
    "soundtrack", "discipline", "nickname",
]
# fmt: on


def refusal_of(text: bytes) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        parsed(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "number"),
    [("100.10", "100.10"), ("1e2", "1E+2"), ("0.1", "0.1"), ("1.7976931348623157e308", None)],
)
def test_numbers_with_a_fraction_or_exponent_become_exact_decimals(
    text: str, number: str | None
) -> None:
    value = parsed(f'{{"amount": {text}}}'.encode())["amount"]
    assert isinstance(value, Decimal)
    assert str(value) == (number or str(Decimal(text)))


def test_whole_numbers_stay_whole() -> None:
    assert parsed(b'{"amount": 100}') == {"amount": 100}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"amount": 1,}', "malformed_json"),
        (b'{"amount": 01}', "malformed_json"),
        (b'{"amount": NaN}', "malformed_json"),
        (b'{"amount": -Infinity}', "malformed_json"),
        (b'{"name": "a\x00b"}', "malformed_json"),
        (b'\xef\xbb\xbf{"amount": 1}', "malformed_json"),
        (b'{"name": "\xff"}', "invalid_utf8"),
        (b'{"name": "\xed\xa0\x80"}', "invalid_utf8"),
        (b'{"name": "\xc0\x80"}', "invalid_utf8"),
        ('{"amount": 1}'.encode("utf-16"), "invalid_utf8"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"1", "not_an_object"),
        (b'{"amount": 1, "amount": 2}', "duplicate_key"),
        (b'{"metadata": {"a": 1, "\\u0061": 2}}', "duplicate_key"),
        (b'{"name": "\\u0000"}', "invalid_text"),
        (b'{"metadata": {"\\u0000": "x"}}', "invalid_text"),
        (b'{"list": ["\\ud800"]}', "invalid_text"),
        (b'{"name": "\\udc00\\ud800"}', "invalid_text"),
        (b'{"amount": 1e999}', "number_out_of_range"),
        (b'{"amount": 1e-999}', "number_out_of_range"),
        (b'{"amount": 1e99999999999999999999}', "number_out_of_range"),
        (b'{"amount": ' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'{"amount": 0.' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'{"a":' + b"[" * 17 + b"]" * 17 + b"}", "nested_too_deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested_too_deeply"),
        (b'{"a":' + b"[" * 30_000, "nested_too_deeply"),
    ],
)
def test_refuses_what_no_request_may_contain(text: bytes, code: str) -> None:
    refused = refusal_of(text)
    assert (refused.status_code, refused.get_codes()) == (400, code)


def test_takes_sixteen_levels_and_brackets_in_text() -> None:
    assert parsed(b'{"a":' + b"[" * 15 + b"]" * 15 + b"}")
    assert parsed(b'{"name": "' + b"{[" * 100 + b'"}')


def test_takes_escaped_text_outside_the_basic_plane() -> None:
    assert parsed(b'{"name": "\\ud83d\\ude00"}') == {"name": "😀"}


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_recognises_security_codes_pins_and_tracks_however_spelt(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_leaves_other_names_alone(name: str) -> None:
    assert not is_secret_name(name)


def test_refuses_a_security_code_at_any_depth_without_repeating_it() -> None:
    refused = refusal_of(b'{"metadata": {"list": [{"CVV2": "739"}]}}')
    assert refused.get_codes() == "sensitive_authentication_data"
    assert [error.field for error in refused.errors] == ["CVV2"]
    assert "739" not in f"{refused.detail} {refused.errors}"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b'{"cvv": "739", "a": 1, "pin": "1"}', ["cvv", "pin"]),
        (b'{"a": 1, "b": 1, "a": 2, "b": 2, "c": 1}', ["a", "b"]),
        (
            b'{"a": "\\u0000", "b": {"c": ["x", "\\ud800"]}, "\\u0000": 1, "d": "x"}',
            ["a", "b.c.1", "?"],
        ),
    ],
)
def test_names_every_field_that_is_wrong_in_the_same_way(text: bytes, fields: list[str]) -> None:
    assert [error.field for error in refusal_of(text).errors] == fields


def test_never_repeats_a_card_number_that_was_sent_as_a_name() -> None:
    refused = refusal_of(b'{"4111 1111 1111 1111": 1, "4111 1111 1111 1111": 1}')
    assert "1111" not in f"{refused.detail} {refused.errors}"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with contextlib.suppress(RequestRefused):
        assert isinstance(parsed(text), dict)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts,
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=1), json_values, max_size=5))
def test_reads_whatever_json_says(document: dict[str, Any]) -> None:
    assert parsed(json.dumps(document).encode()) == document


class TestBodies:
    def parse(self, body: bytes, *, announced: str) -> dict[str, Any]:
        request = Request(RequestFactory().post("/", CONTENT_LENGTH=announced))
        return ExactJSONParser().parse(BytesIO(body), None, {"request": request})

    def test_refuses_an_announced_length_without_reading_what_it_says(self) -> None:
        with pytest.raises(BodyTooLarge):
            self.parse(b"{}", announced=str(LARGEST_BODY_BYTES + 1))

    def test_refuses_more_than_was_announced(self) -> None:
        with pytest.raises(BodyTooLarge):
            self.parse(b" " * (LARGEST_BODY_BYTES + 1), announced="2")

    def test_takes_the_largest_body(self) -> None:
        body = b"{}".ljust(LARGEST_BODY_BYTES)
        assert self.parse(body, announced=str(len(body))) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("100.00"), b"100.00"),
        (Decimal("0.10"), b"0.10"),
        (Decimal("1E+3"), b"1000"),
        (Decimal("-0.05"), b"-0.05"),
        (datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC), b'"2026-01-02T03:04:05.000600Z"'),
        (UUID(int=7), b'"00000000-0000-0000-0000-000000000007"'),
        (None, b"null"),
    ],
)
def test_writes_values_exactly(value: object, text: bytes) -> None:
    assert rendered({"value": value}) == b'{"value":' + text + b"}"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_refuses_to_write_what_has_no_json_form(value: object) -> None:
    with pytest.raises(TypeError):
        rendered({"value": value})


@pytest.mark.parametrize(
    ("content_type", "is_taken"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/json", False),
        ("application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_only_json_is_parsed(content_type: str, is_taken: bool) -> None:  # noqa: FBT001
    request = Request(RequestFactory().generic("POST", "/", b"{}", content_type=content_type))
    parser = OnlyJSON().select_parser(request, [ExactJSONParser()])
    assert (parser is not None) is is_taken
