"""A real HTTP server that receives webhooks, and answers as a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass(frozen=True)
class Reply:
    """What to answer. `hangs` keeps the connection open until the receiver is closed."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False


class Receiver:
    """Collects what it gets; `reply` is asked about each request, in threads of the server."""

    def __init__(self, reply: Callable[[Received], Reply]) -> None:
        self.received: list[Received] = []
        self.reply = reply
        self.closing = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                one = Received(self.path, headers, self.rfile.read(length))
                receiver.received.append(one)
                answer = receiver.reply(one)
                if answer.hangs:
                    receiver.closing.wait(30)
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                return

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]


@contextmanager
def receiver(reply: Callable[[Received], Reply] | Reply | None = None) -> Iterator[Receiver]:
    """A receiver that listens on loopback while the context lasts; it answers 204 by default."""
    answer = reply if callable(reply) else (lambda _: reply or Reply())
    one = Receiver(answer)
    thread = threading.Thread(target=one.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield one
    finally:
        one.closing.set()
        one.server.shutdown()
        one.server.server_close()
        thread.join(5)
