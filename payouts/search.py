"""Finds payments by what somebody says on the phone: name, last four, amount, reference, any id.

`sought` reads one line of text as everything that it could mean; `find_payments` looks all of that
up in one statement, every meaning by an index and with a bound. No screen and no permission belongs
here: the caller says whose payments may be found.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from consumers.search import FOUND_AT_MOST, Found, kept, prefix_query, uuid_or_none
from consumers.statements import fetch_rows
from payouts.states import Status

# Of the people, or cards, that a text means, so many of the newest are looked at.
_ROOTS_AT_MOST: Final = 200

# A payment's key is made within the request that asks for it, and both carry their time.
_REQUEST_LASTS_AT_MOST_SECONDS: Final = 60

_TEXT_AT_MOST: Final = 200
# Only the ten digits of ASCII: no row was stored with the digits of another script.
_REQUEST_ID: Final = re.compile("req_([0-9a-f]{32})")
_KEY_OR_ITS_START: Final = re.compile("[0-9a-f]{8,32}")
_AMOUNT: Final = re.compile(r"(\$?)\s*((?:\d{1,3}(?:,\d{3})+|\d{1,7})(?:\.\d{1,2})?)", re.ASCII)
_LAST_FOUR: Final = re.compile(r"[\s*•·.x]*(\d{4})", re.ASCII)
_TRACE: Final = re.compile("[0-9]{6}")
_RRN: Final = re.compile("[0-9]{12}")

_FIRST_KEY: Final = UUID(int=0)
_LAST_KEY: Final = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where to look: one partner or all, and keys from `first` up to but not including `end`."""

    partner_id: UUID | None = None
    first: UUID = _FIRST_KEY
    end: UUID = _LAST_KEY

    def between(self, first: UUID | None, end: UUID | None) -> "Reach":
        """The part of it from `first` up to but not including `end`; None leaves a side."""
        return Reach(
            self.partner_id,
            self.first if first is None else max(self.first, first),
            self.end if end is None else min(self.end, end),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a text could mean; None where it cannot mean that."""

    text: str | None = None
    words: str | None = None
    key_from: UUID | None = None
    key_to: UUID | None = None
    request_id: str | None = None
    request_from: UUID | None = None
    request_to: UUID | None = None
    amount: Decimal | None = None
    last4: str | None = None
    trace: str | None = None
    rrn: str | None = None


def sought(text: str) -> Sought:
    """Read `text` as everything that it could be: `1250` is an amount, a last four and a reference.

    A Request-Id and a text with a dollar sign can mean only one thing.
    """
    text = text.strip()[:_TEXT_AT_MOST]
    if request := _REQUEST_ID.fullmatch(text):
        asked_at = UUID(request[1]).int >> 80
        latest = asked_at + _REQUEST_LASTS_AT_MOST_SECONDS * 1000
        return Sought(
            request_id=text,
            request_from=UUID(int=asked_at << 80),
            request_to=UUID(int=(latest & (1 << 48) - 1) << 80),
        )
    amount = _AMOUNT.fullmatch(text)
    dollars = Decimal(amount[2].replace(",", "")) if amount else None
    if amount and amount[1]:
        return Sought(amount=dollars)
    key = text.replace("-", "").lower()
    is_key = _KEY_OR_ITS_START.fullmatch(key) is not None
    last4 = _LAST_FOUR.fullmatch(text)
    return Sought(
        text=text,
        words=prefix_query(text),
        key_from=UUID(key.ljust(32, "0")) if is_key else None,
        key_to=UUID(key.ljust(32, "f")) if is_key else None,
        amount=dollars,
        last4=last4[1] if last4 else None,
        trace=text if _TRACE.fullmatch(text) else None,
        rrn=text if _RRN.fullmatch(text) else None,
    )


# Every branch stops at a bound, and walks an index in the order in which it is wanted. A branch
# whose parameter is null costs nothing. What words or a trace number match is gathered before it is
# put in order: a walk down the keys in search of something rare would read the whole table.
_PAYMENTS: Final = """
WITH partners AS MATERIALIZED (
    SELECT id FROM consumers_partner WHERE %(partner_id)s::uuid IS NULL OR id = %(partner_id)s
), by_words AS MATERIALIZED (
    SELECT id, partner_id FROM consumers_consumer
    WHERE search_vector @@ %(words)s::tsquery LIMIT 20000
), people AS MATERIALIZED (
    SELECT by_words.id FROM by_words JOIN partners ON partners.id = by_words.partner_id
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
), attempts AS MATERIALIZED (
    SELECT payment_id AS id FROM payouts_attempt WHERE retrieval_reference_number = %(rrn)s
    UNION ALL
    (SELECT payment_id FROM payouts_attempt WHERE trace_number = %(trace)s LIMIT %(limit)s)
), matches AS (
    SELECT of_person.id FROM (TABLE people LIMIT %(roots)s) person CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE consumer_id = person.id AND id >= %(first)s AND id < %(end)s
        ORDER BY id DESC LIMIT %(limit)s
    ) of_person
    UNION
    SELECT to_card.id FROM (TABLE cards LIMIT %(roots)s) card CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE card_id = card.id AND id >= %(first)s AND id < %(end)s
        ORDER BY id DESC LIMIT %(limit)s
    ) to_card
    UNION
    SELECT of_amount.id FROM partners CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE partner_id = partners.id AND amount = %(amount)s
          AND id >= %(first)s AND id < %(end)s
        ORDER BY id DESC LIMIT %(limit)s
    ) of_amount
    UNION
    SELECT with_reference.id FROM partners CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE partner_id = partners.id AND reference = %(text)s AND reference <> ''
          AND id >= %(first)s AND id < %(end)s
        ORDER BY id DESC LIMIT %(limit)s
    ) with_reference
    UNION
    (SELECT id FROM payouts_payment
     WHERE id >= %(key_from)s AND id <= %(key_to)s AND id >= %(first)s AND id < %(end)s
       AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)
     ORDER BY id DESC LIMIT %(limit)s)
    UNION
    SELECT id FROM payouts_payment
    WHERE id >= %(request_from)s AND id < %(request_to)s AND request_id = %(request_id)s
      AND id >= %(first)s AND id < %(end)s
      AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)
    UNION
    SELECT of_attempt.id FROM attempts CROSS JOIN LATERAL (
        SELECT id FROM payouts_payment
        WHERE id = attempts.id AND id >= %(first)s AND id < %(end)s
          AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)
        LIMIT 1
    ) of_attempt
)
SELECT newest.id, cut.people OR cut.cards
FROM (SELECT (SELECT count(*) FROM people) > %(roots)s AS people,
             (SELECT count(*) FROM cards) > %(roots)s AS cards) cut
