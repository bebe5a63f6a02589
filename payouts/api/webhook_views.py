"""Webhooks over HTTP: each method reads the request's shape and makes one call inward."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.views import APIView

from consumers.api.authentication import caller_of
from consumers.api.bodies import NoBody
from consumers.api.exact_json import rendered
from consumers.api.paging import SIZE
from consumers.api.parameters import page_in, problems_with_names
from payouts.api import webhook_schema as schema
from payouts.api.event_views import CannotBeDone, position_of
from payouts.api.webhook_shapes import ChangeWebhook, CreateWebhook, Replay, RotateSecret
from payouts.event_record import events_at
from payouts.models import Delivery, DeliveryState, DisabledWhy, EndpointState, WebhookEndpoint
from payouts.operations.replay_deliveries import (
    ReplayedEvents,
    newest_position,
    replay_events,
    replay_range,
)
from payouts.operations.webhook_endpoints import (
    add_webhook,
    change_webhook,
    disable_webhook,
    enable_webhook,
    remove_webhook,
    rotate_webhook_secret,
    send_test,
    webhooks_of,
)
from payouts.webhooks.events import event_id

BEFORE: Final = "before"
STATE: Final = "status"


class WebhooksView(APIView):
    """All webhooks of the caller's partner."""

    @schema.LIST_WEBHOOKS
    def get(self, request: Request) -> HttpResponse:
        """List webhooks, newest first. There are few, so there are no pages."""
        rows = webhooks_of(caller_of(request).partner_id)
        return _json({"results": [webhook_document(row) for row in rows]})

    @schema.CREATE_WEBHOOK
    def post(self, request: Request) -> HttpResponse:
        """Add a webhook. Its secret is in this answer and in no other."""
        members = CreateWebhook.read(_body(request))
        made = add_webhook(
            caller_of(request).partner_id,
            url=members["url"],
            description=members["description"],
            types=members["event_types"],
        )
        document = {**webhook_document(made.endpoint), "secret": made.secret}
        return _json(document, HTTPStatus.CREATED)


