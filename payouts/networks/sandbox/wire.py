"""HTTP/1.1 over asyncio with the socket in reach, so that an answer can go wrong in every real way.

Why no ASGI server: a reset, a close without an answer, a body shorter than announced and bytes
that are not HTTP are what this network is for, and ASGI has no message for any of them. h11 (which
httpx brings) keeps the protocol; here is only the socket. What an instruction means and what is
answered stays in `server`.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, urlsplit

import h11

_log = logging.getLogger(__name__)

_BODY_LIMIT_BYTES = 64 * 1024
_DRIP_SECONDS_PER_BYTE = 0.25
# Linger for zero seconds: closing then sends a reset instead of an orderly end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    peer: str


class Sending(Enum):
    """How an answer goes over the wire."""

    WHOLE = auto()
    # The headers promise the whole body; half of it is sent before the connection closes.
    TRUNCATED = auto()
    # One byte after the other, for longer than anybody waits.
    DRIPPED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is at least the beginning of HTTP."""

    status: int
    body: bytes
    content_type: str = "application/json"
    sending: Sending = Sending.WHOLE


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is made while it is sent, in chunks."""

    chunks: AsyncIterator[bytes]
    content_type: str


class Breakage(Enum):
    """What happens to the connection in place of an answer."""

    RESET = auto()
    CLOSE = auto()
    # The connection stays open and nothing is ever sent.
    SILENCE = auto()
    # Bytes that are not HTTP, then the end.
    GARBAGE = auto()


Reply = Answer | Streamed | Breakage
Respond = Callable[[Request], Awaitable[Reply]]


class Listener:
    """Accepts connections on one address and answers every request through `respond`."""

    def __init__(self, respond: Respond, *, host: str, port: int) -> None:
        self._respond = respond
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def address(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def open(self) -> None:
        """Start to accept. Port 0 takes a free port, which later openings keep."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self._respond, self._connections),
            self._host,
            self._port,
            backlog=1024,
        )
        self._port = int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Refuse new connections and reset those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.reset()


class _Connection(asyncio.Protocol):
    """One client's connection: one request at a time, kept alive between them."""

    def __init__(self, respond: Respond, connections: "set[_Connection]") -> None:
        self._respond = respond
        self._connections = connections
        self._http = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._answering: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = str(transport.get_extra_info("peername")[0])
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        # An answer under way ends by itself: what was begun for the client goes on without it.
        self._connections.discard(self)
        self._lost.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._read_on()

    def eof_received(self) -> bool:
        return False

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def _read_on(self) -> None:
        if self._answering is not None or self._lost.is_set():
            return
        try:
            self._read_events()
        except h11.RemoteProtocolError as problem:
            _log.info("not HTTP: %s", problem)
            self._transport.close()

    def _read_events(self) -> None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._head = event
                self._body.clear()
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > _BODY_LIMIT_BYTES:
                    raise h11.RemoteProtocolError("body too large")
            elif isinstance(event, h11.EndOfMessage):
                self._answering = asyncio.get_running_loop().create_task(self._answer())
                return
            else:
                if isinstance(event, h11.ConnectionClosed):
                    self._transport.close()
                return

    async def _answer(self) -> None:
        reply = await self._reply()
        if self._lost.is_set():
            return
        if isinstance(reply, Breakage):
            await self._break(reply)
            return
        if isinstance(reply, Streamed):
            await self._stream(reply)
        else:
            await self._send(reply)
        if self._transport.is_closing() or self._http.our_state is not h11.DONE:
            self._transport.close()
            return
        self._http.start_next_cycle()
        self._answering = None
        self._read_on()

    async def _reply(self) -> Reply:
        try:
            return await self._respond(self._request())
        except Exception:
            # A fault of the sandbox itself; the client sees what any network's fault looks like.
            _log.exception("the sandbox network failed to answer")
            return Answer(500, b'{"errorCode":"sandbox_failed"}')

    def _request(self) -> Request:
        assert self._head is not None
        parts = urlsplit(self._head.target.decode("ascii", "replace"))
        return Request(
            method=self._head.method.decode("ascii"),
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            body=bytes(self._body),
            peer=self._peer,
        )

    async def _break(self, breakage: Breakage) -> None:
        if breakage is Breakage.RESET:
            self.reset()
        elif breakage is Breakage.CLOSE:
            self._transport.close()
        elif breakage is Breakage.GARBAGE:
            self._transport.write(b"\x00\x7f\xff this is no HTTP \r\n\r\n\x01\x02")
            self._transport.close()
        else:
            await self._lost.wait()

    async def _send(self, answer: Answer) -> None:
        head = self._headers(answer)
        if answer.sending is Sending.WHOLE:
            body = self._http.send(h11.Data(data=answer.body)) or b""
            end = self._http.send(h11.EndOfMessage()) or b""
            self._transport.write(head + body + end)
        elif answer.sending is Sending.TRUNCATED:
            self._transport.write(head + answer.body[: len(answer.body) // 2])
            self._transport.close()
        else:
            await self._drip(head, answer.body)

    async def _stream(self, answer: Streamed) -> None:
        headers = [("content-type", answer.content_type), ("transfer-encoding", "chunked")]
        head = h11.Response(status_code=200, headers=headers)
        self._transport.write(self._http.send(head) or b"")
        async for chunk in answer.chunks:
            # No more lies in memory than the client takes.
            await self._writable.wait()
            if self._lost.is_set():
                return
            self._transport.write(self._http.send(h11.Data(data=chunk)) or b"")
        self._transport.write(self._http.send(h11.EndOfMessage()) or b"")

    def _headers(self, answer: Answer) -> bytes:
        headers = [
            ("content-type", answer.content_type),
            ("content-length", str(len(answer.body))),
        ]
        return self._http.send(h11.Response(status_code=answer.status, headers=headers)) or b""

    async def _drip(self, head: bytes, body: bytes) -> None:
        self._transport.write(head)
        for position in range(len(body)):
            if self._lost.is_set():
                return
            self._transport.write(body[position : position + 1])
            await asyncio.sleep(_DRIP_SECONDS_PER_BYTE)
        self._transport.close()
