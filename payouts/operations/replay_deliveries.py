"""Has events sent again to one endpoint: named ones, or what happened in a range.

They go out with the ids that they have, by the way of every delivery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, record_act, subject_of
from consumers.statements import fetch_row, fetch_rows
from payouts.models import EndpointState, WebhookEndpoint
from payouts.operations.purge_deliveries import deliveries_kept_since
from payouts.operations.webhook_endpoints import WebhookDisabled
from payouts.webhooks.events import WEBHOOK_TEST

REPLAYED_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class ReplayedEvents:
    """How many events go out again, and the last of them; `has_more`: call again from there."""

    events: int
    last_position: int | None
    has_more: bool


# What was never addressed to the endpoint (it was off, or not there yet) is addressed now.
_REPLAY: Final = """
WITH wanted AS (
    SELECT event.position FROM payouts_outboxevent event
    JOIN payouts_webhookendpoint endpoint ON endpoint.id = %(endpoint)s
    LEFT JOIN payouts_delivery delivery
        ON delivery.endpoint_id = endpoint.id AND delivery.position = event.position
    WHERE event.partner_id = endpoint.partner_id AND {which}
      AND COALESCE(delivery.state, '') NOT IN ('due', 'sending')
      AND (event.type <> %(test)s OR delivery.id IS NOT NULL)
    ORDER BY event.position LIMIT %(limit)s
)
INSERT INTO payouts_delivery (endpoint_id, position, state, claim, tries, due_at, log, last_error,
                              last_answer)
SELECT %(endpoint)s, position, 'due', 0, 0, %(at)s, '[]', '', '' FROM wanted
ON CONFLICT (endpoint_id, position) DO UPDATE
SET state = 'due', tries = 0, due_at = excluded.due_at, delivered_at = NULL
WHERE payouts_delivery.state NOT IN ('due', 'sending')
RETURNING position
"""
_NAMED: Final = _REPLAY.format(which="event.position = ANY(%(positions)s)")
_SUBSCRIBED: Final = """(endpoint.types = '{}' OR event.type = ANY(endpoint.types)
    OR regexp_replace(event.type, '[^.]+$', '*') = ANY(endpoint.types))"""
_RANGE: Final = _REPLAY.format(
    which="""event.position > %(after)s AND event.position <= %(to)s
    AND (%(delivered_too)s OR COALESCE(delivery.state, '') <> 'delivered')
    -- Of what is older nobody knows any more whether it has arrived, unless it is there.
    AND (%(delivered_too)s OR delivery.id IS NOT NULL OR event.created_at >= %(kept_since)s)
    AND """
    + _SUBSCRIBED
)


def replay_events(endpoint: WebhookEndpoint, *, positions: Sequence[int]) -> ReplayedEvents:
    """Send these events of the partner again, whatever became of them; with the same ids.

    What is on its way already is left to it. Twice at once sends once.

    :raises WebhookDisabled: nothing is sent.
    """
    return _replay(endpoint, _NAMED, {"positions": list(positions)})


def replay_range(
    endpoint: WebhookEndpoint, *, after: int, to: int, delivered_too: bool = False
) -> ReplayedEvents:
    """Send what happened above one position and up to another, of the types that it wants to hear.

    At most `REPLAYED_AT_ONCE` of them. Without `delivered_too`, only what has not arrived: of what
    is older than deliveries are kept, that is what waits or is parked.

    :raises WebhookDisabled: nothing is sent.
    """
    return _replay(endpoint, _RANGE, {"after": after, "to": to, "delivered_too": delivered_too})


def _replay(endpoint: WebhookEndpoint, statement: str, which: Mapping[str, Any]) -> ReplayedEvents:
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if row.state != EndpointState.ENABLED:
            raise WebhookDisabled("It is switched off. Switch it on first.")
        at = timezone.now()
        named = {
            "endpoint": row.pk,
            "at": at,
            "kept_since": deliveries_kept_since(at),
            "limit": REPLAYED_AT_ONCE,
            "test": WEBHOOK_TEST,
        }
        positions = [position for (position,) in fetch_rows(statement, {**named, **which})]
        told = {"events": len(positions)}
        record_act(Act(verb=Verb.REPLAY, subject=subject_of(row), after=told))
    last = max(positions, default=None)
    return ReplayedEvents(len(positions), last, len(positions) == REPLAYED_AT_ONCE)


def newest_position() -> int:
    """The last position that was given."""
    row = fetch_row("SELECT COALESCE(max(position), 0) FROM payouts_outboxevent", {})
    assert row is not None
    return int(row[0])
