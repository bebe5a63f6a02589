"""What the OpenAPI document says about the payment endpoints. No behaviour."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from consumers.api.paging import PAGE_PARAMETERS
from payouts.api.shapes import CancelPayment, CreatePayment, QuotePayment
from payouts.states import MoneyMoved, Status

_TAG = ["Payments"]


class _Money(serializers.FloatField):
    """US dollars as a JSON number."""


class _CardShown(serializers.Serializer[Any]):
    network = serializers.CharField()
    last4 = serializers.CharField()


class _NetworkShown(serializers.Serializer[Any]):
    name = serializers.CharField()
    retrieval_reference_number = serializers.CharField()
    trace_number = serializers.CharField()
    approval_code = serializers.CharField(allow_null=True)
    transaction_id = serializers.CharField(allow_null=True)


class _FailureShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    reason = serializers.CharField()
    payee_message = serializers.CharField()
    network_code = serializers.CharField(allow_null=True)
    retryable = serializers.BooleanField()
    retry_after = serializers.DateTimeField(allow_null=True)


class _ApprovalShown(serializers.Serializer[Any]):
    required = serializers.IntegerField()  # type: ignore[assignment]
    given = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())


class PaymentShown(serializers.Serializer[Any]):
    """A payment. The first seven members are the published contract."""

    id = serializers.UUIDField()
    amount = _Money()
    direction = serializers.ChoiceField(choices=["Push"])
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    consumer_id = serializers.CharField()
    external_payment_card_id = serializers.UUIDField()
    fee_amount = _Money()
    currency = serializers.ChoiceField(choices=["USD"])
    pcid = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    reference = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    card = _CardShown()
    network = _NetworkShown(allow_null=True)
    failure = _FailureShown(allow_null=True)
    money_moved = serializers.ChoiceField(choices=[moved.value for moved in MoneyMoved])
    safe_to_retry = serializers.BooleanField()
    approval = _ApprovalShown(allow_null=True)


class _PaymentPage(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = PaymentShown(many=True)
    count_is_exact = serializers.BooleanField(
        required=False, help_text="With filters only: false if `count` is a lower bound."
    )


class _ErrorShown(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemShown(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = _ErrorShown(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField()


class _EventShown(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    type = serializers.CharField()
    from_status = serializers.CharField(allow_null=True)
    to_status = serializers.CharField()
    actor = serializers.CharField()
    details = serializers.DictField()
    created_at = serializers.DateTimeField()


class _EventList(serializers.Serializer[Any]):
    results = _EventShown(many=True)


class _BalanceShown(serializers.Serializer[Any]):
    available = _Money()
    held = _Money()
    currency = serializers.ChoiceField(choices=["USD"])


class _ReasonShown(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class _EligibilityShown(serializers.Serializer[Any]):
    eligible = serializers.BooleanField(allow_null=True)
    speed = serializers.CharField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class _HeadroomShown(serializers.Serializer[Any]):
    scope = serializers.CharField()
    amount_left = serializers.FloatField(allow_null=True)
    count_left = serializers.IntegerField(allow_null=True)


class _RequirementShown(serializers.Serializer[Any]):
    reason = serializers.CharField()
    decisions = serializers.IntegerField()


class _QuoteShown(serializers.Serializer[Any]):
    amount = _Money()
    fee_amount = _Money()
    total = _Money()
    currency = serializers.ChoiceField(choices=["USD"])
    can_be_pushed = serializers.BooleanField()
    problems = _ReasonShown(many=True)
    eligibility = _EligibilityShown()
    limits = _HeadroomShown(many=True)
    approvals = _RequirementShown(many=True)
    possible_duplicate = serializers.BooleanField()
    quoted_at = serializers.DateTimeField()


def _problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemShown, description=description)


_REFUSALS = {
    (400, "application/problem+json"): _problem("The request is not valid; all that is wrong."),
    (401, "application/problem+json"): _problem("The token is missing or not good."),
    (403, "application/problem+json"): _problem("The token's scope does not allow this."),
}
_NOT_FOUND = {(404, "application/problem+json"): _problem("There is no such payment.")}
_BODY_REFUSALS = {
    (413, "application/problem+json"): _problem("The body is too large."),
    (415, "application/problem+json"): _problem("The body is not JSON."),
}

_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": r"^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="Your own key for this push. Repeating key and body repeats the first answer.",
)
_PREFER = OpenApiParameter(
    "Prefer",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="`wait=N`: answer when the payment is final or after N seconds, at most 30.",
)

_EXAMPLE_REQUEST = OpenApiExample(
    "Push 100 dollars",
    {
        "consumer_id": "abc123",
        "external_payment_card_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "amount": 100,
    },
    request_only=True,
)

CREATE_PAYMENT = extend_schema(
    operation_id="create_oct_payment",
    summary="Create OCT Payment Request",
    tags=_TAG,
    request=CreatePayment,
    parameters=[_IDEMPOTENCY_KEY, _PREFER],
    responses={
        201: PaymentShown,
        **_REFUSALS,
        **_BODY_REFUSALS,
        (409, "application/problem+json"): _problem("The first call is still running."),
        (422, "application/problem+json"): _problem("The payment cannot be made; every reason."),
    },
    examples=[_EXAMPLE_REQUEST],
)
LIST_PAYMENTS = extend_schema(
    operation_id="list_oct_payments",
    summary="List OCT Payment Requests",
    tags=_TAG,
    parameters=[
        *PAGE_PARAMETERS,
        OpenApiParameter(
            "status",
            {"type": "array", "items": {"type": "string", "enum": [s.value for s in Status]}},
            description="May be repeated: any of them.",
            explode=True,
        ),
        OpenApiParameter("consumer_id", {"type": "string", "maxLength": 128}),
        OpenApiParameter("external_payment_card_id", OpenApiTypes.UUID),
        OpenApiParameter("created_after", OpenApiTypes.DATETIME),
        OpenApiParameter("created_before", OpenApiTypes.DATETIME),
        OpenApiParameter("amount_min", {"type": "number", "minimum": 0, "maximum": 50000}),
        OpenApiParameter("amount_max", {"type": "number", "minimum": 0, "maximum": 50000}),
        OpenApiParameter("reference", {"type": "string", "maxLength": 64}),
        OpenApiParameter("idempotency_key", {"type": "string", "maxLength": 255}),
        OpenApiParameter(
            "search",
            {"type": "string", "maxLength": 128},
            description="Payment id or its start, reference, pcid, last four, RRN, trace number.",
        ),
    ],
    responses={200: _PaymentPage, **_REFUSALS, **_NOT_FOUND},
    filters=False,
)
RETRIEVE_PAYMENT = extend_schema(
    operation_id="retrieve_oct_payment",
    summary="Retrieve OCT Payment Request",
    tags=_TAG,
    responses={200: PaymentShown, **_REFUSALS, **_NOT_FOUND},
)
CANCEL_PAYMENT = extend_schema(
    operation_id="cancel_oct_payment",
    summary="Cancel a payment before it is sent",
    tags=_TAG,
    request=CancelPayment,
    responses={
        200: PaymentShown,
        **_REFUSALS,
        **_NOT_FOUND,
        **_BODY_REFUSALS,
        (409, "application/problem+json"): _problem("It has been sent, or has ended."),
    },
)
LIST_EVENTS = extend_schema(
    operation_id="list_oct_payment_events",
    summary="The history of a payment",
    tags=_TAG,
    responses={200: _EventList, **_REFUSALS, **_NOT_FOUND},
)
QUOTE_PAYMENT = extend_schema(
    operation_id="quote_oct_payment",
    summary="A dry run of a create",
    tags=_TAG,
    request=QuotePayment,
    responses={200: _QuoteShown, **_REFUSALS, **_BODY_REFUSALS},
    examples=[_EXAMPLE_REQUEST],
)
RETRIEVE_BALANCE = extend_schema(
    operation_id="retrieve_balance",
    summary="Available and held funds",
    tags=["Balance"],
    responses={200: _BalanceShown, **_REFUSALS},
)
