"""What the OpenAPI document says about events. No behaviour."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers

from consumers.api.paging import DEFAULT_SIZE, LARGEST_SIZE, SIZE
from consumers.api.schema import REFUSALS, problem
from payouts.webhooks.events import EVENT_GROUPS, EVENT_ID_PATTERN, EVENT_TYPES

_EVENTS: Final = ["Events"]


class WebhookEventShown(serializers.Serializer[Any]):
    """Something that happened: what webhooks carry, and what the list holds."""

    id = serializers.RegexField(
        EVENT_ID_PATTERN, help_text="The `webhook-id` of its deliveries. Tell doubles by it."
    )
    type = serializers.ChoiceField(choices=EVENT_TYPES)
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    number = serializers.IntegerField(
        allow_null=True,
        help_text="Of a payment's events: its place in the payment's history, which counts what is "
        "not told too. A larger number is later news.",
    )
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="Of a payment: what it asks for, and `status`, `money_moved`, `safe_to_retry` "
        "and `failure` as they were then. Of others: ids and states."
    )


class EventFeed(serializers.Serializer[Any]):
    results = WebhookEventShown(many=True)
    cursor = serializers.RegexField(
        EVENT_ID_PATTERN, allow_null=True, help_text="Send it as `after` the next time."
    )
    next = serializers.URLField(allow_null=True, help_text="Null: this is all, for now.")


_DATA: Final = {
    "id": "0199f3a2-7c3f-7b1c-8a2e-5d4f60718293",
    "amount": 100.0,
    "direction": "Push",
    "status": "completed",
    "consumer_id": "0199f3a2-0000-7b1c-8a2e-5d4f60718293",
    "external_payment_card_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "fee_amount": 0.5,
    "currency": "USD",
    "description": "",
    "reference": "payday-7",
    "metadata": {},
    "created_at": "2026-03-02T09:00:00Z",
    "completed_at": "2026-03-02T09:00:01Z",
    "failure": None,
    "money_moved": "yes",
    "safe_to_retry": False,
}
EVENT: Final = {
    "id": "evt_0199f3a27c3f7b1c8a2e5d4f60718293_3",
    "type": "payment.oct.completed",
    "timestamp": "2026-03-02T09:00:01Z",
    "number": 3,
    "data": _DATA,
}

LIST_EVENTS: Final = extend_schema(
    operation_id="list_events",
    summary="List events since a cursor",
    description="Everything that happened since an event, oldest first; without `after`, from the "
    "beginning. Nothing is left out and nothing comes later in front of what you have read: "
    "whoever keeps `cursor` and asks again has every event once.",
    tags=_EVENTS,
    parameters=[
        OpenApiParameter(
            "after",
            {"type": "string", "pattern": EVENT_ID_PATTERN},
            description="The id of the last event that you have.",
        ),
        OpenApiParameter(
            SIZE,
            {"type": "integer", "minimum": 1, "default": DEFAULT_SIZE},
            description=f"Events in an answer. More than {LARGEST_SIZE} gives {LARGEST_SIZE}.",
        ),
        OpenApiParameter(
            "type",
            {"type": "array", "items": {"type": "string", "enum": [*EVENT_TYPES, *EVENT_GROUPS]}},
            description="May be repeated: any of them, or of a group.",
            explode=True,
            style="form",
        ),
    ],
    responses={200: EventFeed, **REFUSALS, **problem(422, "There is no such event of yours.")},
    examples=[
        OpenApiExample(
            "One, for now",
            {"results": [EVENT], "cursor": EVENT["id"], "next": None},
            response_only=True,
            status_codes=["200"],
        )
    ],
)

RETRIEVE_EVENT: Final = extend_schema(
    operation_id="retrieve_event",
    summary="Retrieve an event",
    tags=_EVENTS,
    responses={
        200: WebhookEventShown,
        **REFUSALS,
        **problem(404, "There is no such event of your own."),
    },
    examples=[OpenApiExample("Paid", EVENT, response_only=True, status_codes=["200"])],
)
