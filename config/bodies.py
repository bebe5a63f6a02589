"""Takes and hands over bodies as WSGI and Django leave it to somebody to do.

Bodies in chunks, without a length (RFC 9112 §7.1): Django takes them for empty, so that a request
would be judged as if nothing had been sent. And bodies that nobody wanted, because the token was
not good: the server closes a connection on which something unread lies, and the answer is lost.
And answers that are whole already, which servers send piece by piece unless they are lists.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Final

from django.http import HttpResponse

from config.browser_rules import API_PREFIXES
from consumers.api.exact_json import LARGEST_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_WITH_A_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DISCARDED_AT_ONCE_BYTES: Final = 64 * 1024
MOST_DISCARDED_BYTES: Final = 32 * 1024 * 1024


class ChunkedBodies:
    """Give a body of unknown length its length, if the server marks where it ends.

    At most one byte more than the API takes is read; the API refuses a body of that length. The
    server does not say when the chunks break off, and a request that says nothing would do what it
    does by default: so chunks in which nothing came are given a byte that is missing, which the API
    refuses as well.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        if _has_unknown_length(environ):
            body = environ["wsgi.input"].read(LARGEST_BODY_BYTES + 1)
            broke_off = not body and "HTTP_TRANSFER_ENCODING" in environ
            environ["CONTENT_LENGTH"] = "1" if broke_off else str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        return self.application(environ, start_response)


class NothingUnread:
    """Take what the application left of a body off the line before the answer goes out.

    Many a client hears no answer before it has sent its whole body. Beyond `MOST_DISCARDED_BYTES`
    it hears none; one that asked first (`Expect: 100-continue`) need not send the body at all.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        line = environ["wsgi.input"]
        answer = self.application(environ, start_response)
        if _may_be_unread(environ):
            left = MOST_DISCARDED_BYTES
            while left > 0 and (piece := line.read(_DISCARDED_AT_ONCE_BYTES)):
                left -= len(piece)
        return answer


class WholeAnswers:
    """Hand over an answer that is whole as a list, which granian sends at once.

    Anything else it fetches piece by piece, with a thread held and woken for each; on the shortest
    calls that is a twentieth of what they cost. Streams (files, exports) stay what they are.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        answer = self.application(environ, start_response)
        if not isinstance(answer, HttpResponse):
            return answer
        # Whoever hands over something else than the answer must close it (PEP 3333).
        answer.close()
        return [answer.content]


def _may_be_unread(environ: "WSGIEnvironment") -> bool:
    """Not if the server does not mark where a body ends: reading on would wait for ever."""
    return (
        environ["REQUEST_METHOD"] in _WITH_A_BODY
        and bool(environ.get("wsgi.input_terminated"))
        and "HTTP_EXPECT" not in environ
    )


def _has_unknown_length(environ: "WSGIEnvironment") -> bool:
    return (
        not environ.get("CONTENT_LENGTH")
        and bool(environ.get("wsgi.input_terminated"))
        and environ["REQUEST_METHOD"] in _WITH_A_BODY
        and environ.get("PATH_INFO", "").startswith(API_PREFIXES)
    )
