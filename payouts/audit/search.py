"""Finds audit entries by what somebody types: an object's id or name, an actor, a request id."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from django.contrib.auth.models import User
from django.db.models import F, QuerySet

from consumers.models import AuditEntry, without_accents
from consumers.plain_words import plain_words
from consumers.search import FOUND_AT_MOST, staff_called, uuid_or_none

# People type the name; histories say of what kind it is.
KINDS_OF_ACTORS: Final = ("", "staff:", "client:", "system:")
_PEOPLE_AT_MOST: Final = 10


class FoundEntries(NamedTuple):
    """Keys that a search found, newest first; not complete if there are more than were kept."""

    ids: list[int]
    is_complete: bool


def find_entries(text: str, *, among: QuerySet[AuditEntry]) -> FoundEntries:
    """Return the newest of the entries `among` which `text` is the id of, or begins the name of.

    Members of staff are found by their names too, accents count for nothing. Two statements; in the
    second, each way to find has an index of its own.
    """
    text = text.strip().replace("\0", "")
    rows = among.alias(plain_label=without_accents(F("subject_label"))).order_by().values("pk")
    ways = [
        rows.filter(subject_id=_canonical(text)),
        rows.filter(request_id=text),
        rows.filter(plain_label__istartswith=plain_words(text)),
        *(rows.filter(actor=label) for label in labels_of(staff_called(text)[:_PEOPLE_AT_MOST])),
        *(rows.filter(actor__startswith=kind + text) for kind in KINDS_OF_ACTORS),
    ]
    newest = [way.order_by("-pk")[: FOUND_AT_MOST + 1] for way in ways]
    found = newest[0].union(*newest[1:]).order_by("-pk")[: FOUND_AT_MOST + 1]
    ids = [row["pk"] for row in found]
    return FoundEntries(ids[:FOUND_AT_MOST], is_complete=len(ids) <= FOUND_AT_MOST)


def labels_of(people: Iterable[User]) -> list[str]:
    """What members of staff are called in the trail."""
    return [f"staff:{person.get_username()}" for person in people]


def labels_of_whole_name(name: str) -> list[str]:
    """Whoever is called exactly so: by a user name, a client's name, or a person's first and last.

    One statement.
    """
    namesakes = [
        person
        for person in staff_called(name)[:_PEOPLE_AT_MOST]
        if plain_words(person.get_full_name()).lower() == plain_words(name).lower()
    ]
    return [*(kind + name for kind in KINDS_OF_ACTORS), *labels_of(namesakes)]


def _canonical(text: str) -> str:
    """Ids stand in the trail as the database writes them; people paste them as they please."""
    key = uuid_or_none(text)
    return text if key is None else str(key)
