"""What Django does for people with browsers, spared to programs with tokens.

A call of the API has no session and no messages for the next page, and looking for them would be a
twentieth of what the shortest call costs. So these stand aside for the API's addresses.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest

from config.browser_rules import API_PREFIXES


class _PagesOnly:
    get_response: Callable[[HttpRequest], Any]

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(API_PREFIXES):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class PageSessionMiddleware(_PagesOnly, SessionMiddleware):
    """`request.session`, on pages."""


class PageSignInMiddleware(_PagesOnly, AuthenticationMiddleware):
    """`request.user` by the session, on pages. In the API only a token says who calls."""


class PageMessageMiddleware(_PagesOnly, MessageMiddleware):
    """Messages that wait for the next page, on pages."""
