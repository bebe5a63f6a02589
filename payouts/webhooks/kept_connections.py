"""Keeps connections to receivers open for a moment, for the next delivery to the same place.

httpcore's own pool looks at every connection for every request, and closes idle ones that it could
use as soon as there are many. Here a request costs the same however many are open. A connection
carries one request at a time; nothing waits here, because the caller bounds what is in flight.
"""

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, Final

import httpcore

_LOOKED_THROUGH_SECONDS: Final = 1.0

_Place = tuple[bytes, bytes, int]


class KeptConnections:
    """Connections of one event loop, by origin, of which at most `most` are open.

    Above that no idle one is kept; how many are in use is the caller's matter. `idle_seconds` is
    how long one is kept that nobody uses.
    """

    def __init__(
        self,
        *,
        backend: httpcore.AsyncNetworkBackend,
        trust: SSLContext,
        most: int,
        idle_seconds: float,
    ) -> None:
        self._backend = backend
        self._trust = trust
        self._most = most
        self._idle_seconds = idle_seconds
        # The one that was used last is taken first, so that the others grow old.
        self._idle: defaultdict[_Place, list[httpcore.AsyncHTTPConnection]] = defaultdict(list)
        self._open = 0
        self._looked_through_at = time.monotonic()

    @asynccontextmanager
    async def stream(
        self, method: str, url: httpcore.URL, **request: Any
    ) -> AsyncIterator[httpcore.Response]:
        """Send a request, and give the answer while it is read.

        What is read to its end leaves its connection to the next one; anything else closes it.
        """
        connection = await self._taken(url.origin)
        try:
            async with connection.stream(method, url, **request) as response:
                yield response
        finally:
            await self._put_back(url.origin, connection)

    async def aclose(self) -> None:
        """Close what is idle. Nothing is in use any more."""
        for idle in self._idle.values():
            while idle:
                await self._close(idle.pop())

    async def _taken(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        await self._look_through()
        idle = self._idle[_place(origin)]
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await self._close(connection)
        self._open += 1
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._trust,
            keepalive_expiry=self._idle_seconds,
            network_backend=self._backend,
        )

    async def _put_back(
        self, origin: httpcore.Origin, connection: httpcore.AsyncHTTPConnection
    ) -> None:
        if connection.is_available() and self._open <= self._most:
            self._idle[_place(origin)].append(connection)
        else:
            await self._close(connection)

    async def _look_through(self) -> None:
        """Close what nobody has used for too long; once in a while, whatever the place."""
        if time.monotonic() - self._looked_through_at < _LOOKED_THROUGH_SECONDS:
            return
        self._looked_through_at = time.monotonic()
        for place, idle in list(self._idle.items()):
            old = [one for one in idle if one.has_expired()]
            # Others hold this very list while they wait: it is changed and never replaced.
            for connection in old:
                idle.remove(connection)
            if not idle:
                del self._idle[place]
            for connection in old:
                await self._close(connection)

    async def _close(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._open -= 1
        if not connection.is_closed():
            await connection.aclose()


def _place(origin: httpcore.Origin) -> _Place:
    return origin.scheme, origin.host, origin.port
