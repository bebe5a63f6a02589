"""Hands deliveries to a sender, keeps what came of each try, and parks what is out of tries.

A claim is a lease: a sender that dies says nothing, and after the lease the delivery is taken again
with the same id. How many go to one endpoint at once is bounded, so a slow one delays itself only.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from consumers.statements import fetch_rows
from consumers.vault import TextUnreadable
from payouts.event_record import events_at
from payouts.models import DisabledWhy, EndpointState, WebhookEndpoint
from payouts.operations.webhook_endpoints import switch_off, webhook_keys
from payouts.webhooks.events import ToldEvent
from payouts.webhooks.schedule import GONE, THROTTLED, is_given_up, next_pause, wish_in

logger = logging.getLogger(__name__)

# Beyond the longest try. What a killed sender held counts among its endpoint's until then, so that
# much longer would make the endpoint wait.
LEASE_BEYOND_A_TRY: Final = timedelta(seconds=15)
AT_ONCE_TO_ONE: Final = 20
# One that fails is asked with few, until it answers well again.
AT_ONCE_TO_FAILING: Final = 2
LONGEST_HOLD: Final = timedelta(hours=1)
TRIES_KEPT: Final = 12
LONGEST_ANSWER: Final = 2048

_chance: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery, ready to be sent once. The keys stay out of `repr`."""

    delivery_id: int
    claim: int
    endpoint_id: UUID
    url: str
    event: ToldEvent
    keys: Sequence[str] = field(repr=False)
    is_failing: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try: a status, or why there is none. `text` is the beginning of the answer."""

    status: int | None = None
    error: str = ""
    milliseconds: int = 0
    text: str = ""
    retry_after: str | None = None

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Tried:
    """A parcel that was sent at `at`, with its answer."""

    parcel: Parcel
    answer: Answer
    at: datetime


# Endpoint by endpoint, the oldest first, as many as it may have at once.
_CLAIM: Final = """
WITH taken AS (
    SELECT waiting.id
    FROM payouts_webhookendpoint endpoint
    CROSS JOIN LATERAL (
        SELECT id, due_at FROM payouts_delivery
        WHERE endpoint_id = endpoint.id AND state IN ('due', 'sending') AND due_at <= %(at)s
        ORDER BY due_at
        LIMIT GREATEST(0, %(at_once)s - (
            SELECT count(*) FROM payouts_delivery
            WHERE endpoint_id = endpoint.id AND state = 'sending' AND due_at > %(at)s))
        FOR UPDATE SKIP LOCKED
    ) AS waiting
    WHERE endpoint.state = 'enabled' AND (endpoint.failing_since IS NOT NULL) = %(failing)s
      AND (endpoint.held_until IS NULL OR endpoint.held_until <= %(at)s)
    ORDER BY waiting.due_at LIMIT %(limit)s
)
UPDATE payouts_delivery delivery
SET state = 'sending', claim = delivery.claim + 1, due_at = %(leased_until)s
FROM taken WHERE delivery.id = taken.id
RETURNING delivery.id, delivery.claim, delivery.endpoint_id, delivery.position
"""


def lease() -> timedelta:
    """How long a sender that says nothing is waited for."""
    return timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS) + LEASE_BEYOND_A_TRY


def claim_deliveries(*, limit: int, failing: bool = False) -> list[Parcel]:
    """Take up to `limit` deliveries that are due, to endpoints that fail or to those that do not.

    They are this caller's until the lease ends. Any number of senders may do this at once.
    """
    at = timezone.now()
    with transaction.atomic():
        rows = fetch_rows(
            _CLAIM,
            {
                "at": at,
                "leased_until": at + lease(),
                "limit": limit,
                "failing": failing,
                "at_once": AT_ONCE_TO_FAILING if failing else AT_ONCE_TO_ONE,
            },
        )
    if not rows:
        return []
    events = events_at([row[3] for row in rows])
    endpoints = _with_keys({row[2] for row in rows}, at)
    return [
        Parcel(row[0], row[1], row[2], found.url, events[row[3]], found.keys, failing)
        for row in rows
        if (found := endpoints.get(row[2])) is not None
    ]


class _Target(NamedTuple):
    """An endpoint as a parcel needs it."""

    url: str
    keys: Sequence[str]


def _with_keys(endpoint_ids: Collection[UUID], at: datetime) -> dict[UUID, _Target]:
    """The endpoints that can be signed for; the deliveries of others wait for the next lease."""
    targets = {}
    for endpoint in WebhookEndpoint.objects.filter(pk__in=endpoint_ids, secret__isnull=False):
        try:
            targets[endpoint.pk] = _Target(endpoint.url, webhook_keys(endpoint, at=at))
        except TextUnreadable:
            logger.critical("The secret of webhook %s does not open.", endpoint.pk)
    return targets


_LOCKED: Final = """
SELECT id, tries, log, state FROM payouts_delivery
WHERE (id, claim) IN (SELECT * FROM unnest(%(ids)s::bigint[], %(claims)s::integer[]))
ORDER BY id FOR NO KEY UPDATE
"""
_RECORD: Final = """
UPDATE payouts_delivery delivery
SET state = new.state, tries = new.tries, due_at = COALESCE(new.due_at, delivery.due_at),
    log = new.log, last_status = new.status, last_error = new.error, last_answer = new.answer,
    last_tried_at = new.at, delivered_at = CASE new.state WHEN 'delivered' THEN new.at END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(tries)s::integer[], %(due)s::timestamptz[],
            %(logs)s::jsonb[], %(statuses)s::integer[], %(errors)s::text[], %(answers)s::text[],
            %(ats)s::timestamptz[])
    AS new (id, state, tries, due_at, log, status, error, answer, at)
