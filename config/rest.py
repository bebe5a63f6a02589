"""How the API answers when it does not do what it was asked: one table, one form (RFC 9457).

Operations state facts as exceptions of their own; `DOMAIN_PROBLEMS` says which status, code and
title each of them has over HTTP. No rule is decided here, and no endpoint writes a problem by hand.
"""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions

from config import pages
from config.browser_rules import API_PREFIXES
from consumers.api.exact_json import ExactJSONParser, JSONRenderer, OnlyJSON, rendered
from consumers.api.problems import (
    CONTENT_TYPE,
    FieldError,
    Problem,
    ProblemOf,
    RequestRefused,
    Throttled,
    shown_name,
)
from consumers.api.refusals import CONSUMER_PROBLEMS
from payouts.api.problems import PAYMENT_PROBLEMS

# The first three are named in REST_FRAMEWORK, so that the settings know this module only.
__all__ = [
    "DOMAIN_PROBLEMS",
    "ExactJSONParser",
    "JSONRenderer",
    "OnlyJSON",
    "Problem",
    "bad_request",
    "page_not_found",
    "permission_denied",
    "problem_for_exception",
    "server_error",
]

REALM = 'Bearer realm="payouts"'

logger = logging.getLogger("django.request")

# What operations refuse, and what that is over HTTP. A subclass that has no row uses its parent's.
DOMAIN_PROBLEMS: Mapping[type[Exception], ProblemOf] = {**CONSUMER_PROBLEMS, **PAYMENT_PROBLEMS}

TITLES = {
    "invalid_request": "The request is not valid.",
    "not_authenticated": "A token is needed.",
    "invalid_token": "The token is not valid.",
    "insufficient_scope": "The token's scope does not allow this.",
    "permission_denied": "This is not allowed.",
    "not_found": "There is nothing here.",
    "body_too_large": "The body is too large.",
    "method_not_allowed": "This method is not allowed here.",
    "unsupported_media_type": "The body must be application/json.",
    "sensitive_authentication_data": "The request carries what must never be sent.",
    "unknown_event": "There is no such event.",
    "internal_error": "Something went wrong on our side.",
    "unavailable": "This cannot be done at the moment.",
}
# A database that restarts is back within seconds.
_RETRY_AFTER_SECONDS = 2


