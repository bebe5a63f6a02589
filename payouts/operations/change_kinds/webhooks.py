"""Changes of webhooks by staff: a new one, another address, other types. Partners do it by API.

Where a partner's events go is a way for what they say to leave the house, so it takes two people.
Switching off, a test and a replay take one.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User

from payouts.changes import Contents
from payouts.models import ChangeRequest, DisabledWhy, EndpointState, WebhookEndpoint
from payouts.operations.change_kinds.base import Kind, NotAChange, Target
from payouts.operations.webhook_endpoints import (
    TooManyWebhooks,
    WebhookRemoved,
    add_webhook,
    address_rules,
    change_webhook,
    disable_webhook,
    enable_webhook,
    rotate_webhook_secret,
)
from payouts.webhooks.addresses import NotAWebhookURL, webhook_url
from payouts.webhooks.events import EVENT_GROUPS, EVENT_TYPES

_NAMES: Final = (*EVENT_TYPES, *EVENT_GROUPS)
LONGEST_DESCRIPTION: Final = 200


class WebhookKind(Kind):
    """A webhook; the subject is its id, or nothing for a new one, whose secret is fetched once."""

    name = "webhook"
    proposes = "payouts.change_webhookendpoint"

    def now(self, target: Target, after: Contents) -> Contents:
        return _contents(_endpoint(target)) if target.subject else {}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        assert target.partner is not None
        description = " ".join(str(after["description"]).split())
        if len(description) > LONGEST_DESCRIPTION:
            raise NotAChange({"description": [f"At most {LONGEST_DESCRIPTION} characters."]})
        if not set(after["types"]) <= set(_NAMES):
            raise NotAChange({"types": ["There is no such type of event."]})
        try:
            url = webhook_url(after["url"], rules=address_rules())
        except NotAWebhookURL as error:
            raise NotAChange({"url": [str(error)]}) from error
        return {
            "url": str(url),
            "description": description,
            "types": [name for name in _NAMES if name in after["types"]],
            "is_active": bool(after["is_active"]) if target.subject else True,
        }

    def label(self, target: Target, after: Contents) -> str:
        what = "Webhook" if target.subject else "New webhook"
        return f"{what} {after['url'][:120]} of {target.partner.name}"

    def lock(self, target: Target) -> None:
        if target.subject:
            _endpoint(target, locked=True)

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        target, after = Target(change.partner_id, change.subject), change.after
        members = {name: after[name] for name in ("url", "description", "types")}
        try:
            if not change.subject:
                return str(add_webhook(target.partner.pk, **members).endpoint.pk)
            endpoint = change_webhook(_endpoint(target), **members)
            is_active = endpoint.state == EndpointState.ENABLED
            if after["is_active"] and not is_active:
                enable_webhook(endpoint)
            elif is_active and not after["is_active"]:
                disable_webhook(endpoint, why=DisabledWhy.BY_STAFF, reason=change.reason)
        except (NotAWebhookURL, TooManyWebhooks, WebhookRemoved) as error:
            raise NotAChange(str(error)) from error
        return str(endpoint.pk)

    def makes_secret(self, change: ChangeRequest) -> bool:
        return not change.subject

    def collect(self, change: ChangeRequest) -> str:
        # The one that it was added with was shown to nobody.
        made = WebhookEndpoint.objects.get(pk=change.result)
        return rotate_webhook_secret(made, overlap=timedelta()).secret

    def owner_of_secret(self, change: ChangeRequest) -> str:
        return WebhookEndpoint.objects.get(pk=change.result).url


def _contents(endpoint: WebhookEndpoint) -> Contents:
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "types": endpoint.types,
        "is_active": endpoint.state == EndpointState.ENABLED,
    }


def _endpoint(target: Target, *, locked: bool = False) -> WebhookEndpoint:
    try:
        key = UUID(target.subject)
    except ValueError:
        raise NotAChange("There is no such webhook.") from None
    rows = WebhookEndpoint.objects.filter(pk=key, removed_at__isnull=True, **target.of_partner)
    endpoint = (rows.select_for_update(no_key=True) if locked else rows).first()
    if endpoint is None:
        raise NotAChange("There is no such webhook.")
    return endpoint