class WebhookView(APIView):
    """One webhook."""

    @schema.RETRIEVE_WEBHOOK
    def get(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Retrieve a webhook."""
        return _json(webhook_document(_webhook(request, webhook_id)))

    @schema.UPDATE_WEBHOOK
    def patch(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Change a webhook, or switch it on or off. What is left out stays."""
        webhook = _webhook(request, webhook_id)
        members = ChangeWebhook.read(_body(request), partial=True)
        enabled = members.pop("enabled", None)
        if "event_types" in members:
            members["types"] = members.pop("event_types")
        change_webhook(webhook, **members)
        if enabled is not None and enabled is not (webhook.state == EndpointState.ENABLED):
            webhook = (
                enable_webhook(webhook)
                if enabled
                else disable_webhook(webhook, why=DisabledWhy.BY_PARTNER)
            )
        return _json(webhook_document(webhook))

    @schema.DELETE_WEBHOOK
    def delete(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Remove a webhook for good."""
        remove_webhook(_webhook(request, webhook_id))
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class RotateSecretView(APIView):
    """A new secret."""

    @schema.ROTATE_SECRET
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Make a new secret, which is in this answer and in no other."""
        members = RotateSecret.read(_body(request))
        overlap = timedelta(hours=members["previous_valid_hours"])
        made = rotate_webhook_secret(_webhook(request, webhook_id), overlap=overlap)
        return _json({**webhook_document(made.endpoint), "secret": made.secret})


class TestView(APIView):
    """Trying a webhook out."""

    @schema.TEST_WEBHOOK
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Send a `webhook.test` to this webhook and no other; its delivery is in the log."""
        NoBody.read(_body(request))
        key = send_test(_webhook(request, webhook_id))
        return _json({"event_id": event_id(key, None)}, HTTPStatus.ACCEPTED)


class DeliveriesView(APIView):
    """What became of the deliveries to a webhook."""

    @schema.LIST_DELIVERIES
    def get(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """List deliveries, the newest event first."""
        webhook = _webhook(request, webhook_id)
        rows, size = _asked_rows(request.query_params, webhook)
        found = list(rows[: size + 1])
        events = events_at([row.event_id for row in found])
        results = [
            {**delivery_document(row), "event_id": told.id, "type": told.type}
            for row in found[:size]
            if (told := events[row.event_id])
        ]
        cursor = results[-1]["event_id"] if len(found) > size else None
        return _json({"results": results, "before": cursor})


class ReplayView(APIView):
    """Sending again."""

    @schema.REPLAY
    def post(self, request: Request, webhook_id: UUID) -> HttpResponse:
        """Send events again, with the ids that they have."""
        webhook = _webhook(request, webhook_id)
        members = Replay.read(_body(request))
        done = _replayed(webhook, members)
        last = None if done.last_position is None else events_at([done.last_position])
        document = {
            "events": done.events,
            "cursor": None if last is None else last[cast(int, done.last_position)].id,
            "has_more": done.has_more,
        }
        return _json(document, HTTPStatus.ACCEPTED)


def webhook_document(webhook: WebhookEndpoint) -> dict[str, Any]:
    """The webhook without any secret."""
    is_disabled = webhook.state == EndpointState.DISABLED
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "description": webhook.description,
        "event_types": webhook.types,
        "enabled": not is_disabled,
        "disabled": (
            {"why": webhook.disabled_why, "at": webhook.disabled_at} if is_disabled else None
        ),
        "failing_since": webhook.failing_since,
        "last_success_at": webhook.last_success_at,
        "previous_secret_valid_until": webhook.previous_until,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }


def delivery_document(row: Delivery) -> dict[str, Any]:
    is_due = row.state in (DeliveryState.DUE, DeliveryState.SENDING)
    return {
        "status": row.state,
        "tries": row.tries,
        "next_try_at": row.due_at if is_due else None,
        "delivered_at": row.delivered_at,
        "answer": {
            "status": row.last_status,
            "error": row.last_error or None,
            "text": row.last_answer,
            "at": row.last_tried_at,
        }
        if row.last_tried_at
        else None,
        "log": row.log,
    }


def _replayed(webhook: WebhookEndpoint, members: Mapping[str, Any]) -> ReplayedEvents:
    if "event_ids" in members:
        if members["delivered_too"] or {"after", "until"} & members.keys():
            told = "Name events, or a range; not both."
            raise CannotBeDone("conflicting", told, field="event_ids")
        named = members["event_ids"]
        positions = [_position(webhook, one, field="event_ids") for one in named]
        return replay_events(webhook, positions=positions)
    after = _position(webhook, members["after"], field="after") if "after" in members else 0
    to = (
        _position(webhook, members["until"], field="until")
        if "until" in members
        else newest_position()
    )
    return replay_range(webhook, after=after, to=to, delivered_too=members["delivered_too"])


def _position(webhook: WebhookEndpoint, public_id: str, *, field: str) -> int:
    return position_of(public_id, partner_id=webhook.partner_id, field=field)


def _asked_rows(query: QueryDict, webhook: WebhookEndpoint) -> tuple[Any, int]:
    """The deliveries that are asked for, and how many of them.

    :raises RequestRefused, ValidationError: naming every parameter that is wrong.
    """
    problems = problems_with_names(query, known=(BEFORE, STATE, SIZE))
    state = query.get(STATE)
    if state is not None and state not in DeliveryState.values:
        problems[STATE] = [ErrorDetail("There is no such status.", "unknown_status")]
    size = page_in(query, beside=problems).size
    rows = Delivery.objects.filter(endpoint=webhook).order_by("-event")
    if state is not None:
        rows = rows.filter(state=state)
    if BEFORE in query:
        rows = rows.filter(event__lt=_position(webhook, str(query[BEFORE]), field=BEFORE))
    return rows, size


def _webhook(request: Request, webhook_id: UUID) -> WebhookEndpoint:
    webhook: WebhookEndpoint | None = (
        webhooks_of(caller_of(request).partner_id).filter(pk=webhook_id).first()
    )
    if webhook is None:
        raise Http404
    return webhook


def _body(request: Request) -> Mapping[str, Any]:
    # The parser has made sure that it is an object.
    return cast(Mapping[str, Any], request.data)


def _json(document: Mapping[str, Any], status: int = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(rendered(document), status=status, content_type="application/json")
