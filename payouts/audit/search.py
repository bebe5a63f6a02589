"""Finds audit entries by what somebody types: an object's id or name, an actor, a request id."""

from typing import Final, NamedTuple

from django.db.models import QuerySet

from consumers.models import AuditEntry
from consumers.search import FOUND_AT_MOST, uuid_or_none

# People type the name; histories say of what kind it is.
KINDS_OF_ACTORS: Final = ("", "staff:", "client:", "system:")


class FoundEntries(NamedTuple):
    """Keys that a search found, newest first; not complete if there are more than were kept."""

    ids: list[int]
    is_complete: bool


def find_entries(text: str, *, among: QuerySet[AuditEntry]) -> FoundEntries:
    """Return the newest of the entries `among` which `text` is the id of, or begins the name of.

    One statement, in which each way to find has an index of its own.
    """
    text = text.strip().replace("\0", "")
    rows = among.order_by().values("pk")
    ways = [
        rows.filter(subject_id=_canonical(text)),
        rows.filter(request_id=text),
        rows.filter(subject_label__istartswith=text),
        *(rows.filter(actor__startswith=kind + text) for kind in KINDS_OF_ACTORS),
    ]
    newest = [way.order_by("-pk")[: FOUND_AT_MOST + 1] for way in ways]
    found = newest[0].union(*newest[1:]).order_by("-pk")[: FOUND_AT_MOST + 1]
    ids = [row["pk"] for row in found]
    return FoundEntries(ids[:FOUND_AT_MOST], is_complete=len(ids) <= FOUND_AT_MOST)


def _canonical(text: str) -> str:
    """Ids stand in the trail as the database writes them; people paste them as they please."""
    key = uuid_or_none(text)
    return text if key is None else str(key)
