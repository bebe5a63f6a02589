"""The one place that changes a payment's status: a conditional update with its event, in one go.

Whoever comes second finds the status changed and moves nothing. The database refuses a status
change without its event and any step that `payouts.states` does not allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from consumers.statements import fetch_rows
from payouts import dispatch
from payouts.actors import Actor
from payouts.models import EventKind
from payouts.states import Status, can_become
from payouts.webhooks.events import PAYMENT_KINDS


class PaymentMoved(Exception):
    """The payment is no longer in the status that was expected: somebody else was first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of status, with what the history says about it.

    `due_at` is when a worker should look next (None: nobody needs to); what waits for people is
    due when it expires, whatever is said here. `before` equal to `to` records an event only.
    """

    before: Status
    to: Status
    kind: EventKind
    actor: Actor
    at: datetime
    due_at: datetime | None = None
    completed_at: datetime | None = None
    failure_code: str = ""
    network_code: str = ""
    request_id: str = ""
    # None leaves it. As long as it is not empty, each event says it too.
    moved_otherwise: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


_STEP: Final = """
WITH moved AS (
    UPDATE payouts_payment
    SET status = %(to)s, version = version + 1, updated_at = %(at)s,
        due_at = CASE %(to)s::varchar WHEN 'pending_approval' THEN approval_expires_at
            ELSE %(due_at)s END,
        completed_at = COALESCE(%(completed_at)s, completed_at),
        failure_code = %(failure_code)s, network_code = %(network_code)s,
        moved_otherwise = COALESCE(%(moved_otherwise)s, moved_otherwise)
    WHERE id = ANY(%(ids)s) AND status = %(before)s
    RETURNING id, version, moved_otherwise
)
INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor, details,
                           request_id, created_at)
SELECT id, version, %(kind)s, %(before)s, %(to)s, %(actor)s,
    CASE moved_otherwise WHEN '' THEN %(details)s
         ELSE %(details)s || jsonb_build_object('money_moved', moved_otherwise) END,
    %(request_id)s, %(at)s
FROM moved
RETURNING payment_id
"""


def take_step(payment_id: UUID, step: Step) -> None:
    """Move one payment and write its event.

    :raises PaymentMoved: if it is not in `step.before`; nothing is changed then. Of two callers at
        once exactly one moves it.
    """
    if not take_steps([payment_id], step):
        raise PaymentMoved(payment_id)


def take_steps(payment_ids: Sequence[UUID], step: Step) -> list[UUID]:
    """Move those of the payments that are in `step.before`; return their ids. One statement."""
    if step.before is not step.to and not can_become(step.before, step.to):
        raise ValueError(f"No payment goes from {step.before} to {step.to}.")
    rows = fetch_rows(
        _STEP,
        {
            "ids": list(payment_ids),
            "before": step.before.value,
            "to": step.to.value,
            "kind": step.kind.value,
            "actor": step.actor.label,
            "at": step.at,
            "due_at": step.due_at,
            "completed_at": step.completed_at,
            "failure_code": step.failure_code,
            "network_code": step.network_code,
            "request_id": step.request_id,
            "moved_otherwise": step.moved_otherwise,
            "details": Jsonb(step.details),
        },
    )
    if rows and step.kind.value in PAYMENT_KINDS:
        dispatch.ring_webhooks()
    return [row[0] for row in rows]
