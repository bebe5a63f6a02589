"""Who did something, as people read it: the labels of histories with the names of members of staff.

The audit trail shows and exports beside them what was recorded.
"""

from collections.abc import Collection
from typing import Final

from django.contrib.auth.models import User

from consumers.models import AuditEntry

_STAFF: Final = "staff:"
_CLIENT: Final = "client:"


def actor_words(labels: Collection[str]) -> dict[str, str]:
    """Words for each label: `Mia Moss (mia)` for `staff:mia`, a client by its name.

    One statement if staff are among them, else none. Whoever has no name, or not that user name any
    more, is told by the user name of then.
    """
    usernames = {one.removeprefix(_STAFF) for one in labels if one.startswith(_STAFF)}
    people = User.objects.filter(username__in=usernames) if usernames else ()
    names = {person.username: person.get_full_name() for person in people}
    return {one: _words(one, names) for one in labels}


def name_actors(entries: Collection[AuditEntry]) -> None:
    """Give each entry its `actor_words`: one statement."""
    words = actor_words({entry.actor for entry in entries})
    for entry in entries:
        entry.actor_words = words[entry.actor]  # type: ignore[attr-defined]


def _words(label: str, names: dict[str, str]) -> str:
    if not label.startswith(_STAFF):
        return label.removeprefix(_CLIENT).replace(":", ": ", 1)
    username = label.removeprefix(_STAFF)
    name = names.get(username)
    return f"{name} ({username})" if name else username
