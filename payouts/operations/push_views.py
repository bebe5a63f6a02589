"""What people keep of the list of pushes: views with names, the columns they want to see."""

from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from consumers.audit import Act, Subject, Verb, record_act, subject_of
from payouts.finding.push_columns import known_columns
from payouts.finding.push_query import PushQuery
from payouts.models import PushListChoice, PushView

VIEWS_AT_MOST: Final = 50


class ViewExists(Exception):
    """The person has a view of this name already."""


class TooManyViews(Exception):
    """The person has `VIEWS_AT_MOST` views; one has to go first."""


class NotTheOwner(Exception):
    """Only whoever made a view deletes it."""


def save_view(query: PushQuery, *, name: str, is_shared: bool, by: User) -> PushView:
    """Keep the query under a name; shared, everybody is offered it. Leaves an audit entry.

    :raises ViewExists, TooManyViews: nothing is kept.
    """
    if PushView.objects.filter(owner=by).count() >= VIEWS_AT_MOST:
        raise TooManyViews
    try:
        with transaction.atomic():
            view = PushView.objects.create(
                owner=by,
                name=name,
                query=query.address(),
                is_shared=is_shared,
                created_at=timezone.now(),
            )
            after = {"name": name, "filters": view.query, "shared": is_shared}
            record_act(Act(verb=Verb.ADD, subject=subject_of(view), after=after))
    except IntegrityError as error:
        raise ViewExists(name) from error
    return view


def delete_view(view: PushView, *, by: User) -> None:
    """Delete a view; whoever opened the list with it opens it with all again. Again: no effect.

    :raises NotTheOwner: it is somebody else's.
    """
    if view.owner_id != by.pk:
        raise NotTheOwner
    subject, before = subject_of(view), {"name": view.name, "filters": view.query}
    with transaction.atomic():
        PushListChoice.objects.filter(default_view=view).update(default_view=None)
        if PushView.objects.filter(pk=view.pk).delete()[0]:
            record_act(Act(verb=Verb.DELETE, subject=subject, before=before))


def choose_columns(columns: Sequence[str], *, by: User) -> None:
    """Show this person these columns of the list from now on. The last of two at once counts."""
    chosen = list(known_columns(columns))
    with transaction.atomic():
        PushListChoice.objects.update_or_create(user=by, defaults={"columns": chosen})
        record_act(Act(verb=Verb.CHANGE, subject=_list_of(by), after={"columns": chosen}))


def choose_default_view(view: PushView | None, *, by: User) -> None:
    """Open the list with this view for this person; with None, with all pushes."""
    with transaction.atomic():
        PushListChoice.objects.update_or_create(user=by, defaults={"default_view": view})
        after = {"default view": "" if view is None else view.name}
        record_act(Act(verb=Verb.CHANGE, subject=_list_of(by), after=after))


def _list_of(person: User) -> Subject:
    return Subject("list of pushes", str(person.pk), f"list of {person.get_username()}")
