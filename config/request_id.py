"""Gives every request an id that staff can search for, and puts it on the answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from consumers.ids import new_id


class RequestIdMiddleware:
    """Set `request.request_id` and the `Request-Id` header of the answer. The id is always ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = f"req_{new_id().hex}"  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response
