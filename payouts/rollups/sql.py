"""What payments and events count as, in SQL: the one definition that everything else is made of.

A payment is one under (quarter of an hour of its key, status, reason if failed, pace if paid). An
event that changes its status is minus one under the old status and plus one under the new one. So
the rollups after any event are those before and what the event counts as, in whatever order.

The time is the key's, not `created_at`: lists cut days by the key, and must show as many.
"""

from typing import Final

from payouts.rollups.paces import STEPS_PER_DOUBLING

QUARTER_MS: Final = 15 * 60 * 1000

# The first 48 bits of a UUIDv7 are the milliseconds since 1970.
_KEY_MS: Final = (
    "('x' || substr(payment.id::text, 1, 8) || substr(payment.id::text, 10, 4))::bit(48)::bigint"
)
_PAID_MS: Final = (
    "GREATEST(extract(epoch FROM payment.completed_at - payment.created_at)::float8 * 1000, 1)"
)

_FACTS: Final = f"""payment.partner_id,
    'epoch'::timestamptz + ({_KEY_MS} / {QUARTER_MS}) * '15 minutes'::interval AS began_at,
    DATE '1970-01-01' + ({_KEY_MS} / 86400000)::integer AS day,
    side.status,
    CASE side.status WHEN 'failed' THEN payment.failure_code ELSE '' END AS failure_code,
    CASE WHEN side.status IN ('completed', 'returned')
         THEN LEAST(1 + floor({STEPS_PER_DOUBLING} * ln({_PAID_MS}) / ln(2::float8)), 9999)
         ELSE 0 END::smallint AS pace,
    side.sign AS payments, side.sign * payment.amount AS amount,
    side.sign * payment.fee_amount AS fees"""

# What every payment counts as now.
OF_PAYMENTS: Final = f"""
SELECT {_FACTS} FROM payouts_payment payment
CROSS JOIN LATERAL (VALUES (payment.status, 1)) AS side (status, sign)
"""  # noqa: S608  # nosec B608: constants only


def of_events(events: str) -> str:
    """What events count as. `events` is SQL that stands for rows of the events' table."""
    return f"""
SELECT {_FACTS} FROM {events} event
JOIN payouts_payment payment ON payment.id = event.payment_id
CROSS JOIN LATERAL (VALUES (event.to_status, 1), (event.from_status, -1)) AS side (status, sign)
WHERE event.from_status <> event.to_status AND side.status <> ''
"""  # noqa: S608  # nosec B608: constants only


CURSOR: Final = "COALESCE((SELECT last_event_id FROM payouts_rollupcursor WHERE id = 1), 0)"

# What the rollups hold: every payment as it was when the last event that is counted had happened.
# In one statement, payments and events are seen at the same instant.
OF_COUNTED: Final = f"""
{OF_PAYMENTS}
UNION ALL
SELECT partner_id, began_at, day, status, failure_code, pace, -payments, -amount, -fees
FROM ({of_events("(SELECT * FROM payouts_event WHERE id > %(last_event_id)s)")}) AS not_yet
"""  # noqa: S608  # nosec B608: constants only

PUSH_KEY: Final = "began_at, status, failure_code, pace"
PARTNER_KEY: Final = "day, partner_id, status"


def summed(facts: str, *, by: str) -> str:
    """The facts summed up, without what comes to nothing."""
    return f"""
SELECT {by}, sum(payments) AS payments, sum(amount) AS amount, sum(fees) AS fees
FROM {facts} facts GROUP BY {by}
HAVING sum(payments) <> 0 OR sum(amount) <> 0 OR sum(fees) <> 0
"""  # noqa: S608  # nosec B608: constants only
