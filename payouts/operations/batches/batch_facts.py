"""Asks at once what the rules look at for thousands of lines of a batch: two statements a chunk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from consumers.ids import first_id_at
from consumers.statements import fetch_rows
from payouts.approvals import Source
from payouts.batch_files.wishes import LineWish
from payouts.limits import Scope
from payouts.operations.facts import (
    CardFacts,
    ConsumerFacts,
    PushFacts,
    Wish,
    push_facts,
    usage_of,
    uuid_or_none,
)

SIMILAR_WITHIN: Final = timedelta(days=7)
_NOBODY: Final = UUID(int=0)


class Earlier(NamedTuple):
    """A push of the same amount to the same card, not long ago."""

    payment_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LineFacts:
    """All that is true about one line. `fitting` counts usable cards that it could mean.

    `push` has no card unless exactly one fits, or none that is usable and one that is not.
    """

    push: PushFacts
    fitting: int
    earlier: Earlier | None


_CHUNK: Final = """
SELECT consumer.id, consumer.pcid, consumer.is_active,
    card.id, card.status, card.expiration_month, card.expiration_year, card.network, card.last4,
    card.created_at, card.push_eligible, card.push_speed, card.push_checked_at,
    choice.usable, card_day.amount, card_day.count, consumer_day.amount, consumer_day.count,
    NOT EXISTS (
        SELECT FROM payouts_payment earlier WHERE earlier.card_id = card.id
        AND earlier.status NOT IN ('failed', 'rejected', 'canceled', 'expired')),
    twin.id, twin.created_at
FROM unnest(%(refs)s::text[], %(ids)s::uuid[], %(card_ids)s::uuid[], %(last4s)s::text[],
            %(amounts)s::numeric[])
    WITH ORDINALITY AS given (ref, consumer_id, card_id, last4, amount, place)
LEFT JOIN LATERAL (
    SELECT id, pcid, is_active FROM consumers_consumer
    WHERE partner_id = %(partner)s AND id = COALESCE(
        (SELECT id FROM consumers_consumer
         WHERE id = given.consumer_id AND partner_id = %(partner)s),
        (SELECT id FROM consumers_consumer
         WHERE partner_id = %(partner)s AND pcid = given.ref))
    LIMIT 1
) consumer ON TRUE
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE usable) AS usable,
           (array_agg(id ORDER BY usable DESC, id DESC))[1] AS id
    FROM (
        SELECT id, status = 'active' AND (expiration_year, expiration_month)
                   >= (%(year)s::integer, %(month)s::integer) AS usable
        FROM consumers_paymentcard
        WHERE consumer_id = consumer.id
          AND (given.card_id IS NULL OR id = given.card_id)
          AND (given.last4 IS NULL OR last4 = given.last4)
        ORDER BY id DESC LIMIT 200
    ) fits
) choice ON TRUE
LEFT JOIN LATERAL (
    SELECT * FROM consumers_paymentcard
    WHERE id = choice.id AND choice.usable <= 1 LIMIT 1
) card ON TRUE
LEFT JOIN payouts_dailyusage card_day
    ON card_day.subject_id = card.id AND card_day.day = %(day)s AND card_day.part = 0
LEFT JOIN payouts_dailyusage consumer_day
    ON consumer_day.subject_id = consumer.id AND consumer_day.day = %(day)s
    AND consumer_day.part = 0
LEFT JOIN LATERAL (
    SELECT id, created_at FROM (
        SELECT id, created_at, amount, status FROM payouts_payment
        WHERE card_id = card.id AND id >= %(similar_since)s ORDER BY id DESC LIMIT 200
    ) newest
    WHERE newest.amount = given.amount
      AND newest.status NOT IN ('failed', 'rejected', 'canceled', 'expired')
    ORDER BY id DESC LIMIT 1
) twin ON TRUE
ORDER BY given.place
"""


def partner_facts(partner_id: UUID, *, at: datetime) -> PushFacts:
    """What is the same for every line: fees, limits, money, rules. No consumer and no card."""
    return push_facts(
        Wish(
            partner_id=partner_id,
            consumer_ref="",
            card_id=_NOBODY,
            amount=Decimal(0),
            source=Source.BATCH,
            key="",
            at=at,
        )
    )


def line_facts(
    wishes: Sequence[LineWish], *, partner_id: UUID, common: PushFacts, at: datetime
) -> list[LineFacts]:
    """What is true about each of the lines, in their order. One statement."""
    today = at.astimezone(UTC).date()
    rows = fetch_rows(
        _CHUNK,
        {
            "refs": [wish.consumer_ref for wish in wishes],
            "ids": [uuid_or_none(wish.consumer_ref) for wish in wishes],
            "card_ids": [wish.card_id for wish in wishes],
            "last4s": [wish.last4 for wish in wishes],
            "amounts": [wish.amount for wish in wishes],
            "partner": partner_id,
            "year": today.year,
            "month": today.month,
            "day": today,
            "similar_since": first_id_at(at - SIMILAR_WITHIN),
        },
    )
    return [_facts(row, common) for row in rows]


def _facts(row: tuple[Any, ...], common: PushFacts) -> LineFacts:
    # The columns of `_CHUNK`, in their order.
    consumer, card, fitting = row[0:3], row[3:13], row[13]
    card_day, consumer_day = row[14:16], row[16:18]
    is_first_push_to_card, earlier = row[18], row[19:21]
    push = replace(
        common,
        consumer=None if consumer[0] is None else ConsumerFacts(*consumer),
        card=None if card[0] is None else CardFacts(*card),
        used={
            Scope.CARD_DAY: usage_of(*card_day),
            Scope.CONSUMER_DAY: usage_of(*consumer_day),
            Scope.PARTNER_DAY: common.used[Scope.PARTNER_DAY],
        },
        is_first_push_to_card=is_first_push_to_card,
    )
    return LineFacts(push, fitting, None if earlier[0] is None else Earlier(*earlier))
