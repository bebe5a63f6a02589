"""Finds payments by what somebody says on the phone: name, last four, amount, reference, any id.

`search_text.sought` reads one line of text as everything that it could mean; `find_payments` looks
all of that up in one statement, every meaning by an index and with a bound. No screen and no
permission belongs here: the caller says whose payments may be found.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from consumers.search import FOUND_AT_MOST, Found, kept, uuid_or_none
from consumers.statements import fetch_rows
from payouts.approvals import Source
from payouts.finding.search_text import Sought, sought
from payouts.states import Status

# Of the people, or cards, that a text means, so many of the newest are looked at.
_ROOTS_AT_MOST: Final = 200
# More people than this are not gathered; then the newest of all are looked through.
_GATHERED_AT_MOST: Final = 20_000
# Of what fits one part of a name beside numbers, so many of the newest are held against the others.
_COMPARED_AT_MOST: Final = 2_000

_FIRST_KEY: Final = UUID(int=0)
_LAST_KEY: Final = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where to look: one partner or all, keys from `first` up to but not including `end`.

    The other fields narrow it further; None leaves them open. Amounts are dollars, both included.
    """

    partner_id: UUID | None = None
    first: UUID = _FIRST_KEY
    end: UUID = _LAST_KEY
    statuses: tuple[Status, ...] | None = None
    source: Source | None = None
    network: str | None = None
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    maker_user_id: int | None = None
    maker_client_id: UUID | None = None
    failure: str | None = None
    batch_id: UUID | None = None

    def between(self, first: UUID | None, end: UUID | None) -> "Reach":
        """The part of it from `first` up to but not including `end`; None leaves a side."""
        return replace(
            self,
            first=self.first if first is None else max(self.first, first),
            end=self.end if end is None else min(self.end, end),
        )

    def parameters(self) -> dict[str, Any]:
        """Its fields as the statements below name them."""
        named = {name: getattr(self, name) for name in Reach.__slots__}
        named["statuses"] = self.statuses and [status.value for status in self.statuses]
        named["source"] = self.source and self.source.value
        return named


# Every branch stops at a bound, and walks an index in the order in which it is wanted. A branch
# whose parameter is null costs nothing. What words or a trace number match is gathered before it is
# put in order: a walk down the keys in search of something rare would read the whole table. Where
# so many match that not all are gathered, they are frequent among the newest too. A limit where
# there is one row anyway keeps the planner from reading all people or cards to join some of them.
REACHED: Final = """id >= %(first)s AND id < %(end)s
          AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))
          AND (%(source)s::text IS NULL OR source = %(source)s)
          AND (%(amount_min)s::numeric IS NULL OR amount >= %(amount_min)s)
          AND (%(amount_max)s::numeric IS NULL OR amount <= %(amount_max)s)
          AND (%(maker_user_id)s::integer IS NULL OR maker_user_id = %(maker_user_id)s)
          AND (%(maker_client_id)s::uuid IS NULL OR maker_client_id = %(maker_client_id)s)
          AND (%(failure)s::text IS NULL OR failure_code = %(failure)s)
          AND (%(batch_id)s::uuid IS NULL OR EXISTS (
              SELECT FROM payouts_batchrow
              WHERE payment_id = payouts_payment.id AND batch_id = %(batch_id)s))
          AND (%(network)s::text IS NULL OR %(network)s = (
              SELECT network FROM consumers_paymentcard
              WHERE id = payouts_payment.card_id LIMIT 1))"""
_OF_PARTNER: Final = "(%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)"


def _people(name: str, words: str) -> str:
    """Two parts of the statement: the people whose words match, first any, then of the newest."""
    return f"""
{name}_gathered AS MATERIALIZED (
    SELECT id FROM consumers_consumer
    WHERE search_vector @@ %({words})s::tsquery AND {_OF_PARTNER}
    LIMIT %(gathered)s + 1
), {name} AS MATERIALIZED (
    SELECT id FROM {name}_gathered
    UNION
    SELECT newest.id FROM partners CROSS JOIN LATERAL (
        SELECT id, search_vector FROM consumers_consumer
        WHERE partner_id = partners.id
          AND (SELECT count(*) FROM {name}_gathered) > %(gathered)s
        ORDER BY id DESC LIMIT 1 + %(gathered)s / (SELECT count(*) FROM partners)
    ) newest WHERE newest.search_vector @@ %({words})s::tsquery
    ORDER BY id DESC LIMIT %(roots)s + 1
)"""  # noqa: S608  # nosec B608


