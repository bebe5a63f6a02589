"""Keeps the addresses to which partners want to be told: adding, changing, switching off, secrets.

A secret is shown when it is made and is sealed from then on. Whoever calls has looked up the
endpoint among those of the right partner; staff come here through a change that two people agree
on, except for switching off, which one may do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from consumers.audit import Act, Verb, changed_fields, record_act, subject_of
from consumers.ids import new_id
from consumers.operations.sealed_rows import SealedTexts
from consumers.partner_events import tell_partner
from consumers.vault import key_ring_from_settings, seal_text, unseal_text
from payouts.models import Delivery, DisabledWhy, EndpointState, WebhookEndpoint
from payouts.models.webhooks import DeliveryState
from payouts.webhooks.addresses import AddressRules, webhook_url
from payouts.webhooks.events import EVENT_GROUPS, EVENT_TYPES, WEBHOOK_DISABLED, WEBHOOK_TEST
from payouts.webhooks.signing import new_secret

MOST_ENDPOINTS: Final = 20
USUAL_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)


class TooManyWebhooks(Exception):
    """The partner has as many endpoints as one may have."""


class WebhookRemoved(Exception):
    """The endpoint was removed; nothing happens to it any more."""


class WebhookDisabled(Exception):
    """The endpoint is switched off: nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """An endpoint with its secret, which is shown now or never."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


class WebhookChanges(TypedDict, total=False):
    """What of an endpoint may be changed; what is left out stays."""

    url: str
    description: str
    types: Sequence[str]


def address_rules() -> AddressRules:
    """Where this installation may connect to."""
    return AddressRules(
        loopback=settings.WEBHOOK_LOOPBACK_ALLOWED, ports=frozenset(settings.WEBHOOK_PORTS)
    )


def add_webhook(
    partner_id: UUID, *, url: str, types: Sequence[str] = (), description: str = ""
) -> NewWebhook:
    """Add an endpoint, switched on, with a fresh secret. It hears what happens from now on.

    Adding twice adds two.

    :raises NotAWebhookURL: see `payouts.webhooks.addresses.webhook_url`.
    :raises TooManyWebhooks: also for the later ones of several at once.
    """
    at, secret, key = timezone.now(), new_secret(), new_id()
    endpoint = WebhookEndpoint(
        id=key,
        partner_id=partner_id,
        url=str(webhook_url(url, rules=address_rules())),
        description=description,
        types=_in_order(types),
        secret=_sealed(secret, key, partner_id),
        created_at=at,
        updated_at=at,
    )
    with transaction.atomic():
        # Whoever adds one at the same moment waits, and counts this one too.
        with connection.cursor() as cursor:
            name = f"webhooks|{partner_id}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        if webhooks_of(partner_id).count() >= MOST_ENDPOINTS:
            raise TooManyWebhooks(f"There are {MOST_ENDPOINTS} already. Remove one first.")
        endpoint.save(force_insert=True)
        after = {"url": endpoint.url, "types": endpoint.types}
        record_act(Act(verb=Verb.ADD, subject=subject_of(endpoint), after=after))
    return NewWebhook(endpoint, secret)


def change_webhook(endpoint: WebhookEndpoint, **changes: Unpack[WebhookChanges]) -> WebhookEndpoint:
    """Change address, description or types; what is on its way already goes to the new address.

    Of two callers at once each writes what it names.

    :raises NotAWebhookURL, WebhookRemoved: nothing has changed.
    """
    columns: dict[str, Any] = dict(changes)
    if "url" in columns:
        columns["url"] = str(webhook_url(columns["url"], rules=address_rules()))
    if "types" in columns:
        columns["types"] = _in_order(columns["types"])
    with transaction.atomic():
        row = _locked(endpoint.pk)
        before, after = changed_fields(row, columns)
        if after:
            WebhookEndpoint.objects.filter(pk=row.pk).update(**after, updated_at=timezone.now())
            act = Act(verb=Verb.CHANGE, subject=subject_of(row), before=before, after=after)
            record_act(act)
    endpoint.refresh_from_db()
    return endpoint


def enable_webhook(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Switch it on. What happened meanwhile is not sent by itself: replay it.

    :raises WebhookRemoved: it was removed.
    """
    with transaction.atomic():
        row = _locked(endpoint.pk)
        if row.state == EndpointState.DISABLED:
            _write(
                row,
                state=EndpointState.ENABLED,
                disabled_why="",
                disabled_at=None,
                failing_since=None,
                held_until=None,
            )
            after = {"state": EndpointState.ENABLED}
            record_act(Act(verb=Verb.CHANGE, subject=subject_of(row), after=after))
    endpoint.refresh_from_db()
    return endpoint


def disable_webhook(
    endpoint: WebhookEndpoint, *, why: DisabledWhy, reason: str = ""
) -> WebhookEndpoint:
    """Switch it off, and park what is on its way to it. Doing it again changes nothing.

    Whoever did not do it is told by an event, `webhook.disabled`.

    :raises WebhookRemoved: it was removed.
    """
    with transaction.atomic():
        row = _locked(endpoint.pk)
        if row.state == EndpointState.ENABLED:
            switch_off(row, why=why, at=timezone.now(), reason=reason)
    endpoint.refresh_from_db()
    return endpoint


