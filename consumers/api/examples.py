"""Examples for the OpenAPI document. Made-up people and test card numbers only."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

from consumers.api.problems import TYPE_PREFIX

CONSUMER_REQUEST: Final = OpenApiExample(
    "A consumer",
    {
        "pcid": "abc123",
        "first_name": "Ada",
        "last_name": "Example",
        "email": "ada@example.com",
        "phone_number": "+14155550123",
        "date_of_birth": "1990-02-28",
        "tax_id_type": "SSN",
        "tax_identifier": "123-45-6789",
        "address_line1": "1 Example Street",
        "address_city": "Springfield",
        "address_state": "IL",
        "address_zip": "62701",
    },
    request_only=True,
)
CARD_REQUEST: Final = OpenApiExample(
    "A test card",
    {
        "number": "4111111111111111",
        "expiration_month": 12,
        "expiration_year": 2039,
        "cardholder_name": "Ada Example",
        "postal_code": "62701",
    },
    request_only=True,
)

_CONSUMER_ID: Final = "0199d6f0-5e2b-7c64-9a3f-2f6f0a1c7d11"
_CARD_ID: Final = "0199d6f0-6a10-7f0e-8d52-51b3c8e0a2f4"
CONSUMER_ANSWER: Final = OpenApiExample(
    "The consumer",
    {
        "id": _CONSUMER_ID,
        "pcid": "abc123",
        "first_name": "Ada",
        "last_name": "Example",
        "email": "ada@example.com",
        "phone_number": "+14155550123",
        "date_of_birth": "1990-02-28",
        "tax_id_type": "SSN",
        "tax_identifier": "***-**-6789",
        "address_line1": "1 Example Street",
        "address_line2": "",
        "address_city": "Springfield",
        "address_state": "IL",
        "address_zip": "62701",
        "kyc_status": "NotStarted",
        "is_active": True,
        "created_at": "2026-01-15T09:30:00.123456Z",
    },
    response_only=True,
    status_codes=["200", "201"],
)
CARD_ANSWER: Final = OpenApiExample(
    "The card",
    {
        "id": _CARD_ID,
        "consumer_id": _CONSUMER_ID,
        "network": "visa",
        "card_type": "debit",
        "bin": "41111111",
        "last4": "1111",
        "expiration_month": 12,
        "expiration_year": 2039,
        "cardholder_name": "Ada Example",
        "postal_code": "62701",
        "nickname": "",
        "status": "active",
        "push": {
            "eligible": True,
            "speed": "fast_funds",
            "checked_at": "2026-01-15T09:30:01.123456Z",
        },
        "created_at": "2026-01-15T09:30:00.123456Z",
    },
    response_only=True,
    status_codes=["200", "201"],
)
TAKEN_ANSWER: Final = OpenApiExample(
    "The pcid is taken",
    {
        "type": f"{TYPE_PREFIX}consumer_exists",
        "title": "There is a consumer with this pcid already.",
        "status": 409,
        "detail": "There is a consumer with this pcid already.",
        "code": "consumer_exists",
        "errors": [],
        "request_id": "req_0199d6f05e2b7c649a3f2f6f0a1c7d11",
        "id": _CONSUMER_ID,
    },
    response_only=True,
    status_codes=["409"],
)
