"""Finds people by what somebody types: words of a name, an e-mail address, a partner's own id.

Answers are keys, newest first, and bounded: a search for "a" costs about what a search for
"anderson" costs. Built on PostgreSQL's own full text with prefixes; no extension is needed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.postgres.search import SearchQuery
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Concat

from consumers.models import Partner, words_without_accents
from consumers.plain_words import plain_words
from consumers.statements import fetch_rows

FOUND_AT_MOST: Final = 500

_NAMES_OF_STAFF: Final = ("first_name", "last_name", "username", "email")
_WORDS_AT_MOST: Final = 6
_LETTERS_AT_MOST: Final = 64
_AROUND_A_WORD: Final = ".,;:()<>\"'"
# PostgreSQL's parser keeps dots, hyphens and the at-sign inside a word, and takes the hyphen before
# digits for a minus; every other sign parts two words.
_STRETCH: Final = re.compile(r"[^\W_](?:[^\W_]|[.@-])*")
_PART: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """Keys that a search found, newest first; not complete if there are more than were kept."""

    ids: list[UUID]
    is_complete: bool


# What the words match is gathered before it is put in order: a walk down the keys in search of
# something rare would read the whole table. Where so many match that not all are gathered, they are
# frequent among the newest too, so the newest are looked through as well.
_GATHERED_AT_MOST: Final = 20_000
_CONSUMERS: Final = """
WITH gathered AS MATERIALIZED (
    SELECT id FROM consumers_consumer
    WHERE search_vector @@ %(words)s::tsquery
      AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)
    LIMIT %(gathered)s + 1
), by_words AS MATERIALIZED (
    SELECT id FROM gathered
    UNION
    SELECT newest.id FROM consumers_partner partner CROSS JOIN LATERAL (
        SELECT id, search_vector FROM consumers_consumer
        WHERE partner_id = partner.id AND (SELECT count(*) FROM gathered) > %(gathered)s
        ORDER BY id DESC LIMIT 1 + %(gathered)s / (SELECT count(*) FROM consumers_partner)
    ) newest
    WHERE (%(partner_id)s::uuid IS NULL OR partner.id = %(partner_id)s)
      AND newest.search_vector @@ %(words)s::tsquery
), by_pcid AS (
    SELECT consumer.id FROM consumers_partner partner
    JOIN consumers_consumer consumer
        ON consumer.partner_id = partner.id AND consumer.pcid = %(text)s
    WHERE %(partner_id)s::uuid IS NULL OR partner.id = %(partner_id)s
), by_id AS (
    SELECT id FROM consumers_consumer
    WHERE id = %(id)s AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)
)
SELECT id FROM by_words UNION SELECT id FROM by_pcid UNION SELECT id FROM by_id
ORDER BY id DESC LIMIT %(limit)s
"""


def find_consumers(text: str, *, partner_id: UUID | None = None) -> Found:
    """Return the newest consumers whose name, e-mail, `pcid` or id `text` begins to spell.

    `partner_id` narrows it to one partner's. One statement.
    """
    text = text.strip()
    rows = fetch_rows(
        _CONSUMERS,
        {
            "words": prefix_query(text),
            "text": text,
            "id": uuid_or_none(text),
            "partner_id": partner_id,
            "gathered": _GATHERED_AT_MOST,
            "limit": FOUND_AT_MOST + 1,
        },
    )
    return kept([row[0] for row in rows])


# E.164 in whatever way people write it; shorter stretches of digits mean too many.
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ().-]{5,24}")

_PEOPLE: Final = f"""
WITH by_text AS ({_CONSUMERS.replace("ORDER BY id DESC LIMIT %(limit)s", "")}),
by_phone AS (
    SELECT consumer.id
    FROM unnest(%(phones)s::text[], %(phones_end)s::text[]) AS wanted (first, past)
    CROSS JOIN LATERAL (
        SELECT id FROM consumers_consumer
        WHERE phone_number ~>=~ wanted.first AND phone_number ~<~ wanted.past
          AND phone_number <> ''
          AND (%(partner_id)s::uuid IS NULL OR partner_id = %(partner_id)s)
        ORDER BY phone_number USING ~<~ LIMIT %(limit)s
    ) consumer
), by_card AS (
    SELECT card.consumer_id AS id FROM consumers_partner partner CROSS JOIN LATERAL (
        SELECT consumer_id, id FROM consumers_paymentcard
        WHERE partner_id = partner.id AND last4 = %(last4)s
        ORDER BY id DESC LIMIT %(limit)s
    ) card
    WHERE %(partner_id)s::uuid IS NULL OR partner.id = %(partner_id)s
    ORDER BY card.id DESC LIMIT %(limit)s
)
SELECT id FROM by_text UNION SELECT id FROM by_phone UNION SELECT id FROM by_card
ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608  # nosec B608: constants only


