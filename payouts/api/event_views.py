"""What happened, over HTTP: the events that webhooks tell, for whoever lost some or has none."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.views import APIView

from consumers.api.authentication import caller_of
from consumers.api.exact_json import rendered
from consumers.api.paging import SIZE
from consumers.api.parameters import page_in, problems_with_names
from consumers.api.problems import RequestRefused
from payouts.api import event_schema
from payouts.event_record import event_position, events_after, events_at
from payouts.webhooks.events import EVENT_GROUPS, EVENT_TYPES, event_document, event_key

AFTER: Final = "after"
TYPE: Final = "type"


class CannotBeDone(RequestRefused):
    """A well-formed request that cannot be done: 422."""

    status_code = 422


class EventFeedView(APIView):
    """Everything that happened, in one order."""

    @event_schema.LIST_EVENTS
    def get(self, request: Request) -> HttpResponse:
        """List what happened since an event, oldest first."""
        asked = _asked(request.query_params)
        partner_id = caller_of(request).partner_id
        position = (
            0
            if asked.after is None
            else position_of(asked.after, partner_id=partner_id, field=AFTER)
        )
        found = events_after(partner_id, after=position, types=asked.types, limit=asked.size + 1)
        shown = found[: asked.size]
        cursor = shown[-1].id if shown else asked.after
        has_more = len(found) > asked.size
        document = {
            "results": [event_document(event) for event in shown],
            "cursor": cursor,
            "next": _link(request, asked, str(cursor)) if has_more else None,
        }
        return HttpResponse(rendered(document), content_type="application/json")


class EventView(APIView):
    """One event."""

    @event_schema.RETRIEVE_EVENT
    def get(self, request: Request, event_id: str) -> HttpResponse:
        """Retrieve an event by its id, which is the `webhook-id` of its deliveries."""
        position = event_position(event_id, partner_id=caller_of(request).partner_id)
        if position is None:
            raise Http404
        event = events_at([position])[position]
        return HttpResponse(rendered(event_document(event)), content_type="application/json")


class _Asked(NamedTuple):
    after: str | None
    size: int
    types: Sequence[str]


def _asked(query: QueryDict) -> _Asked:
    """Read the parameters.

    :raises RequestRefused, ValidationError: naming every one that is wrong.
    """
    problems = problems_with_names(query, known=(AFTER, SIZE, TYPE), repeatable=(TYPE,))
    types = query.getlist(TYPE)
    if any(one not in EVENT_TYPES and one not in EVENT_GROUPS for one in types):
        problems[TYPE] = [ErrorDetail("There is no such type of event.", "unknown_type")]
    page = page_in(query, beside=problems)
    return _Asked(query.get(AFTER), page.size, _spelled_out(types))


def _spelled_out(types: Sequence[str]) -> list[str]:
    """The types, with those of a group in its place."""
    wanted = set(types)
    return [
        name for name in EVENT_TYPES if {name, f"{name.rpartition('.')[0]}.*"}.intersection(wanted)
    ]


def position_of(public_id: str, *, partner_id: UUID, field: str) -> int:
    """Where the partner's event stands.

    :raises RequestRefused: 400 if this is no id of an event.
    :raises CannotBeDone: 422 if there is no such event of the partner's.
    """
    if event_key(public_id) is None:
        raise RequestRefused("invalid_cursor", "Give the id of an event.", field=field)
    position = event_position(public_id, partner_id=partner_id)
    if position is None:
        raise CannotBeDone("unknown_event", "There is no such event of yours.", field=field)
    return position


def _link(request: Request, asked: _Asked, cursor: str) -> str:
    kept = [(TYPE, one) for one in request.query_params.getlist(TYPE)]
    query = urlencode([(AFTER, cursor), (SIZE, asked.size), *kept])
    return f"{request.scheme}://{request.get_host()}{request.path}?{query}"
