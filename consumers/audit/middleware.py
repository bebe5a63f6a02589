"""Knows the request that acts belong to, and records that somebody was refused."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from consumers.audit.acts import Act, Result, Subject, Verb
from consumers.audit.trail import record_act
from consumers.audit.visitors import visiting, visitor_of

FORBIDDEN: Final = 403


class AuditMiddleware:
    """Stands inside of sessions and sign-in, so that it knows who asks.

    Whatever says 403 (an admin page, a scope, a CSRF check) ends in one entry, written outside of
    the transaction that was undone. Strangers leave none: they could fill the trail, and the access
    log has them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with visiting(request):
            response = self.get_response(request)
        if response.status_code == FORBIDDEN:
            _record_refusal(request, response)
        return response


def _record_refusal(request: HttpRequest, response: HttpResponse) -> None:
    visitor = visitor_of(request)
    if not visitor.is_known:
        return
    problem = getattr(response, "data", None) or {}
    act = Act(
        verb=Verb.ACCESS,
        # The path only: what stands behind the question mark is not kept.
        subject=Subject("address", "", f"{request.method} {request.path}"),
        result=Result.REFUSED,
        reason=str(problem.get("code", "permission_denied")),
    )
    record_act(act, by=visitor)