def find_people(text: str, *, partner_id: UUID | None = None) -> Found:
    """As `find_consumers`, and by a phone number, its beginning, or a card's last four as well.

    One statement.
    """
    text = text.strip()
    phones = _phones(text)
    rows = fetch_rows(
        _PEOPLE,
        {
            "words": prefix_query(text),
            "text": text,
            "id": uuid_or_none(text),
            "phones": phones,
            # Numbers of digits: behind all that begin like it comes the next digit, or a colon.
            "phones_end": [phone[:-1] + chr(ord(phone[-1]) + 1) for phone in phones],
            "last4": text if re.fullmatch("[0-9]{4}", text) else None,
            "partner_id": partner_id,
            "gathered": _GATHERED_AT_MOST,
            "limit": FOUND_AT_MOST + 1,
        },
    )
    return kept([row[0] for row in rows])


def _phones(text: str) -> list[str]:
    """How numbers begin that the text may mean. Without a plus it may lack the country's code."""
    if not _PHONE.fullmatch(text):
        return []
    digits = re.sub("[^0-9]", "", text)
    return [f"+{digits}"] if text.startswith("+") else [f"+{digits}", f"+1{digits}"]


_CARDS: Final = """
SELECT card.id FROM consumers_partner partner CROSS JOIN LATERAL (
    SELECT id FROM consumers_paymentcard
    WHERE partner_id = partner.id AND last4 = %(last4)s
    ORDER BY id DESC LIMIT %(limit)s
) card
WHERE %(partner_id)s::uuid IS NULL OR partner.id = %(partner_id)s
ORDER BY card.id DESC LIMIT %(limit)s
"""


def find_cards_by_last4(last4: str, *, partner_id: UUID | None = None) -> Found:
    """Return the newest cards whose number ends in `last4`. One statement."""
    parameters = {"last4": last4, "partner_id": partner_id, "limit": FOUND_AT_MOST + 1}
    return kept([row[0] for row in fetch_rows(_CARDS, parameters)])


def kept(ids: list[UUID]) -> Found:
    """Keep `FOUND_AT_MOST`; a statement asks for one more than that, to know if it is all."""
    return Found(ids[:FOUND_AT_MOST], is_complete=len(ids) <= FOUND_AT_MOST)


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None


class _Written(SearchQuery):
    """What `prefix_query` has spelled: to be taken as it is, and not parsed into words again."""

    template = "%(expressions)s::tsquery"


def partners_called(text: str) -> QuerySet[Partner]:
    """Partners that have, for every word of `text`, a word in their name that begins with it.

    By the index on names; none at all if `text` has no word.
    """
    words = prefix_query(text)
    if words is None:
        return Partner.objects.none()
    return Partner.objects.alias(in_name=words_without_accents(F("name"))).filter(
        in_name=_Written(words)
    )


def staff_called(text: str) -> QuerySet[User]:
    """Members of staff, the same way by their names, user name and e-mail address.

    Whoever is switched off is found too. They are few, so that all are read.
    """
    words = prefix_query(text)
    if words is None:
        return User.objects.none()
    parts = (part for name in _NAMES_OF_STAFF for part in (Value(" "), name))
    said = words_without_accents(Concat(*parts, output_field=TextField()))
    return User.objects.alias(in_names=said).filter(in_names=_Written(words))


def prefix_query(text: str) -> str | None:
    """Spell a tsquery for rows that have, for every word of `text`, a word that begins with it.

    Accents count for nothing, here and in what is stored (`plain_words`). A word with signs in it
    is looked for as one (`jane.doe@exam`) and in its parts (`o'brien` is stored as two words). None
    if there is nothing to look for. Cast the result with `::tsquery`: it is a list of finished
    words, not a text to be parsed.
    """
    words = [word for word in plain_words(text).lower().split() if _PART.search(word)]
    if not words:
        return None
    return " & ".join(_prefix_of_word(word[:_LETTERS_AT_MOST]) for word in words[:_WORDS_AT_MOST])


def _prefix_of_word(word: str) -> str:
    ways = [
        _quoted(word.strip(_AROUND_A_WORD)),
        _all_of(_quoted(stretch) for stretch in _STRETCH.findall(word)),
        _all_of(_quoted(part) for part in _PART.findall(word)),
    ]
    return "(" + " | ".join(dict.fromkeys(way for way in ways if way)) + ")"


def _all_of(words: Iterable[str]) -> str:
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"({' & '.join(listed)})"


def _quoted(word: str) -> str:
    """A word's beginning; one of digits may stand behind a hyphen (`0042` finds `emp-0042`)."""
    if word[:1].isdigit():
        return f"({_lexeme(word)} | {_lexeme('-' + word)})"
    return _lexeme(word)


def _lexeme(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "':*"
