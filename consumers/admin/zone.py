"""The time zone of whoever looks at a page: told by their browser, used for what they read.

The browser keeps its zone's name in a cookie (`payouts/static/payouts/zone.js`). What is typed into
forms and stored stays in UTC: a zone that was guessed wrong must not move money's dates. So this
room changes what is shown and nothing else; Django's own current zone stays as it is.
"""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse

COOKIE: Final = "zone"
UTC_NAME: Final = "UTC"

_zone: ContextVar[str] = ContextVar("zone of the viewer", default=UTC_NAME)


class ViewerZoneMiddleware:
    """Remembers the zone that the browser named, while its request is worked on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _zone.set(known_zone(request.COOKIES.get(COOKIE, "")) or UTC_NAME)
        try:
            return self.get_response(request)
        finally:
            _zone.reset(token)


def viewer_zone() -> str:
    """The IANA name of the viewer's zone; `UTC` where nobody looks or the browser has not said."""
    return _zone.get()


def known_zone(name: str) -> str | None:
    """The name, if it is one of a zone that we know. Any text may come in."""
    return name if name in _zones() else None


def beginning_of(day: date, *, zone: str) -> datetime:
    """The first instant of the day in the zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=_info(zone)).astimezone(UTC)


def in_zone(at: datetime, *, zone: str) -> datetime:
    return at.astimezone(_info(zone))


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _info(zone: str) -> tzinfo:
    return UTC if zone == UTC_NAME else ZoneInfo(zone)
