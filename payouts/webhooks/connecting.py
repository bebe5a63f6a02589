"""Opens connections to addresses that partners chose, and to no inside of anything.

The name is resolved here, every address that comes back is judged, and one of exactly these is
dialled: nobody resolves a second time in between. TLS is made with the name afterwards, so the
certificate and SNI are those of the name. Nothing else opens a connection for a webhook: no proxy
of the environment, no redirect, no socket of the machine.
"""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpcore

from payouts.webhooks.addresses import AddressRules, may_connect

RESOLVE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0
# A name server that says nothing keeps a thread for as long as the system waits for it. A name is
# looked up once at a time, so that one such name keeps one thread.
_lookups: Final = ThreadPoolExecutor(32, thread_name_prefix="resolve")


class AddressRefused(Exception):
    """The name resolves to an address that may not be connected to; nothing was sent to it."""


class NameNotFound(Exception):
    """The name resolves to nothing, or its name server says nothing."""


class Resolver:
    """Asks the system for the addresses of names; keeps no answer for longer than the asking."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """All addresses of the name, in the order in which to try them.

        :raises NameNotFound:
        """
        key = (host, port)
        running = self._running.get(key)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(_lookups, _look_up, host, port)
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        try:
            # Others wait for the same: whoever gives up does not end it for them.
            async with asyncio.timeout(RESOLVE_SECONDS):
                return await asyncio.shield(running)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise NameNotFound(host) from error


class CheckedBackend(httpcore.AnyIOBackend):
    """Dials for an httpcore pool: what `may_connect` allows, at the very addresses it judged."""

    def __init__(self, rules: AddressRules, resolver: Resolver) -> None:
        super().__init__()
        self._rules = rules
        self._resolver = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolver.addresses(host, port)
        if not may_connect(addresses, host=host, rules=self._rules):
            raise AddressRefused(host)
        for address in addresses[:-1]:
            try:
                return await super().connect_tcp(address, port, CONNECT_SECONDS)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await super().connect_tcp(addresses[-1], port, CONNECT_SECONDS)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> Any:
        raise AddressRefused(path)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