LEFT JOIN (SELECT id FROM matches ORDER BY id DESC LIMIT %(limit)s) newest ON TRUE
ORDER BY newest.id DESC
"""


def find_payments(text: str, *, reach: Reach) -> Found:
    """Return the newest payments within `reach` that `text` may mean. One statement.

    A payment is found by its id or the id's first eight digits or more, by the id of its consumer
    or card, by its reference, Request-Id, RRN or trace number (all exact), by the last four of its
    card, by its amount, and by the beginnings of words of its consumer's name, e-mail and pcid.
    """
    meaning = sought(text)
    rows = fetch_rows(
        _PAYMENTS,
        {
            **{name: getattr(meaning, name) for name in Sought.__slots__},
            "id": uuid_or_none(meaning.text or ""),
            "partner_id": reach.partner_id,
            "first": reach.first,
            "end": reach.end,
            "roots": _ROOTS_AT_MOST,
            "limit": FOUND_AT_MOST + 1,
        },
    )
    found = kept([row[0] for row in rows if row[0] is not None])
    return Found(found.ids, is_complete=found.is_complete and not rows[0][1])


_OF_STATUS: Final = """
SELECT payment.id FROM consumers_partner partner CROSS JOIN LATERAL (
    SELECT id FROM payouts_payment
    WHERE partner_id = partner.id AND status = %(status)s AND id >= %(first)s AND id < %(end)s
    ORDER BY id DESC LIMIT %(limit)s
) payment
ORDER BY payment.id DESC LIMIT %(limit)s
"""


def payments_of_status(
    status: Status, *, reach: Reach, limit: int, oldest_first: bool = False
) -> list[UUID]:
    """Return the newest (or oldest) `limit` payments of a status within `reach`, of all partners.

    The index on status begins with the partner. Asked partner by partner it answers at once, also
    for a status that is rare or long ago, where a walk down the keys would read the whole table.
    """
    statement = _OF_STATUS.replace("DESC", "ASC") if oldest_first else _OF_STATUS
    rows = fetch_rows(
        statement,
        {"status": status.value, "first": reach.first, "end": reach.end, "limit": limit},
    )
    return [row[0] for row in rows]
