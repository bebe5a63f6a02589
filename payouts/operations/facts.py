"""Asks once for everything that the decision about a push needs.

One statement, no locks. What may change between this look and the write is judged again by
`payouts_store_payment` under locks.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from consumers.ids import first_id_at
from consumers.models import Partner
from consumers.statements import fetch_row
from payouts.approvals import DUPLICATE_WINDOW, MADE_BY_PEOPLE, Rule, Source
from payouts.fees import FREE, FeeSchedule
from payouts.limits import Limit, Scope, Usage
from payouts.money import CENT


class FirstAnswer(NamedTuple):
    """What a key's first call was told: the digest of its request, the status, the body."""

    digest: bytes
    status_code: int
    body: bytes


class ConsumerFacts(NamedTuple):
    id: UUID
    pcid: str
    is_active: bool


class CardFacts(NamedTuple):
    id: UUID
    status: str
    expiration_month: int
    expiration_year: int
    network: str
    last4: str
    created_at: datetime
    push_eligible: bool | None
    push_speed: str
    push_checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class PushFacts:
    """All that is true about a wished-for push at one instant.

    `card` is None if the consumer has no such card.
    """

    first_answer: FirstAnswer | None
    is_partner_active: bool
    key_required: bool
    approval_hours: int
    consumer: ConsumerFacts | None
    card: CardFacts | None
    schedule: FeeSchedule
    limits: tuple[Limit, ...]
    used: dict[Scope, Usage]
    partner_day_is_uneven: bool
    available: Decimal
    available_account_id: int
    held_account_id: int
    rules: tuple[Rule, ...]
    is_first_push_to_card: bool
    has_twin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked up: who, to which card, how much (dollars), by which way, and when."""

    partner_id: UUID
    consumer_ref: str
    card_id: UUID
    amount: Decimal
    source: Source
    key: str | None
    at: datetime

    @property
    def twin_since(self) -> UUID | None:
        """The oldest payment that this could be a retry of; None if the key tells without a look.

        A key of a program does. One that our own page has made stops a second click, and knows
        nothing of the same push that somebody has issued from another page just before.
        """
        if self.key is not None and self.source not in MADE_BY_PEOPLE:
            return None
        return first_id_at(self.at - DUPLICATE_WINDOW)


_FACTS: Final = """
SELECT
    key.request_digest, key.status_code, key.answer,
    consumer.id, consumer.pcid, consumer.is_active,
    card.id, card.status, card.expiration_month, card.expiration_year, card.network, card.last4,
    card.created_at, card.push_eligible, card.push_speed, card.push_checked_at,
    fee.fixed, fee.basis_points, fee.minimum, fee.maximum,
    partner.is_active, partner.requires_idempotency_key, partner.approval_hours,
    (SELECT array_agg(ARRAY[scope, max_amount::text, max_count::text] ORDER BY id)
     FROM payouts_limit WHERE partner_id = partner.id),
    (SELECT json_agg(json_build_object(
        'name', name, 'decisions', decisions, 'group_id', group_id,
        'amount_at_least', amount_at_least::text, 'source', source,
        'first_push_to_card', first_push_to_card,
        'card_younger_than', extract(epoch FROM card_younger_than)::text,
        'possible_duplicate', possible_duplicate) ORDER BY id)
     FROM payouts_approvalrule
     WHERE is_active AND (partner_id IS NULL OR partner_id = partner.id)),
    card_day.amount, card_day.count, consumer_day.amount, consumer_day.count,
    partner_day.amount, partner_day.count, partner_day.max_amount, partner_day.max_count,
    (SELECT sum(max_debit - balance) FROM payouts_accountpart WHERE account_id = available.id),
    available.id, held.id,
    NOT EXISTS (
        SELECT FROM payouts_payment earlier WHERE earlier.card_id = card.id
        AND earlier.status NOT IN ('failed', 'rejected', 'canceled', 'expired')),
    EXISTS (
        SELECT FROM payouts_payment twin
        WHERE twin.card_id = card.id AND twin.id >= %(twin_since)s AND twin.amount = %(amount)s
        -- What may have been paid after all is a twin, whatever its status says.
        AND (twin.status NOT IN ('failed', 'rejected', 'canceled', 'expired')
             OR twin.moved_otherwise IN ('unknown', 'yes')))
FROM consumers_partner partner
LEFT JOIN payouts_idempotencykey key ON key.partner_id = partner.id AND key.key = %(key)s
LEFT JOIN consumers_consumer consumer
    ON consumer.partner_id = partner.id AND consumer.id = COALESCE(
    (SELECT id FROM consumers_consumer WHERE id = %(consumer_id)s AND partner_id = partner.id),
    (SELECT id FROM consumers_consumer WHERE partner_id = partner.id AND pcid = %(consumer_ref)s))
