"""Sends one parcel once, and says what came back. Keeps nothing, decides nothing, never raises for
what a receiver does.
"""

import asyncio
import ssl
import time
from functools import cache
from typing import Final

import httpcore
from django.utils import timezone

from consumers.api.exact_json import rendered
from payouts.operations.deliveries import LONGEST_ANSWER, Answer, Parcel
from payouts.webhooks.addresses import AddressRules, NotAWebhookURL, webhook_url
from payouts.webhooks.connecting import AddressRefused, CheckedBackend, NameNotFound, Resolver
from payouts.webhooks.events import event_document
from payouts.webhooks.kept_connections import KeptConnections
from payouts.webhooks.signing import signature_headers

USER_AGENT: Final = "payouts-webhooks/1"
# An answer whose status is known need not be waited for.
_TEXT_SECONDS: Final = 2.0
# Receivers close what is idle for two seconds and more: a delivery would be lost on it, and said to
# have failed.
_KEPT_IDLE_SECONDS: Final = 1.0


class Sender:
    """Sends parcels from one event loop; connections are kept for a moment, for the next one.

    `seconds` bounds a try from the look-up of the name to the status of the answer.
    """

    def __init__(self, *, rules: AddressRules, seconds: float, most_connections: int) -> None:
        self._rules = rules
        self._seconds = seconds
        self._connections = KeptConnections(
            backend=CheckedBackend(rules, Resolver()),
            trust=_trust(),
            most=most_connections,
            idle_seconds=_KEPT_IDLE_SECONDS,
        )

    async def send(self, parcel: Parcel) -> Answer:
        """POST the event with fresh signatures, and return what came of it."""
        began = time.monotonic()
        answer = _Reading()
        try:
            async with asyncio.timeout(self._seconds):
                await self._post(parcel, answer)
        except _FAILURES as error:
            answer.error = _word_for(error)
        milliseconds = round((time.monotonic() - began) * 1000)
        return Answer(
            answer.status,
            # With a status, the rest of the answer is of no importance.
            "" if answer.status is not None else answer.error,
            milliseconds,
            _shown(bytes(answer.text)),
            answer.retry_after,
        )

    async def close(self) -> None:
        await self._connections.aclose()

    async def _post(self, parcel: Parcel, answer: "_Reading") -> None:
        # Read again, by the rules of now: they may have become stricter since it was stored.
        url = webhook_url(parcel.url, rules=self._rules)
        body = rendered(event_document(parcel.event))
        signatures = signature_headers(parcel.event.id, body, keys=parcel.keys, at=timezone.now())
        headers = {
            "Host": url.authority,
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Content-Length": str(len(body)),
            **signatures,
        }
        target = httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
        async with self._connections.stream(
            "POST", target, headers=[*headers.items()], content=body
        ) as response:
            answer.status = response.status
            answer.retry_after = _retry_after(response)
            async with asyncio.timeout(_TEXT_SECONDS):
                async for chunk in response.aiter_stream():
                    answer.text += chunk[: LONGEST_ANSWER - len(answer.text)]
                    if len(answer.text) >= LONGEST_ANSWER:
                        return


@cache
def _trust() -> ssl.SSLContext:
    """The certificates of the system, which take a moment to read."""
    return ssl.create_default_context()


class _Reading:
    """An answer as far as it has come."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.text = bytearray()
        self.error = ""


_WORDS: Final = (
    (AddressRefused, "address_refused"),
    (NotAWebhookURL, "address_refused"),
    (NameNotFound, "name_not_found"),
    (TimeoutError, "timeout"),
    (httpcore.TimeoutException, "timeout"),
    (httpcore.ConnectError, "connection_failed"),
    (httpcore.NetworkError, "connection_lost"),
    (httpcore.ProtocolError, "not_http"),
)
# Every way in which a receiver can fail. Anything else is a fault of ours: the round says so, and
# tries the delivery again when its lease ends.
_FAILURES: Final = tuple(kind for kind, _ in _WORDS)


def _word_for(error: Exception) -> str:
    if isinstance(error.__cause__ or error.__context__, ssl.SSLError):
        return "tls_failed"
    return next(word for kind, word in _WORDS if isinstance(error, kind))


def _retry_after(response: httpcore.Response) -> str | None:
    for name, value in response.headers:
        if name.lower() == b"retry-after":
            return value.decode("latin-1")
    return None


def _shown(text: bytes) -> str:
    """Text for people: whatever is not printable is replaced, line breaks stay."""
    decoded = text.decode("utf-8", "replace")
    return "".join(
        one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for one in decoded
    )
