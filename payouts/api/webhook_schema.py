"""What the OpenAPI document says about webhooks. No behaviour."""

from typing import Any, Final

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from consumers.api.bodies import NoBody
from consumers.api.paging import DEFAULT_SIZE, LARGEST_SIZE, SIZE
from consumers.api.schema import BODY_REFUSALS, REFUSALS, problem
from payouts.api.event_schema import EVENT
from payouts.api.webhook_shapes import ChangeWebhook, CreateWebhook, Replay, RotateSecret
from payouts.models import DeliveryState, DisabledWhy
from payouts.webhooks.events import EVENT_GROUPS, EVENT_ID_PATTERN, EVENT_TYPES

_WEBHOOKS: Final = ["Webhooks"]


class _DisabledShown(serializers.Serializer[Any]):
    why = serializers.ChoiceField(
        choices=DisabledWhy.values,
        help_text="`gone`: it answered 410. `failing`: nothing but failures for five days.",
    )
    at = serializers.DateTimeField()


class WebhookShown(serializers.Serializer[Any]):
    """An address that is told of events."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=[*EVENT_TYPES, *EVENT_GROUPS])
    )
    enabled = serializers.BooleanField()
    disabled = _DisabledShown(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when no answer was a good one."
    )
    last_success_at = serializers.DateTimeField(allow_null=True)
    previous_secret_valid_until = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookWithSecretShown(WebhookShown):
    """A webhook with a secret that was made just now."""

    secret = serializers.CharField(help_text="Shown now, and never again.")


class WebhookList(serializers.Serializer[Any]):
    results = WebhookShown(many=True)


class TestSent(serializers.Serializer[Any]):
    event_id = serializers.RegexField(EVENT_ID_PATTERN)


class _AnswerShown(serializers.Serializer[Any]):
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(
        allow_null=True, help_text="Why there was no answer, e.g. `timeout`."
    )
    text = serializers.CharField(allow_blank=True, help_text="The first 2 kB.")
    at = serializers.DateTimeField()


class _TryShown(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    ms = serializers.IntegerField()


class DeliveryShown(serializers.Serializer[Any]):
    """One event on its way to one webhook."""

    event_id = serializers.RegexField(EVENT_ID_PATTERN)
    type = serializers.ChoiceField(choices=EVENT_TYPES)
    status = serializers.ChoiceField(
        choices=DeliveryState.values, help_text="`parked`: out of tries, until it is replayed."
    )
    tries = serializers.IntegerField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    answer = _AnswerShown(allow_null=True)
    log = _TryShown(many=True)


class DeliveryPage(serializers.Serializer[Any]):
    results = DeliveryShown(many=True)
    before = serializers.RegexField(
        EVENT_ID_PATTERN, allow_null=True, help_text="Send it as `before` for the next page."
    )


class ReplayedShown(serializers.Serializer[Any]):
    events = serializers.IntegerField(help_text="How many are sent again.")
    cursor = serializers.RegexField(
        EVENT_ID_PATTERN, allow_null=True, help_text="The last of them."
    )
    has_more = serializers.BooleanField(
        help_text="The range is longer: call again with `cursor` as `after`."
    )


_NOT_FOUND: Final = problem(404, "There is no such webhook of your own.")
_OFF: Final = problem(422, "The webhook is switched off, or there is no such event.")
_UNKNOWN: Final = problem(422, "There is no such event of yours.")
_REMOVED: Final = problem(409, "The webhook was removed at this moment.")

_WEBHOOK: Final = {
    "id": "0199f3a2-7c3f-7b1c-8a2e-5d4f60718293",
    "url": "https://hooks.example.com/payouts",
    "description": "Payroll",
    "event_types": ["payment.oct.completed", "payment.oct.failed"],
    "enabled": True,
    "disabled": None,
    "failing_since": None,
    "last_success_at": None,
    "previous_secret_valid_until": None,
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T09:00:00Z",
}
_ASKING: Final = OpenApiExample(
    "What became of payments",
    {
        "url": "https://hooks.example.com/payouts",
        "description": "Payroll",
        "event_types": ["payment.oct.completed", "payment.oct.failed"],
    },
    request_only=True,
)
_WITH_SECRET: Final = {**_WEBHOOK, "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}


def _answer(value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample("Answer", value, response_only=True, status_codes=[str(status)])


LIST_WEBHOOKS: Final = extend_schema(
    operation_id="list_webhooks",
    summary="List webhooks",
    tags=_WEBHOOKS,
    responses={200: WebhookList, **REFUSALS},
    examples=[_answer({"results": [_WEBHOOK]})],
)
CREATE_WEBHOOK: Final = extend_schema(
    operation_id="create_webhook",
    summary="Create a webhook",
    tags=_WEBHOOKS,
    request=CreateWebhook,
    responses={
        201: WebhookWithSecretShown,
        **REFUSALS,
        **BODY_REFUSALS,
        **problem(422, "There are as many webhooks as one may have."),
    },
    examples=[_ASKING, _answer(_WITH_SECRET, 201)],
)
RETRIEVE_WEBHOOK: Final = extend_schema(
    operation_id="retrieve_webhook",
    summary="Retrieve a webhook",
    tags=_WEBHOOKS,
    responses={200: WebhookShown, **REFUSALS, **_NOT_FOUND},
    examples=[_answer(_WEBHOOK)],
)
UPDATE_WEBHOOK: Final = extend_schema(
    operation_id="update_webhook",
    summary="Change a webhook, or switch it on or off",
    description="What is on its way goes to the new address. Switching off parks what is on its "
    "way; what happens while it is off is not sent by itself when it is on again: replay it.",
    tags=_WEBHOOKS,
    request=ChangeWebhook,
    responses={200: WebhookShown, **REFUSALS, **_NOT_FOUND, **BODY_REFUSALS, **_REMOVED},
    examples=[
        OpenApiExample("Switch it on", {"enabled": True}, request_only=True),
        _answer(_WEBHOOK),
    ],
)
DELETE_WEBHOOK: Final = extend_schema(
    operation_id="delete_webhook",
    summary="Remove a webhook",
    tags=_WEBHOOKS,
    responses={204: OpenApiResponse(description="Gone."), **REFUSALS, **_NOT_FOUND},
)
ROTATE_SECRET: Final = extend_schema(
    operation_id="rotate_webhook_secret",
    summary="Rotate a webhook's secret",
    description="Until `previous_secret_valid_until` every delivery carries signatures of both "
    "secrets, the new one's first.",
    tags=_WEBHOOKS,
    request=RotateSecret,
    responses={
        200: WebhookWithSecretShown,
        **REFUSALS,
        **_NOT_FOUND,
        **BODY_REFUSALS,
        **_REMOVED,
    },
    examples=[
        OpenApiExample("It leaked", {"previous_valid_hours": 0}, request_only=True),
        _answer(_WITH_SECRET),
    ],
)
TEST_WEBHOOK: Final = extend_schema(
    operation_id="test_webhook",
    summary="Send a test",
    tags=_WEBHOOKS,
    request=NoBody,
    responses={202: TestSent, **REFUSALS, **_NOT_FOUND, **BODY_REFUSALS, **_REMOVED, **_OFF},
    examples=[_answer({"event_id": "evt_0199f3a27c3f7b1c8a2e5d4f60718293"}, 202)],
)
LIST_DELIVERIES: Final = extend_schema(
    operation_id="list_webhook_deliveries",
    summary="List what became of deliveries",
    tags=_WEBHOOKS,
    parameters=[
        OpenApiParameter("status", {"type": "string", "enum": DeliveryState.values}),
        OpenApiParameter("before", {"type": "string", "pattern": EVENT_ID_PATTERN}),
        OpenApiParameter(
            SIZE,
            {"type": "integer", "minimum": 1, "default": DEFAULT_SIZE},
            description=f"Rows. More than {LARGEST_SIZE} gives {LARGEST_SIZE}.",
        ),
    ],
    responses={200: DeliveryPage, **REFUSALS, **_NOT_FOUND, **_UNKNOWN},
)
REPLAY: Final = extend_schema(
    operation_id="replay_webhook_events",
    summary="Send events again",
    description="Those that are named, or of a range those that the webhook wants to hear: what "
    "was parked, and what happened while the webhook was off or not there yet. Ids stay the same.",
    tags=_WEBHOOKS,
    request=Replay,
    responses={202: ReplayedShown, **REFUSALS, **_NOT_FOUND, **BODY_REFUSALS, **_OFF},
    examples=[
        OpenApiExample("One", {"event_ids": [EVENT["id"]]}, request_only=True),
        OpenApiExample("What was missed", {"after": EVENT["id"]}, request_only=True),
        _answer({"events": 1, "cursor": EVENT["id"], "has_more": False}, 202),
    ],
)
