"""What was done to a consumer or card, out of the audit trail, for whoever may read that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from consumers.admin.actors import actor_words
from consumers.audit import Verb
from consumers.models import AuditEntry

ENTRIES_SHOWN: Final = 30
SEE: Final = "consumers.view_auditentry"

_WORDS: Final = {
    Verb.ADD: "Added", Verb.CHANGE: "Changed", Verb.CLOSE: "Account closed",
    Verb.REOPEN: "Account opened again", Verb.DEACTIVATE: "Deactivated",
    Verb.REVEAL: "Identity looked at",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One field that an entry is about; an empty text where it was or became empty."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the audit trail. `subject` is set if it is about another row than the page."""

    at: datetime
    words: str
    actor: str
    subject: str
    reason: str
    changes: list[Change]
    address: str


def history_of(
    request: HttpRequest, row_id: object, *, beside: Iterable[object] = ()
) -> list[Moment] | None:
    """The newest acts about a row and those `beside` it, looks apart; None if not for this person.

    One statement, after permissions, and one for the names of staff.
    """
    if not request.user.has_perm(SEE):
        return None
    ids = [str(row_id), *map(str, beside)]
    entries = AuditEntry.objects.filter(subject_id__in=ids).exclude(verb=Verb.VIEW)
    newest = list(entries.order_by("-id")[:ENTRIES_SHOWN])
    actors = actor_words({entry.actor for entry in newest})
    return [_moment(entry, str(row_id), actors[entry.actor]) for entry in newest]


def _moment(entry: AuditEntry, row_id: str, actor: str) -> Moment:
    names = {**entry.before, **entry.after}
    return Moment(
        at=entry.created_at,
        words=_WORDS.get(Verb(entry.verb), entry.verb.replace("_", " ").capitalize()),
        actor=actor,
        subject="" if entry.subject_id == row_id else entry.subject_label,
        reason=entry.reason,
        changes=[
            Change(name.replace("_", " "), _told(entry.before, name), _told(entry.after, name))
            for name in names
        ],
        address=reverse("admin:consumers_auditentry_change", args=[entry.pk]),
    )


def _told(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value in (None, "") else str(value)
