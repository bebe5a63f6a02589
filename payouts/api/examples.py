"""Examples for the OpenAPI document: one payment at several stops of its life, and refusals."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from consumers.api.problems import CONTENT_TYPE, TYPE_PREFIX
from payouts.declines import decline_for

_EXAMPLE_ID: Final = "0199f3a2-7c41-7d0e-9a57-6f2f0f6f1c11"
ANOTHER_ID: Final = "0199f3a2-7c41-7d0e-9a57-6f2f0f6f1c10"
_EXAMPLE_CONSUMER: Final = "0199f39e-1b20-7cc3-8d11-2f4d3e5a6b70"
_EXAMPLE_CARD: Final = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
_EXAMPLE_REQUEST_ID: Final = "req_0199f3a27c3f7b1c8a2e5d4f60718293"

ASKED: Final[dict[str, Any]] = {
    "consumer_id": "abc123",
    "external_payment_card_id": _EXAMPLE_CARD,
    "amount": 100,
}
ACCEPTED: Final[dict[str, Any]] = {
    "id": _EXAMPLE_ID,
    "amount": 100.00,
    "direction": "Push",
    "status": "pending",
    "consumer_id": _EXAMPLE_CONSUMER,
    "external_payment_card_id": _EXAMPLE_CARD,
    "fee_amount": 0.50,
    "currency": "USD",
    "pcid": "abc123",
    "description": "",
    "reference": "",
    "metadata": {},
    "created_at": "2026-03-02T09:30:00.123456Z",
    "updated_at": "2026-03-02T09:30:00.123456Z",
    "completed_at": None,
    "card": {"network": "visa", "last4": "1111"},
    "network": None,
    "failure": None,
    "money_moved": "no",
    "safe_to_retry": False,
    "approval": None,
}
COMPLETED: Final[dict[str, Any]] = {
    **ACCEPTED,
    "status": "completed",
    "updated_at": "2026-03-02T09:30:00.801234Z",
    "completed_at": "2026-03-02T09:30:00.801234Z",
    "network": {
        "name": "sandbox",
        "retrieval_reference_number": "606109000017",
        "trace_number": "000017",
        "approval_code": "12345S",
        "transaction_id": "300000000000017",
    },
    "money_moved": "yes",
}
_UNAVAILABLE: Final = decline_for("91")
FAILED: Final[dict[str, Any]] = {
    **COMPLETED,
    "status": "failed",
    "completed_at": None,
    "network": {**COMPLETED["network"], "approval_code": None, "transaction_id": None},
    "failure": {
        "code": _UNAVAILABLE.code,
        "reason": _UNAVAILABLE.staff_text,
        "payee_message": _UNAVAILABLE.payee_text,
        "network_code": _UNAVAILABLE.network_code,
        "retryable": True,
        "retry_after": "2026-03-02T10:30:00.801234Z",
    },
    "money_moved": "no",
    "safe_to_retry": True,
}
AWAITING: Final[dict[str, Any]] = {
    **ACCEPTED,
    "status": "pending_approval",
    "approval": {
        "required": 1,
        "given": 0,
        "expires_at": "2026-03-05T09:30:00.123456Z",
        "reasons": ["possible_duplicate"],
    },
}


def problem_example(title: str, status: int, code: str, **members: Any) -> OpenApiExample:
    document = {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": status,
        "detail": title,
        "code": code,
        "errors": [],
        "request_id": _EXAMPLE_REQUEST_ID,
        **members,
    }
    return OpenApiExample(
        title, document, response_only=True, status_codes=[str(status)], media_type=CONTENT_TYPE
    )


def answer_example(name: str, document: dict[str, Any], status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, document, response_only=True, status_codes=[str(status)])


ASKING: Final = [
    OpenApiExample("Push 100 dollars", ASKED, request_only=True),
    OpenApiExample(
        "With everything",
        {
            **ASKED,
            "amount": "249.90",
            "description": "Earnings of the week",
            "reference": "payout-2026-03-02-17",
            "metadata": {"week": "9"},
        },
        request_only=True,
    ),
]