LEFT JOIN consumers_paymentcard card ON card.id = %(card_id)s AND card.consumer_id = consumer.id
LEFT JOIN LATERAL (
    SELECT fixed, basis_points, minimum, maximum FROM payouts_feeschedule
    WHERE partner_id = partner.id AND valid_from <= %(at)s ORDER BY valid_from DESC LIMIT 1
) fee ON TRUE
LEFT JOIN payouts_dailyusage card_day
    ON card_day.subject_id = card.id AND card_day.day = %(day)s AND card_day.part = 0
LEFT JOIN payouts_dailyusage consumer_day
    ON consumer_day.subject_id = consumer.id AND consumer_day.day = %(day)s
    AND consumer_day.part = 0
LEFT JOIN LATERAL (
    SELECT sum(amount) AS amount, sum(count) AS count,
           max(amount) AS max_amount, max(count) AS max_count
    FROM payouts_dailyusage WHERE subject_id = partner.id AND day = %(day)s
) partner_day ON TRUE
JOIN payouts_account available ON available.partner_id = partner.id AND available.kind = 'available'
JOIN payouts_account held ON held.partner_id = partner.id AND held.kind = 'held'
WHERE partner.id = %(partner_id)s
"""


def push_facts(wish: Wish) -> PushFacts:
    """Return what the rules look at, read in one statement.

    :raises Partner.DoesNotExist: if there is no such partner.
    """
    row = fetch_row(_FACTS, _parameters(wish))
    if row is None:
        raise Partner.DoesNotExist(wish.partner_id)
    # The columns of `_FACTS`, in their order.
    answer, consumer, card, fee = row[0:3], row[3:6], row[6:16], row[16:20]
    is_active, key_required, approval_hours, limit_rows, rules = row[20:25]
    card_day, consumer_day = row[25:27], row[27:29]
    partner_day, fullest_part = row[29:31], row[31:33]
    available, available_id, held_id, is_first_push_to_card, has_twin = row[33:]
    limits = tuple(
        Limit(Scope(scope), _decimal(amount), None if count is None else int(count))
        for scope, amount, count in limit_rows or ()
    )
    return PushFacts(
        first_answer=None if answer[0] is None else FirstAnswer(*answer),
        is_partner_active=is_active,
        key_required=key_required,
        approval_hours=approval_hours,
        consumer=None if consumer[0] is None else ConsumerFacts(*consumer),
        card=None if card[0] is None else CardFacts(*card),
        schedule=FREE if fee[0] is None else FeeSchedule(*fee),
        limits=limits,
        used={
            Scope.CARD_DAY: usage_of(*card_day),
            Scope.CONSUMER_DAY: usage_of(*consumer_day),
            Scope.PARTNER_DAY: usage_of(*partner_day),
        },
        partner_day_is_uneven=_is_uneven(limits, *fullest_part),
        available=available,
        available_account_id=available_id,
        held_account_id=held_id,
        rules=tuple(_rule(rule) for rule in rules or ()),
        is_first_push_to_card=is_first_push_to_card,
        has_twin=has_twin,
    )


def _parameters(wish: Wish) -> dict[str, Any]:
    return {
        "partner_id": wish.partner_id,
        "consumer_id": uuid_or_none(wish.consumer_ref),
        "consumer_ref": wish.consumer_ref,
        "card_id": wish.card_id,
        "amount": wish.amount,
        "key": wish.key,
        "at": wish.at,
        "day": wish.at.astimezone(UTC).date(),
        "twin_since": wish.twin_since,
    }


def uuid_or_none(text: str) -> UUID | None:
    """The id that a request names; None if it is written otherwise, and so names nothing."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def usage_of(amount: Decimal | None, count: Decimal | None) -> Usage:
    """What is used of a day by the sums of its parts; nothing if it has none yet."""
    if amount is None or count is None:
        return Usage()
    # Parts are kept to a sixteenth of a cent; together they are whole cents.
    return Usage(amount.quantize(CENT), round(count))


def _is_uneven(
    limits: tuple[Limit, ...], most_amount: Decimal | None, most_count: Decimal | None
) -> bool:
    """Say whether a part of the partner's day is past its sixteenth, as after a lowered limit.

    Parts are only independent of each other while each is within its share of the bound.
    """
    if most_amount is None or most_count is None:
        return False
    for limit in limits:
        if limit.scope is Scope.PARTNER_DAY:
            return (limit.max_amount is not None and most_amount * 16 > limit.max_amount) or (
                limit.max_count is not None and most_count * 16 > limit.max_count
            )
    return False


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _rule(rule: dict[str, Any]) -> Rule:
    younger = _decimal(rule["card_younger_than"])
    return Rule(
        name=rule["name"],
        decisions=rule["decisions"],
        group_id=rule["group_id"],
        amount_at_least=_decimal(rule["amount_at_least"]),
        source=Source(rule["source"]) if rule["source"] else None,
        first_push_to_card=rule["first_push_to_card"],
        card_younger_than=None if younger is None else timedelta(seconds=int(younger)),
        possible_duplicate=rule["possible_duplicate"],
    )
