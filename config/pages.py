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
    """`title` says what happened, `advice` what to do about it."""

    title: str
    advice: str


NOT_YOURS: Final = Refusal(
    "This is not yours to see or do",
    "Your role does not include it, and nothing was changed. If you need it for your work, ask an "
    "admin for the role; that you asked for this page stands in the audit trail.",
)
FORM_TOO_OLD: Final = Refusal(
    "This form was open for too long",
    "It belongs to a session that has ended, so it was not sent and nothing was changed. Go back, "
    "load the page anew and fill it in again. Cookies must be allowed for this site.",
)


def not_yours(request: HttpRequest) -> HttpResponse:
    """The page for somebody whose role does not let them."""
    return _refused(request, NOT_YOURS)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW; `reason` is for logs, and told to nobody."""
    return _refused(request, FORM_TOO_OLD)


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {**framed(request, refusal.title), "refusal": refusal}
    page = render_to_string("403.html", context, request)
    response = HttpResponse(page, status=HTTPStatus.FORBIDDEN)
    add_never_cache_headers(response)
    return response
