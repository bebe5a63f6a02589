"""What a person in the browser reads when the product does not do what was asked.

The API's answers are in `config/rest.py`; these pages are for staff. Each says what happened and
what to do, in the frame of the other pages, and nothing about what is behind the door.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from payouts.sign_in.frame import framed


@dataclass(frozen=True, slots=True)
class Refusal:
    """`title` says what happened, `advice` what to do about it, `icon` is one of the theme's."""

    title: str
    advice: str
    icon: str = "lock"


NOT_YOURS: Final = Refusal(
    "This is not yours to see or do",
    "Your role does not include it, and nothing was changed. If you need it for your work, ask an "
    "admin for the role; that you asked for this page stands in the audit trail.",
)
FORM_TOO_OLD: Final = Refusal(
    "This form was open for too long",
    "It belongs to a session that has ended, so it was not sent and nothing was changed. Go back, "
    "load the page anew and fill it in again. Cookies must be allowed for this site.",
    "timer_off",
)
NOT_THERE: Final = Refusal(
    "There is nothing at this address",
    "It may have been mistyped or cut off, or what was here is gone. Search for it in the list "
    "where it belongs: pushes are found by a name, an amount, a reference or any of their ids.",
    "travel_explore",
)
NOT_UNDERSTOOD: Final = Refusal(
    "That could not be read",
    "What the browser sent is nothing that these pages send, so nothing was changed. Go back, load "
    "the page anew and try again.",
)
WENT_WRONG: Final = Refusal(
    "Something went wrong on our side",
    "What you sent may or may not have been done: look at the list before you do it again. A push "
    "that is sent twice from the same page is issued once. If this stays, tell whoever runs the "
    "product, with the id below.",
)


def not_yours(request: HttpRequest) -> HttpResponse:
    """The page for somebody whose role does not let them."""
    return _refused(request, NOT_YOURS, HTTPStatus.FORBIDDEN)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW; `reason` is for logs, and told to nobody."""
    return _refused(request, FORM_TOO_OLD, HTTPStatus.FORBIDDEN)


def not_there(request: HttpRequest) -> HttpResponse:
    """The page for an address that leads nowhere."""
    return _refused(request, NOT_THERE, HTTPStatus.NOT_FOUND)


def not_understood(request: HttpRequest) -> HttpResponse:
    """The page for a request that was refused before anybody knew whose it is."""
    return _alone(request, NOT_UNDERSTOOD, HTTPStatus.BAD_REQUEST)


def went_wrong(request: HttpRequest) -> HttpResponse:
    """The page for what nobody has foreseen, a database that is away included."""
    return _alone(request, WENT_WRONG, HTTPStatus.INTERNAL_SERVER_ERROR)


def _refused(request: HttpRequest, refusal: Refusal, status: HTTPStatus) -> HttpResponse:
    context = {**framed(request, refusal.title), "refusal": refusal}
    return _kept_nowhere(render_to_string("refused.html", context, request), status)


def _alone(request: HttpRequest, refusal: Refusal, status: HTTPStatus) -> HttpResponse:
    """In no frame: who is asking is not looked up, for that may be the very thing that failed."""
    context = {"refusal": refusal, "request_id": getattr(request, "request_id", "")}
    return _kept_nowhere(render_to_string("problem.html", context), status)


def _kept_nowhere(page: str, status: HTTPStatus) -> HttpResponse:
    response = HttpResponse(page, status=status)
    add_never_cache_headers(response)
    return response
