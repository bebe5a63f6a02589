"""Keeps whoever has not shown a second factor in this session out of everything.

The one place where the rule is: no page has to remember it, and a new page has it from the start.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.sign_in.state import (
    has_first_password,
    has_lasted_too_long,
    has_shown_second_factor,
    note_request,
)

STAFF_PREFIX: Final = "/admin/"

# What somebody who has given a password only may reach: signing in and out, and setting up.
OPEN: Final = frozenset(
    {
        "account_login",
        "account_logout",
        "admin:login",
        "admin:logout",
        "mfa_authenticate",
        "mfa_login_webauthn",
        "sign_in:set_up",
        "mfa_activate_totp",
        "mfa_add_webauthn",
    }
)


# What somebody may reach whose password was handed over: choosing another one.
OPEN_BEFORE_CHOOSING: Final = frozenset(
    {"account_login", "account_logout", "admin:login", "admin:logout", "sign_in:choose_password"}
)


class SecondFactorMiddleware:
    """Stands inside of sessions, sign-in and the audit trail's middleware.

    Only staff pages have sessions: what is asked for by token is not looked at, and costs nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not request.path_info.startswith(STAFF_PREFIX) or not request.user.is_authenticated:
            return None
        if has_lasted_too_long(request):
            logout(request)
            return _sent_to(request, "account_login")
        note_request(request)
        if has_first_password(request):
            is_open = _is_one_of(request, OPEN_BEFORE_CHOOSING)
            return None if is_open else _sent_to(request, "sign_in:choose_password")
        if has_shown_second_factor(request) or _is_one_of(request, OPEN):
            return None
        return _sent_to(request, "sign_in:set_up")


def _is_one_of(request: HttpRequest, names: frozenset[str]) -> bool:
    return request.resolver_match is not None and request.resolver_match.view_name in names


def _sent_to(request: HttpRequest, name: str) -> HttpResponse:
    if "HX-Request" in request.headers:
        # A part of a page cannot lead elsewhere; the whole page, loaded anew, can.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return HttpResponseRedirect(reverse(name))
