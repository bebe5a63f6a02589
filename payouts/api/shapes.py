"""The shapes of requests about payments, and of the headers that go with them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from consumers.api.problems import RequestRefused
from consumers.api.shapes import Id, Note, Shape, Text
from consumers.typed_numbers import held_card_number
from payouts.money import LARGEST_PUSH, NotAnAmount, parse_amount

MOST_METADATA_KEYS: Final = 20
LONGEST_METADATA_KEY: Final = 40
LONGEST_METADATA_VALUE: Final = 500
LONGEST_WAIT_SECONDS: Final = 30

KEY_HEADER: Final = "Idempotency-Key"

_DECIMAL_TEXT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*(?:;.*)?", re.IGNORECASE)


# The same bound as text: no sign, no exponent, at most two decimals, more than 0, at most 50000.
AMOUNT_AS_TEXT: Final = (
    r"^(?!0*(?:\.0*)?$)0{0,7}(?:[1-4]?[0-9]{1,4}(?:\.[0-9]{1,2})?|50000(?:\.0{1,2})?)$"
)


@extend_schema_field(
    {
        "anyOf": [
            {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": int(LARGEST_PUSH),
                "multipleOf": 0.01,
            },
            {"type": "string", "pattern": AMOUNT_AS_TEXT},
        ],
    }
)
class Amount(serializers.Field[Decimal, Any, Any, Any]):
    """An amount that can be pushed: a JSON number or a decimal string, exact to the cent."""

    default_error_messages = {"invalid": "Must be a number of US dollars."}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | str | Decimal):
            self.fail("invalid")
        if isinstance(data, str) and _DECIMAL_TEXT.fullmatch(data) is None:
            self.fail("invalid")
        try:
            return parse_amount(data if isinstance(data, str) else Decimal(data))
        except NotAnAmount as error:
            raise serializers.ValidationError(str(error), code=error.code) from error


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MOST_METADATA_KEYS,
        "propertyNames": {
            "pattern": r"^[^\u0000]+$",
            "minLength": 1,
            "maxLength": LONGEST_METADATA_KEY,
        },
        "additionalProperties": {
            "type": "string",
            "pattern": r"^[^\u0000]*$",
            "maxLength": LONGEST_METADATA_VALUE,
        },
    }
)
class Metadata(serializers.Field[dict[str, str], Any, Any, Any]):
    """A flat map of strings that the partner keeps with a payment."""

    default_error_messages = {
        "invalid": "Must be an object whose values are strings.",
        "too_many_keys": f"At most {MOST_METADATA_KEYS} keys are allowed.",
        "key_too_long": f"A key has 1 to {LONGEST_METADATA_KEY} characters.",
        "value_too_long": f"A value has at most {LONGEST_METADATA_VALUE} characters.",
        "card_number": "A card number does not belong here.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict) or not all(isinstance(one, str) for one in data.values()):
            self.fail("invalid")
        if len(data) > MOST_METADATA_KEYS:
            self.fail("too_many_keys")
        if not all(1 <= len(key) <= LONGEST_METADATA_KEY for key in data):
            self.fail("key_too_long")
        if not all(len(value) <= LONGEST_METADATA_VALUE for value in data.values()):
            self.fail("value_too_long")
        if any(held_card_number(text) for member in data.items() for text in member):
            self.fail("card_number")
        return data


class CreatePayment(Shape):
    """What a push asks for."""

    consumer_id = Text(
        min_length=1, max_length=128, help_text="The consumer's `id`, or your own `pcid`."
    )
    external_payment_card_id = Id(help_text="The payment card to credit.")
    amount = Amount(
        help_text=f"US dollars to push: a number or a decimal string, more than 0, at most "
        f"{LARGEST_PUSH}, at most two decimals. Read exactly, never as a binary fraction."
    )
    description = Note(
        required=False,
        allow_blank=True,
        max_length=500,
        default="",
        lines=True,
        help_text="Free text, kept exactly.",
    )
    reference = Note(
        required=False,
        allow_blank=True,
        max_length=64,
        default="",
        help_text="Your own reference; lists can be narrowed by it.",
    )
    metadata = Metadata(required=False, default=dict, help_text="A flat map of strings of yours.")


class QuotePayment(CreatePayment):
    """What a push would ask for: the members of a create."""


class CancelPayment(Shape):
    """Why a payment is taken back, if the caller says so."""

    reason = Note(
        required=False,
        allow_blank=True,
        max_length=500,
        default="",
        lines=True,
        help_text="Why; it stands in the payment's history.",
    )


class CreateAsked(NamedTuple):
    """A well-formed create: the members of its body, and its idempotency key if it has one."""

    members: dict[str, Any]
    key: str | None


def create_asked(document: Mapping[str, Any], headers: Mapping[str, str]) -> CreateAsked:
    """Read the body and the key of a create.

    Raises:
        RequestRefused: 400 `invalid_idempotency_key` if only the key is wrong.
        ValidationError: with every problem of the body, and that of the key beside them.
    """
    try:
        key = idempotency_key(headers)
    except RequestRefused as refused:
        _require_body_beside_wrong_key(document, refused)
        raise
    return CreateAsked(CreatePayment.read(document), key)


def _require_body_beside_wrong_key(document: Mapping[str, Any], refused: RequestRefused) -> None:
    try:
        CreatePayment.read(document)
    except serializers.ValidationError as error:
        problem = ErrorDetail(str(refused.detail), code="invalid_idempotency_key")
        of_body = cast(dict[str, Any], error.detail)
        raise serializers.ValidationError({**of_body, KEY_HEADER: [problem]}) from None


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """The key of a create, bare or quoted, or None if there is none.

    Raises:
        RequestRefused: 400 `invalid_idempotency_key` unless it has 1 to 255 visible ASCII
            characters.
    """
    header = headers.get(KEY_HEADER)
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if _KEY.fullmatch(key) is None:
        raise RequestRefused(
            "invalid_idempotency_key",
            "The Idempotency-Key must be 1 to 255 visible ASCII characters.",
            field=KEY_HEADER,
        )
    return key


def preferred_wait_seconds(headers: Mapping[str, str]) -> int:
    """How long the caller prefers to wait for a final status (RFC 7240 §4.3); 0 for not at all.

    A preference that cannot be read is ignored, as the standard asks; more than 30 s counts as 30.
    """
    for preference in headers.get("Prefer", "").split(","):
        match = _WAIT.fullmatch(preference)
        if match is not None:
            return min(int(match[1]), LONGEST_WAIT_SECONDS)
    return 0
