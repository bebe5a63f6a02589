"""What a browser is told about our pages, and what plain HTTP is told about the API.

Django 5.2 sets the other security headers; a content security policy it does not know yet.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from consumers.api.problems import CONTENT_TYPE, Problem

_COMMON: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "form-action 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
)
PAGES: Final = f"{_COMMON}; script-src 'self'"
# Alpine.js, which the admin theme is built with, turns attributes into functions: that needs eval.
# No inline script and no script of another origin runs all the same.
STAFF_PAGES: Final = f"{_COMMON}; script-src 'self' 'unsafe-eval'"
NOT_A_PAGE: Final = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

STAFF_PREFIX: Final = "/admin/"
API_PREFIXES: Final = ("/v2/", "/auth/", "/networks/")


class BrowserRulesMiddleware:
    """Add the content security policy that fits; refuse the API over plain HTTP in production."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.SECURE_SSL_REDIRECT
            and request.path_info.startswith(API_PREFIXES)
            and not request.is_secure()
        ):
            return _refuse_plain_http(request)
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = _policy(request, response)
        response["Permissions-Policy"] = PERMISSIONS
        return response


def _policy(request: HttpRequest, response: HttpResponse) -> str:
    if not response.get("Content-Type", "").startswith("text/html"):
        return NOT_A_PAGE
    return STAFF_PAGES if request.path_info.startswith(STAFF_PREFIX) else PAGES


def _refuse_plain_http(request: HttpRequest) -> HttpResponse:
    problem = Problem(
        status=403,
        code="https_required",
        title="HTTPS is required.",
        detail="This API is served over HTTPS only. Replace the token that was just sent.",
    )
    return JsonResponse(
        problem.document(getattr(request, "request_id", "")),
        status=problem.status,
        content_type=CONTENT_TYPE,
    )
