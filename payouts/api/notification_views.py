"""Where card networks post what they have to say by themselves. No part of the partners' API.

Everybody may post, without a token: what is not signed by the network is never believed. The body
is stored, 200 says so, and a worker makes something of it afterwards.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from payouts.networks.sandbox.notices import SIGNATURE_HEADER
from payouts.operations.take_notification import (
    LARGEST_BYTES,
    NoSuchNetwork,
    TooLarge,
    TooManyForged,
    take_notification,
)

_AGAIN_AFTER_SECONDS: Final = 600


@method_decorator(csrf_exempt, name="dispatch")
class NotificationsView(View):
    """One network's address."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest, network: str) -> HttpResponse:
        try:
            body = _body(request)
            take_notification(network, body, signature=request.headers.get(SIGNATURE_HEADER, ""))
        except NoSuchNetwork:
            return JsonResponse({"error": "no_such_network"}, status=404)
        except TooLarge:
            return JsonResponse({"error": "too_large"}, status=413)
        except TooManyForged:
            answer = JsonResponse({"error": "not_signed"}, status=429)
            answer["Retry-After"] = str(_AGAIN_AFTER_SECONDS)
            return answer
        return JsonResponse({"received": True})


def _body(request: HttpRequest) -> bytes:
    """The body, of which not a byte too many is read.

    :raises TooLarge:
    """
    body = request.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise TooLarge(len(body))
    return body