# What of a number it is, an amount or a last four, nobody says: each has to be one of the two.
_FITS_NUMBERS: Final = """NOT EXISTS (
        SELECT FROM unnest(%(with_amounts)s::numeric[], %(with_last4s)s::text[])
            AS said(amount, last4)
        WHERE beside.amount IS DISTINCT FROM said.amount
          AND card.last4 IS DISTINCT FROM said.last4
    )"""

_PAYMENTS: Final = f"""
WITH partners AS MATERIALIZED (
    SELECT id FROM consumers_partner WHERE %(partner_id)s::uuid IS NULL OR id = %(partner_id)s
), {_people("by_words", "words")}, {_people("by_name", "with_words")}, people AS MATERIALIZED (
    SELECT id FROM by_words
    UNION
    SELECT consumer.id FROM partners JOIN consumers_consumer consumer
        ON consumer.partner_id = partners.id AND consumer.pcid = %(text)s
    UNION
    SELECT id FROM consumers_consumer WHERE id = %(id)s AND partner_id IN (TABLE partners)
    ORDER BY id DESC LIMIT %(roots)s + 1
), cards AS MATERIALIZED (
    SELECT card.id FROM partners CROSS JOIN LATERAL (
        SELECT id FROM consumers_paymentcard
        WHERE partner_id = partners.id AND last4 = %(last4)s
        ORDER BY id DESC LIMIT %(roots)s + 1
    ) card
    UNION
    SELECT id FROM consumers_paymentcard WHERE id = %(id)s AND partner_id IN (TABLE partners)
    ORDER BY id DESC LIMIT %(roots)s + 1
), cards_beside AS MATERIALIZED (
    SELECT card.id, card.consumer_id FROM partners
    CROSS JOIN unnest(%(with_last4s)s::text[]) AS said(last4)
    CROSS JOIN LATERAL (
        SELECT id, consumer_id FROM consumers_paymentcard
        WHERE partner_id = partners.id AND last4 = said.last4
        ORDER BY id DESC LIMIT %(compared)s + 1
    ) card
    ORDER BY card.id DESC LIMIT %(compared)s + 1
), attempts AS MATERIALIZED (
    SELECT payment_id AS id FROM payouts_attempt WHERE retrieval_reference_number = %(rrn)s
    UNION ALL
    (SELECT payment_id FROM payouts_attempt WHERE trace_number = %(trace)s LIMIT %(compared)s)
), referred AS MATERIALIZED (
    SELECT with_reference.id FROM partners CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE partner_id = partners.id AND reference <> ''
          AND upper(reference) ~>=~ upper(%(reference_from)s::text)
          AND upper(reference) ~<=~ upper(%(reference_to)s::text)
          AND {REACHED}
        LIMIT %(compared)s + 1
    ) with_reference
), beside AS MATERIALIZED (
    SELECT of_person.* FROM (TABLE by_name LIMIT %(roots)s) person CROSS JOIN LATERAL (
        SELECT id, consumer_id, card_id, amount FROM payouts_payment
        WHERE consumer_id = person.id AND {REACHED}
        ORDER BY id DESC LIMIT %(limit)s
    ) of_person
    UNION
    SELECT to_card.* FROM cards_beside CROSS JOIN LATERAL (
        SELECT search_vector FROM consumers_consumer WHERE id = cards_beside.consumer_id LIMIT 1
    ) consumer CROSS JOIN LATERAL (
        SELECT id, consumer_id, card_id, amount FROM payouts_payment
        WHERE card_id = cards_beside.id AND {REACHED}
        ORDER BY id DESC LIMIT %(limit)s
    ) to_card
    WHERE %(with_words)s::tsquery IS NULL OR consumer.search_vector @@ %(with_words)s::tsquery
    UNION
    SELECT of_amount.* FROM partners
    CROSS JOIN unnest(CASE WHEN %(with_words)s::text IS NOT NULL
        THEN %(with_amounts)s::numeric[] END) AS said(amount)
    CROSS JOIN LATERAL (
        SELECT id, consumer_id, card_id, amount FROM payouts_payment
        WHERE partner_id = partners.id AND payouts_payment.amount = said.amount AND {REACHED}
        ORDER BY id DESC LIMIT %(compared)s
    ) of_amount CROSS JOIN LATERAL (
        SELECT search_vector FROM consumers_consumer WHERE id = of_amount.consumer_id LIMIT 1
    ) consumer
    WHERE consumer.search_vector @@ %(with_words)s::tsquery
), matches AS (
    SELECT of_person.id FROM (TABLE people LIMIT %(roots)s) person CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE consumer_id = person.id AND {REACHED}
        ORDER BY id DESC LIMIT %(limit)s
    ) of_person
    UNION
    SELECT to_card.id FROM (TABLE cards LIMIT %(roots)s) card CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE card_id = card.id AND {REACHED}
        ORDER BY id DESC LIMIT %(limit)s
    ) to_card
    UNION
    SELECT of_amount.id FROM partners CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE partner_id = partners.id AND amount = %(amount)s AND {REACHED}
        ORDER BY id DESC LIMIT %(limit)s
    ) of_amount
    UNION
    SELECT id FROM referred
    UNION
    SELECT beside.id FROM beside CROSS JOIN LATERAL (
        SELECT last4 FROM consumers_paymentcard WHERE id = beside.card_id LIMIT 1
    ) card
    WHERE {_FITS_NUMBERS}
    UNION
    (SELECT id FROM payouts_payment
     WHERE id >= %(key_from)s AND id <= %(key_to)s AND {_OF_PARTNER} AND {REACHED}
     ORDER BY id DESC LIMIT %(limit)s)
    UNION
    SELECT id FROM payouts_payment
    WHERE id >= %(request_from)s AND id < %(request_to)s AND request_id = %(request_id)s
      AND {_OF_PARTNER} AND {REACHED}
    UNION
    SELECT of_attempt.id FROM attempts CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE id = attempts.id AND {_OF_PARTNER} AND {REACHED}
        LIMIT 1
    ) of_attempt
)
SELECT newest.id, cut.people OR cut.names OR cut.cards OR cut.compared OR cut.referred
FROM (SELECT (SELECT count(*) FROM people) > %(roots)s AS people,
             (SELECT count(*) FROM by_name) > %(roots)s
                 AND array_remove(%(with_last4s)s::text[], NULL) = '{{}}' AS names,
             (SELECT count(*) FROM cards) > %(roots)s AS cards,
             (SELECT count(*) FROM cards_beside) > %(compared)s AS compared,
             (SELECT count(*) FROM referred) > %(compared)s AS referred) cut
LEFT JOIN (SELECT id FROM matches ORDER BY id DESC LIMIT %(limit)s) newest ON TRUE
ORDER BY newest.id DESC
"""  # noqa: S608  # nosec B608


def find_payments(text: str, *, reach: Reach) -> Found:
    """Return the newest payments within `reach` that `text` may mean. One statement.

    A payment is found by its id or the id's first eight digits or more, by the id of its consumer
    or card, by its Request-Id, RRN or trace number (all exact), by how its reference begins, by the
    last four of its card, by its amount, by the beginnings of words of its consumer's name, e-mail
    and pcid, and by such words beside amounts and last fours (`hopper 1111 $1,250`).
    """
    rows = fetch_rows(_PAYMENTS, parameters(sought(text), reach=reach))
    found = kept([row[0] for row in rows if row[0] is not None])
    return Found(found.ids, is_complete=found.is_complete and not rows[0][1])


def parameters(meaning: Sought, *, reach: Reach) -> dict[str, Any]:
    """What the statement of a search is given."""
    return {
        **{name: getattr(meaning, name) for name in Sought.__slots__},
        **reach.parameters(),
        "id": uuid_or_none(meaning.text or ""),
        "roots": _ROOTS_AT_MOST,
        "gathered": _GATHERED_AT_MOST,
        "compared": _COMPARED_AT_MOST,
        "limit": FOUND_AT_MOST + 1,
    }
