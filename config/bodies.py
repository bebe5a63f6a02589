"""Lets API clients send bodies in chunks, without a length (RFC 9112 §7.1).

WSGI leaves bodies without a Content-Length to the server, and Django takes them for empty, so that
a request would be judged as if nothing had been sent.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Final

from consumers.api.exact_json import LARGEST_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_API_PATHS: Final = ("/v2/", "/auth/")
_WITH_A_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ChunkedBodies:
    """Give a body of unknown length its length, if the server marks where it ends.

    At most one byte more than the API takes is read; the API refuses a body of that length.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        if _has_unknown_length(environ):
            body = environ["wsgi.input"].read(LARGEST_BODY_BYTES + 1)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        return self.application(environ, start_response)


def _has_unknown_length(environ: "WSGIEnvironment") -> bool:
    return (
        not environ.get("CONTENT_LENGTH")
        and bool(environ.get("wsgi.input_terminated"))
        and environ["REQUEST_METHOD"] in _WITH_A_BODY
        and environ.get("PATH_INFO", "").startswith(_API_PATHS)
    )