WHERE delivery.id = new.id
RETURNING delivery.id
"""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A delivery's columns as they are to be."""

    delivery_id: int
    state: str
    tries: int
    due_at: datetime | None
    log: list[dict[str, Any]]
    tried: Tried


def record_tries(tried: Sequence[Tried]) -> None:
    """Keep what came of tries, decide what is next for each, and what for their endpoints.

    1. Lock the endpoints, then those of the deliveries that are still the caller's claim.
    2. A good answer delivers; any other makes it due after a pause, or parks it after the last try.
    3. An endpoint that is gone, or only failed for days, is switched off; what is due is parked.

    Recording twice, or after the lease, when somebody else has claimed it, changes nothing.
    """
    with transaction.atomic():
        ids = {one.parcel.endpoint_id for one in tried}
        rows = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk__in=ids)
        endpoints = {row.pk: row for row in rows.order_by("pk")}
        by_id = {one.parcel.delivery_id: one for one in tried}
        claims = [one.parcel.claim for one in by_id.values()]
        found = fetch_rows(_LOCKED, {"ids": list(by_id), "claims": claims})
        outcomes = [
            outcome
            for delivery_id, tries, log, state in found
            if (outcome := _outcome(by_id[delivery_id], tries, log, state)) is not None
        ]
        _store(outcomes)
        _judge_endpoints(endpoints, outcomes)


def _outcome(tried: Tried, tries: int, log: list[Any], state: str) -> _Outcome | None:
    answer = tried.answer
    # What was parked meanwhile and arrived all the same has arrived.
    if state not in (("sending", "parked") if answer.is_good else ("sending",)):
        return None
    line = {
        "at": tried.at.isoformat(),
        "status": answer.status,
        "error": answer.error,
        "ms": answer.milliseconds,
    }
    after: tuple[str, datetime | None] = ("delivered", None)
    if not answer.is_good:
        wish = wish_in(answer.retry_after, at=tried.at)
        pause = next_pause(
            tries=tries + 1, pauses=settings.WEBHOOK_PAUSES_SECONDS, wish=wish, chance=_chance
        )
        after = ("parked", None) if pause is None else ("due", timezone.now() + pause)
    return _Outcome(
        tried.parcel.delivery_id, after[0], tries + 1, after[1], [*log, line][-TRIES_KEPT:], tried
    )


def _store(outcomes: Sequence[_Outcome]) -> None:
    if not outcomes:
        return
    answers = [one.tried.answer for one in outcomes]
    fetch_rows(
        _RECORD,
        {
            "ids": [one.delivery_id for one in outcomes],
            "states": [one.state for one in outcomes],
            "tries": [one.tries for one in outcomes],
            "due": [one.due_at for one in outcomes],
            "logs": [Jsonb(one.log) for one in outcomes],
            "statuses": [answer.status for answer in answers],
            "errors": [answer.error for answer in answers],
            "answers": [answer.text[:LONGEST_ANSWER] for answer in answers],
            "ats": [one.tried.at for one in outcomes],
        },
    )


def _judge_endpoints(
    endpoints: Mapping[UUID, WebhookEndpoint], outcomes: Sequence[_Outcome]
) -> None:
    """What the answers, in the order of their coming, mean for those that are switched on."""
    by_endpoint: defaultdict[UUID, list[Tried]] = defaultdict(list)
    for tried in sorted((one.tried for one in outcomes), key=lambda each: each.at):
        if endpoints[tried.parcel.endpoint_id].state == EndpointState.ENABLED:
            by_endpoint[tried.parcel.endpoint_id].append(tried)
    for key, of_it in by_endpoint.items():
        for one in of_it:
            for name, value in _health_after(one, endpoints[key].failing_since).items():
                setattr(endpoints[key], name, value)
    # One statement, however many they are.
    WebhookEndpoint.objects.bulk_update([endpoints[key] for key in by_endpoint], _HEALTH)
    for key, of_it in by_endpoint.items():
        _give_up(endpoints[key], of_it)


_HEALTH: Final = ("failing_since", "held_until", "last_success_at")


def _give_up(endpoint: WebhookEndpoint, tried: Sequence[Tried]) -> None:
    latest = tried[-1].at
    if any(one.answer.status == GONE for one in tried):
        switch_off(endpoint, why=DisabledWhy.GONE, at=latest)
    elif is_given_up(failing_since=endpoint.failing_since, at=latest):
        switch_off(endpoint, why=DisabledWhy.FAILING, at=latest)


def _health_after(tried: Tried, failing_since: datetime | None) -> dict[str, Any]:
    if tried.answer.is_good:
        return {"failing_since": None, "held_until": None, "last_success_at": tried.at}
    health: dict[str, Any] = {"failing_since": failing_since or tried.at}
    wish = wish_in(tried.answer.retry_after, at=tried.at)
    if wish is not None and tried.answer.status in THROTTLED:
        health["held_until"] = tried.at + min(wish, LONGEST_HOLD)
    return health
