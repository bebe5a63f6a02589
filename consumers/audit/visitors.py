"""Who is there, and from where: read from the request in one place, for whoever records an act.

The middleware remembers the request that a thread works on, and nothing is read from it until an
act is recorded, so a request without one costs nothing. What runs outside of a request (a command,
a worker) is the operating system's user who started the process.
"""

import contextlib
import getpass
import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

LONGEST_AGENT: Final = 120

_request: ContextVar[HttpRequest | None] = ContextVar("audited request", default=None)
_acting: ContextVar["Visitor | None"] = ContextVar("acting visitor", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who acts: `label` as in histories (`staff:grace`, `client:Payroll`, `system:root`).

    `agent` is the program that speaks for them: a browser, a library, a command.
    """

    label: str
    user_id: int | None = None
    client_id: UUID | None = None
    partner_id: UUID | None = None
    ip_address: str | None = None
    agent: str = ""
    request_id: str = ""

    @property
    def is_known(self) -> bool:
        return self.user_id is not None or self.client_id is not None


NOBODY: Final = "nobody"


@contextlib.contextmanager
def visiting(request: HttpRequest) -> Iterator[None]:
    """Let acts inside know the request that they belong to."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


@contextlib.contextmanager
def acting_as(visitor: Visitor) -> Iterator[None]:
    """Record what happens inside as this visitor's: a background job acts for who asked for it."""
    token = _acting.set(visitor)
    try:
        yield
    finally:
        _acting.reset(token)


def current_visitor() -> Visitor:
    """Who acts here and now: as `acting_as` said, else by the request, else the process's user."""
    acting = _acting.get()
    if acting is not None:
        return acting
    request = _request.get()
    return _process() if request is None else visitor_of(request)


def visitor_of(request: HttpRequest, *, user: Any = None) -> Visitor:
    """The visitor behind a request; `user` where somebody is just coming or going.

    What stands in `request.user` is a member of staff, an API client's `Caller`, or nobody.
    """
    person = user or getattr(request, "user", None)
    client_id = getattr(person, "client_id", None)
    user_id = None if client_id else getattr(person, "pk", None)
    return Visitor(
        label=_label(person, user_id=user_id, client_id=client_id),
        user_id=user_id,
        client_id=client_id,
        partner_id=getattr(person, "partner_id", None) if client_id else None,
        ip_address=_address(request),
        agent=request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT],
        request_id=getattr(request, "request_id", ""),
    )


def _label(person: Any, *, user_id: int | None, client_id: UUID | None) -> str:
    if client_id is not None:
        return f"client:{person.client_name}"
    return NOBODY if user_id is None else f"staff:{person.get_username()}"


def _address(request: HttpRequest) -> str | None:
    """Where the request came from.

    Only our own proxy is believed, and only the last address: it wrote that one itself, whatever
    the caller has put before it.
    """
    told = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        told = forwarded.rpartition(",")[2]
    try:
        return str(ipaddress.ip_address(told.strip()))
    except ValueError:
        return None


@cache
def _process() -> Visitor:
    """Only the name of the command is kept: what follows it may be a secret."""
    program, command = Path(sys.argv[0]).name, (sys.argv[1:2] or [""])[0]
    words = [program, command] if command.replace("_", "").isalnum() else [program]
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return Visitor(
        label=f"system:{user}", agent=f"{' '.join(words)} on {socket.gethostname()}"[:LONGEST_AGENT]
    )
