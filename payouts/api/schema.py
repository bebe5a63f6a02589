"""What the OpenAPI document says about the payment endpoints. No behaviour."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)

from consumers.api.paging import PAGE_PARAMETERS
from consumers.api.schema import BODY_REFUSALS, REFUSALS, problem
from payouts.api.answers import (
    BalanceShown,
    CancelProblemShown,
    EventList,
    PaymentPage,
    PaymentProblemShown,
    PaymentShown,
    QuoteShown,
)
from payouts.api.examples import (
    ACCEPTED,
    ANOTHER_ID,
    ASKING,
    AWAITING,
    COMPLETED,
    FAILED,
    answer_example,
    problem_example,
)
from payouts.api.filters import LARGEST_BOUND
from payouts.api.shapes import KEY_HEADER, CancelPayment, CreatePayment, QuotePayment
from payouts.states import Status

_PAYMENTS: Final = ["Payments"]
_BALANCE: Final = ["Balance"]
_NOT_FOUND: Final = problem(404, "There is no such payment of your own.")

_KEY: Final = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "pattern": r'^(?!""$)(?:[!-~]{1,255}|"[!-~]{1,255}")$'},
    OpenApiParameter.HEADER,
    description="Your own key for this push, bare or quoted; good for ever. The same key with the "
    "same body gets the first answer again, with another body 422 `idempotency_key_reused`.",
)
_PREFER: Final = OpenApiParameter(
    "Prefer",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="`wait=N` (RFC 7240): answer when the payment is final, or after N seconds (at "
    "most 30), whichever is first. One that waits for people, or whose outcome is unclear, is not "
    "final. No `Preference-Applied` in the answer: too many were waiting already.",
)
_REPLAYED: Final = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "const": "true"},
    OpenApiParameter.HEADER,
    response=[201, 422],
    description="This key was answered before, and this is that answer.",
)
_PREFERENCE_APPLIED: Final = OpenApiParameter(
    "Preference-Applied",
    {"type": "string", "pattern": "^wait=[0-9]+$"},
    OpenApiParameter.HEADER,
    response=[201],
    description="The seconds that were waited for at most, if they were.",
)
_RETRY_AFTER: Final = OpenApiParameter(
    "Retry-After",
    {"type": "integer", "minimum": 0},
    OpenApiParameter.HEADER,
    response=[409, 503],
    description="Seconds.",
)

CREATE_PAYMENT: Final = extend_schema(
    operation_id="create_oct_payment",
    summary="Create OCT Payment Request",
    tags=_PAYMENTS,
    request=CreatePayment,
    parameters=[_KEY, _PREFER, _REPLAYED, _PREFERENCE_APPLIED, _RETRY_AFTER],
    responses={
        201: OpenApiResponse(PaymentShown, description="Safely stored; its funds are held."),
        **REFUSALS,
        **BODY_REFUSALS,
        **problem(409, "The first call with this key is still running."),
        **problem(
            422, "Every reason why it cannot be made, or a key that was used.", PaymentProblemShown
        ),
    },
    examples=[
        *ASKING,
        answer_example("Accepted", ACCEPTED, 201),
        answer_example("Held for approval", AWAITING, 201),
        problem_example(
            "The request is not valid.",
            400,
            "invalid_request",
            detail="Wrong in this request: amount.",
            errors=[
                {"field": "amount", "code": "too_large", "message": "Must be at most 50000.00."}
            ],
        ),
        problem_example(
            "The first call with this key is still running.", 409, "request_in_progress"
        ),
        problem_example(
            "The payment cannot be made.",
            422,
            "limit_exceeded",
            errors=[
                {
                    "field": "amount",
                    "code": "limit_exceeded",
                    "message": "The limit card_day_amount of 500.00 would be passed (450.00 used).",
                }
            ],
            limits=[{"limit": "card_day_amount", "maximum": 500.00, "used": 450.00}],
        ),
    ],
)


def _text(longest: int) -> dict[str, Any]:
    """A value of a filter: never empty, and without the one character that no text here has."""
    return {"type": "string", "maxLength": longest, "pattern": r"^[^\u0000]+$"}


_INSTANT: Final = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
}
_DOLLARS: Final = {"type": "number", "minimum": 0, "maximum": LARGEST_BOUND}

LIST_PAYMENTS: Final = extend_schema(
    operation_id="list_oct_payments",
    summary="List OCT Payment Requests",
    tags=_PAYMENTS,
    parameters=[
        *PAGE_PARAMETERS,
        OpenApiParameter(
            "status",
            {"type": "array", "items": {"type": "string", "enum": [s.value for s in Status]}},
            description="May be repeated: any of them.",
            explode=True,
            style="form",
        ),
        OpenApiParameter(
            "consumer_id",
            _text(128),
            description="The consumer's `id`, or your own `pcid`.",
        ),
        OpenApiParameter("external_payment_card_id", OpenApiTypes.UUID),
        OpenApiParameter("created_after", _INSTANT, description="At this instant or later."),
        OpenApiParameter("created_before", _INSTANT, description="Before this instant."),
        OpenApiParameter("amount_min", _DOLLARS, description="This amount or more."),
        OpenApiParameter("amount_max", _DOLLARS, description="This amount or less."),
        OpenApiParameter("reference", _text(64)),
        OpenApiParameter("idempotency_key", _text(255)),
        OpenApiParameter(
            "search",
            _text(128),
            description="Payment, consumer or card id, the start of a payment id, reference, "
            "Request-Id, last four, amount, RRN, trace number, or beginnings of words of the "
            "consumer's name, e-mail address and pcid. Finds the newest 500.",
        ),
    ],
    responses={
        200: OpenApiResponse(PaymentPage, description="Newest first."),
        **REFUSALS,
        **problem(404, "There is no such page."),
    },
    examples=[
        answer_example(
            "A page",
            {
                "count": 2,
                "next": None,
                "previous": None,
                "results": [ACCEPTED, {**COMPLETED, "id": ANOTHER_ID}],
            },
        )
    ],
    filters=False,
)
RETRIEVE_PAYMENT: Final = extend_schema(
    operation_id="retrieve_oct_payment",
    summary="Retrieve OCT Payment Request",
    tags=_PAYMENTS,
    responses={200: PaymentShown, **REFUSALS, **_NOT_FOUND},
    examples=[answer_example("Completed", COMPLETED), answer_example("Failed", FAILED)],
)
CANCEL_PAYMENT: Final = extend_schema(
    operation_id="cancel_oct_payment",
    summary="Cancel a payment before it is sent",
    tags=_PAYMENTS,
    request=CancelPayment,
    responses={
        200: OpenApiResponse(PaymentShown, description="Canceled; its funds are free again."),
        **REFUSALS,
        **_NOT_FOUND,
        **BODY_REFUSALS,
        **problem(409, "It has been sent, or has ended.", CancelProblemShown),
    },
    examples=[
        OpenApiExample("Taken back", {"reason": "The wrong week."}, request_only=True),
        answer_example("Canceled", {**ACCEPTED, "status": "canceled", "safe_to_retry": True}),
        problem_example(
            "The payment cannot be canceled any more.",
            409,
            "not_cancelable",
            detail="Its status is completed.",
            payment_status="completed",
        ),
    ],
)
LIST_EVENTS: Final = extend_schema(
    operation_id="list_oct_payment_events",
    summary="The history of a payment",
    tags=_PAYMENTS,
    responses={
        200: OpenApiResponse(EventList, description="Oldest first."),
        **REFUSALS,
        **_NOT_FOUND,
    },
    examples=[
        answer_example(
            "Accepted",
            {
                "results": [
                    {
                        "number": 1,
                        "type": "payment.oct.created",
                        "from_status": None,
                        "to_status": "pending",
                        "actor": "client:Payroll server",
                        "details": {},
                        "created_at": "2026-03-02T09:30:00.123456Z",
                    }
                ]
            },
        )
    ],
)
QUOTE_PAYMENT: Final = extend_schema(
    operation_id="quote_oct_payment",
    summary="A dry run of a create",
    tags=_PAYMENTS,
    request=QuotePayment,
    responses={200: QuoteShown, **REFUSALS, **BODY_REFUSALS},
    examples=[
        *ASKING,
        answer_example(
            "Everything is well",
            {
                "amount": 100.00,
                "fee_amount": 0.50,
                "total": 100.50,
                "currency": "USD",
                "can_be_pushed": True,
                "problems": [],
                "eligibility": {
                    "eligible": True,
                    "speed": "fast_funds",
                    "checked_at": "2026-03-01T09:30:00Z",
                    "age_seconds": 86400,
                },
                "limits": [{"limit": "card_day_amount", "left": 400.00}],
                "approvals": [],
                "possible_duplicate": False,
                "idempotency_key_required": False,
                "quoted_at": "2026-03-02T09:30:00Z",
            },
        ),
    ],
)
RETRIEVE_BALANCE: Final = extend_schema(
    operation_id="retrieve_balance",
    summary="Available and held funds",
    tags=_BALANCE,
    responses={200: BalanceShown, **REFUSALS},
    examples=[answer_example("Funds", {"available": 9899.50, "held": 100.50, "currency": "USD"})],
)