def problem_for_exception(exception: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Answer any exception of an endpoint with a problem document; DRF's EXCEPTION_HANDLER.

    What is not known here is logged with its traceback and answered 500 without a word about it; a
    database that does not answer is 503, and calling again with the same key is right.
    """
    problem = _problem_of(exception)
    if problem is None:
        is_away = isinstance(exception, OperationalError | InterfaceError)
        problem = _unavailable() if is_away else _internal_error()
        logger.error("%s: %s", problem.title, context["request"].path, exc_info=exception)
    return _answer(problem, context["request"])


def _problem_of(exception: Exception) -> Problem | None:
    for kind in type(exception).__mro__:
        problem_of = DOMAIN_PROBLEMS.get(kind)
        if problem_of is not None:
            return problem_of(exception)
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    elif isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    elif isinstance(exception, UnreadablePostError):
        exception = RequestRefused("incomplete_body", "The body ended before its length.")
    elif isinstance(exception, SuspiciousOperation):
        # Django's own bounds, such as a thousand parameters in an address.
        exception = RequestRefused("invalid_request", "No request of this API looks like this.")
    if isinstance(exception, exceptions.ValidationError):
        return _invalid(exception)
    if isinstance(exception, exceptions.APIException):
        return _refused_by_the_api(exception)
    return None


def _invalid(exception: exceptions.ValidationError) -> Problem:
    errors = list(_flattened(exception.detail, ""))
    names = ", ".join(dict.fromkeys(error.field for error in errors if error.field))
    return Problem(
        status=400,
        code="invalid_request",
        title=TITLES["invalid_request"],
        detail=f"Wrong in this request: {names}." if names else "",
        errors=errors,
    )


def _flattened(detail: Any, path: str) -> Iterable[FieldError]:
    """Name every wrong field by its dotted path; what concerns no single field has an empty one."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            shown = shown_name(str(name))
            joined = f"{path}.{shown}" if path else shown
            yield from _flattened(inner, path if name == "non_field_errors" else joined)
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            # DRF lists a field's messages, but the problems of a list's items stand in dicts.
            nested = isinstance(inner, dict)
            yield from _flattened(inner, f"{path}.{position}" if nested else path)
    else:
        yield FieldError(path, detail.code, str(detail))


def _refused_by_the_api(exception: exceptions.APIException) -> Problem:
    code = exception.get_codes()
    if not isinstance(code, str):
        code = exception.default_code
    code = _HOUSE_CODES.get(code, code)
    return Problem(
        status=exception.status_code,
        code=code,
        title=TITLES.get(code) or _title_of(exception.status_code),
        detail=str(exception.detail),
        errors=getattr(exception, "errors", ()),
        headers=_headers_for(exception, code),
    )


def _title_of(status: int) -> str:
    """What every refusal of this status has in common."""
    return TITLES["invalid_request"] if status == 400 else HTTPStatus(status).phrase


# DRF's own codes where ours say more.
_HOUSE_CODES = {
    "authentication_failed": "invalid_token",
    "parse_error": "malformed_json",
    "error": "internal_error",
}


def _headers_for(exception: exceptions.APIException, code: str) -> dict[str, str]:
    if isinstance(exception, exceptions.NotAuthenticated):
        # RFC 6750 §3.1: no error code for a client that did not know that a token is needed.
        return {"WWW-Authenticate": REALM}
    if exception.status_code == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": f'{REALM}, error="{code}"'}
    if code == "insufficient_scope":
        scope = getattr(exception, "scope", "")
        return {"WWW-Authenticate": f'{REALM}, error="{code}", scope="{scope}"'}
    if isinstance(exception, Throttled):
        return {"Retry-After": str(exception.retry_after_seconds)}
    if isinstance(exception, exceptions.Throttled):
        return {"Retry-After": str(getattr(exception, "wait", None) or 1)}
    return {}


def _internal_error() -> Problem:
    return Problem(
        status=500,
        code="internal_error",
        title=TITLES["internal_error"],
        detail="Staff can find what happened by the request_id.",
    )


def _unavailable() -> Problem:
    return Problem(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        code="unavailable",
        title=TITLES["unavailable"],
        detail="Nothing is lost: call again, and with the same Idempotency-Key if there was one.",
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def _request_id(request: Any) -> str:
    return getattr(request, "request_id", "")


# The addresses that no endpoint has answer here, named as handler400 and so on in config/urls.py.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return pages.not_understood(request)
    problem = Problem(status=400, code="invalid_request", title=TITLES["invalid_request"])
    return _answer(problem, request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return pages.not_yours(request)
    problem = Problem(status=403, code="permission_denied", title=TITLES["permission_denied"])
    return _answer(problem, request)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return pages.not_there(request)
    problem = Problem(status=404, code="not_found", title=TITLES["not_found"])
    return _answer(problem, request)


def server_error(request: HttpRequest) -> HttpResponse:
    if not _is_api(request):
        return pages.went_wrong(request)
    return _answer(_internal_error(), request)


def _is_api(request: HttpRequest) -> bool:
    # The closing slash may be what is missing.
    return f"{request.path}/".startswith(API_PREFIXES)


def _answer(problem: Problem, request: Any) -> HttpResponse:
    document = problem.document(_request_id(request))
    # Bytes of ours: what an endpoint renders otherwise may be a page.
    answer = HttpResponse(
        rendered(document),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers),
    )
    # Where DRF's own answers have it: the audit trail reads there why somebody was refused.
    answer.data = document  # type: ignore[attr-defined]
    return answer
