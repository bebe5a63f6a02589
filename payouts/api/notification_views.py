"""Where card networks post what they have to say by themselves. No part of the partners' API.

Everybody may post, without a token: what is not signed by the network is never believed. The body
is stored, 200 says so, and a worker makes something of it afterwards.
"""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from consumers.api.problems import BodyTooLarge, Throttled
from payouts.networks.sandbox.notices import SIGNATURE_HEADER
from payouts.operations.take_notification import (
    LARGEST_BYTES,
    NoSuchNetwork,
    TooLarge,
    TooManyForged,
    take_notification,
)

_AGAIN_AFTER_SECONDS: Final = 600


class NotificationsView(APIView):
    """One network's address. What it posts is not parsed here, whatever it is called."""

    authentication_classes = ()
    permission_classes = ()
    http_method_names = ("post",)

    @extend_schema(exclude=True)
    def post(self, request: Request, network: str) -> HttpResponse:
        try:
            body = _body(request._request)
            take_notification(network, body, signature=request.headers.get(SIGNATURE_HEADER, ""))
        except NoSuchNetwork:
            raise Http404 from None
        except TooLarge:
            told = f"A notification has at most {LARGEST_BYTES} bytes."
            raise BodyTooLarge("body_too_large", told) from None
        except TooManyForged:
            told = "So much came lately without a good signature that no more of it is stored."
            raise Throttled("not_signed", told, retry_after_seconds=_AGAIN_AFTER_SECONDS) from None
        return JsonResponse({"received": True})


def _body(request: HttpRequest) -> bytes:
    """The body, of which not a byte too many is read.

    :raises TooLarge:
    """
    body = request.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise TooLarge(len(body))
    return body