def switch_off(row: WebhookEndpoint, *, why: DisabledWhy, at: datetime, reason: str = "") -> None:
    """Switch off an enabled endpoint whose row the caller's transaction has locked."""
    _write(row, state=EndpointState.DISABLED, disabled_why=why, disabled_at=at)
    _park(row)
    act = Act(verb=Verb.DISABLE, subject=subject_of(row), reason=reason or why.label)
    record_act(act)
    if why != DisabledWhy.BY_PARTNER:
        told = {"id": str(row.pk), "url": row.url, "why": why.value}
        tell_partner(row.partner_id, WEBHOOK_DISABLED, subject_id=row.pk, told=told)


def remove_webhook(endpoint: WebhookEndpoint) -> None:
    """Remove it for good, with its secrets; its deliveries stay readable to staff. Again: nothing.

    A delivery that is on its way at this moment may still arrive.
    """
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if row.removed_at is not None:
            return
        at = timezone.now()
        _write(
            row,
            state=EndpointState.DISABLED,
            disabled_why=row.disabled_why or DisabledWhy.BY_PARTNER,
            disabled_at=row.disabled_at or at,
            secret=None,
            previous_secret=None,
            previous_until=None,
            removed_at=at,
        )
        _park(row)
        record_act(Act(verb=Verb.DELETE, subject=subject_of(row)))


def rotate_webhook_secret(
    endpoint: WebhookEndpoint, *, overlap: timedelta = USUAL_OVERLAP
) -> NewWebhook:
    """Make a new secret, which signs first from now on; the one before signs too for `overlap`.

    An older one than that ends now. With no overlap the one before ends now as well, which is what
    somebody wants whose secret leaked.

    :raises WebhookRemoved: it was removed.
    """
    assert timedelta() <= overlap <= LONGEST_OVERLAP
    secret = new_secret()
    with transaction.atomic():
        row = _locked(endpoint.pk)
        at = timezone.now()
        before = webhook_keys(row, at=at)[0] if overlap else None
        sealed_before = None
        if before is not None:
            sealed_before = _sealed(before, row.pk, row.partner_id, is_previous=True)
        _write(
            row,
            secret=_sealed(secret, row.pk, row.partner_id),
            previous_secret=sealed_before,
            previous_until=None if before is None else at + overlap,
        )
        record_act(Act(verb=Verb.ADD_SECRET, subject=subject_of(row)))
    endpoint.refresh_from_db()
    return NewWebhook(endpoint, secret)


def send_test(endpoint: WebhookEndpoint) -> UUID:
    """Send a test event to this endpoint and no other; return the key of its id.

    :raises WebhookRemoved, WebhookDisabled: nothing is sent.
    """
    with transaction.atomic():
        row = _locked(endpoint.pk)
        if row.state != EndpointState.ENABLED:
            raise WebhookDisabled("It is switched off. Switch it on first.")
        record_act(Act(verb=Verb.TEST, subject=subject_of(row)))
        told = {"webhook_id": str(row.pk), "message": "This is a test. Nothing has happened."}
        return tell_partner(row.partner_id, WEBHOOK_TEST, subject_id=row.pk, told=told)


def webhook_keys(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """The secrets that sign at this instant, the newer first.

    :raises consumers.vault.TextUnreadable: a key of the vault is missing, or bytes were changed.
    """
    ring = key_ring_from_settings()
    assert endpoint.secret is not None
    place = _place_of_secret(endpoint.pk, endpoint.partner_id)
    keys = [unseal_text(bytes(endpoint.secret), bound_to=place, ring=ring)]
    is_overlap = endpoint.previous_until is not None and at < endpoint.previous_until
    if endpoint.previous_secret is not None and is_overlap:
        place = _place_of_secret(endpoint.pk, endpoint.partner_id, is_previous=True)
        keys.append(unseal_text(bytes(endpoint.previous_secret), bound_to=place, ring=ring))
    return keys


def webhooks_of(partner_id: UUID) -> Any:
    """The partner's endpoints that are there, newest first."""
    rows = WebhookEndpoint.objects.filter(partner_id=partner_id, removed_at__isnull=True)
    return rows.order_by("-pk")


def _in_order(types: Sequence[str]) -> list[str]:
    known = [*EVENT_TYPES, *EVENT_GROUPS]
    assert set(types) <= set(known)
    return [name for name in known if name in types]


def _locked(endpoint_id: UUID) -> WebhookEndpoint:
    row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    if row.removed_at is not None:
        raise WebhookRemoved("The webhook was removed.")
    return row


def _write(row: WebhookEndpoint, **columns: Any) -> None:
    columns["updated_at"] = timezone.now()
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))


def _park(row: WebhookEndpoint) -> None:
    waiting = Delivery.objects.filter(endpoint=row, state__in=["due", "sending"])
    waiting.update(state=DeliveryState.PARKED)


def _sealed(secret: str, key: UUID, partner_id: UUID, *, is_previous: bool = False) -> bytes:
    place = _place_of_secret(key, partner_id, is_previous=is_previous)
    return seal_text(secret, bound_to=place, ring=key_ring_from_settings())


def _place_of_secret(key: UUID, partner_id: UUID, *, is_previous: bool = False) -> str:
    return f"webhook|{key}|{partner_id}|{'previous_secret' if is_previous else 'secret'}"


WEBHOOK_SECRETS: Final = SealedTexts(
    "webhook secrets",
    model=WebhookEndpoint,
    column="secret",
    place=lambda row: _place_of_secret(row.pk, row.partner_id),
)
PREVIOUS_WEBHOOK_SECRETS: Final = SealedTexts(
    "previous webhook secrets",
    model=WebhookEndpoint,
    column="previous_secret",
    place=lambda row: _place_of_secret(row.pk, row.partner_id, is_previous=True),
)
