"""Refusals that the API itself makes, before any operation is asked: each has a stable code.

What an operation refuses is an exception of that operation; `config/rest.py` turns both kinds into
problem documents. Nothing about consumers or payments belongs here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rest_framework.exceptions import APIException

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:payouts:"

DIGITS_THAT_MAY_BE_A_CARD = 12


class FieldError(NamedTuple):
    """One thing that is wrong with a request: where, which stable code, a sentence."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem document in the making. `members` are extensions (RFC 9457 §3.2)."""

    status: int
    code: str
    title: str
    detail: str = ""
    errors: Sequence[FieldError] = ()
    members: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, request_id: str) -> dict[str, object]:
        return {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "code": self.code,
            "errors": [error._asdict() for error in self.errors],
            "request_id": request_id,
            **self.members,
        }


ProblemOf = Callable[[Any], Problem]


def refusal(status: int, code: str, title: str, *, field: str = "") -> ProblemOf:
    """A row of a table from exceptions to problems, for one whose text is the detail.

    The exception's `problems` (anything with `field`, `code` and `message`) are listed; without
    any, and with `field`, the refusal itself is listed as the problem of that field.
    """

    def problem_of(exception: Exception) -> Problem:
        listed = [
            FieldError(problem.field, problem.code, problem.message)
            for problem in getattr(exception, "problems", ())
        ]
        if not listed and field:
            listed = [FieldError(field, code, str(exception) or title)]
        return Problem(status=status, code=code, title=title, detail=str(exception), errors=listed)

    return problem_of


class RequestRefused(APIException):
    """The request cannot be accepted as it is: 400 with a `code` of its own.

    Args:
        code: stable, snake case; clients act on it.
        detail: a sentence for the integrator. It never repeats a value that was sent.
        field: the field or parameter that is wrong, if it is one.
        fields: those that are wrong in the same way, if there may be several.
    """

    status_code = 400
    default_code = "invalid_request"

    def __init__(
        self, code: str, detail: str, *, field: str = "", fields: Iterable[str] = ()
    ) -> None:
        super().__init__(detail, code)
        named = [field, *fields] if field else fields
        self.errors = [FieldError(name, code, detail) for name in named]


class BodyTooLarge(RequestRefused):
    """The body has more bytes than any request of this API needs."""

    status_code = 413


class Throttled(RequestRefused):
    """Asked too often or too early: 429, which always says when to come again."""

    status_code = 429

    def __init__(self, code: str, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds


def shown_name(name: str) -> str:
    """A field name of the client's, fit to be repeated in an answer or a log.

    Names are chosen by whoever sends them, so one may be very long or hold a card number.
    """
    if sum(character.isdigit() for character in name) >= DIGITS_THAT_MAY_BE_A_CARD:
        return "(a name with many digits)"
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return printable if len(printable) <= 64 else f"{printable[:63]}…"
