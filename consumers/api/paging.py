"""Pages of lists that cost the same wherever they are, by key instead of by counting.

Keys are UUIDv7, so newest first is largest key first, and a page is everything below (or above) a
key. `next` and `previous` carry that key in an opaque cursor. Plain page numbers work as well, for
clients that count, and cost what OFFSET costs.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from consumers.api.problems import RequestRefused

DEFAULT_SIZE = 50
LARGEST_SIZE = 200

# Beyond this no list of ours has anything, and OFFSET must stay a bigint.
LARGEST_PAGE_NUMBER = 10**9

CURSOR = "cursor"
NUMBER = "page"
SIZE = "page_size"

# Base64 of a direction and a key, to the last bit; so the schema knows every cursor that is taken.
CURSOR_PATTERN = r"^b[g-z0-9_-][A-Za-z0-9_-]{20}[AEIMQUYcgkosw048]$"

_OLDER = b"o"
_NEWER = b"n"
_CURSOR_BYTES = 17

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)

PAGE_PARAMETERS = [
    OpenApiParameter(
        NUMBER,
        {"type": "integer", "minimum": 1},
        description="Number of the page. Following `next` is faster far into a list.",
    ),
    OpenApiParameter(
        SIZE,
        {"type": "integer", "minimum": 1, "default": DEFAULT_SIZE},
        description=f"Rows on a page. More than {LARGEST_SIZE} gives {LARGEST_SIZE}.",
    ),
    OpenApiParameter(
        CURSOR,
        {"type": "string", "pattern": CURSOR_PATTERN},
        description="Opaque; taken from `next` or `previous`. Wins over `page`.",
    ),
]


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows a request asks for, always newest first.

    `after`: only rows with a smaller key, largest first. `before`: only rows with a larger key,
    and these are fetched *smallest first*. At most one of the two is set, or `offset` is not 0.
    """

    size: int = DEFAULT_SIZE
    after: UUID | None = None
    before: UUID | None = None
    offset: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read `cursor`, `page` and `page_size` of a query string.

        Raises:
            RequestRefused: 400 `invalid_cursor`, `invalid_page` or `invalid_page_size`.
            NotFound: a page number beyond the end of any list.
        """
        size = _size_of(query)
        number = _number_of(query)
        cursor = query.get(CURSOR)
        if cursor is not None:
            direction, key = _opened(cursor)
            return cls(size, after=key) if direction == _OLDER else cls(size, before=key)
        return cls(size, offset=(number - 1) * size)

    @property
    def limit(self) -> int:
        """How many rows to fetch: one more than is shown tells whether anything follows."""
        return self.size + 1

    @property
    def is_first(self) -> bool:
        return self.after is None and self.before is None and self.offset == 0

    def fetched_from(self, rows: "QuerySet[Stored]") -> list[Stored]:
        """Fetch the rows of this page and one more, in the order that `answer` expects."""
        if self.before is not None:
            return list(rows.filter(pk__gt=self.before).order_by("pk")[: self.limit])
        if self.after is not None:
            rows = rows.filter(pk__lt=self.after)
        return list(rows.order_by("-pk")[self.offset : self.offset + self.limit])

    def answer(
        self,
        request: Request,
        fetched: Sequence[Row],
        *,
        count: int,
        id_of: Callable[[Row], UUID],
        shown: Callable[[Row], object],
    ) -> dict[str, object]:
        """The published envelope: `count`, `next`, `previous`, `results`.

        Args:
            fetched: up to `limit` rows; smallest key first if `before` is set, else largest first.
            count: the exact number of rows in the whole list.

        Raises:
            NotFound: a page number past the end, as DRF's own pages do. An empty list has a page 1.
        """
        if self.offset and not fetched:
            raise NotFound("There is no such page.")
        rows = fetched[: self.size]
        if self.before is not None:
            rows = rows[::-1]
        following, preceding = self._links(request, rows, id_of, more=len(fetched) > self.size)
        return {
            "count": count,
            "next": following,
            "previous": preceding,
            "results": [shown(row) for row in rows],
        }

    def _links(
        self, request: Request, rows: Sequence[Row], id_of: Callable[[Row], UUID], *, more: bool
    ) -> tuple[str | None, str | None]:
        """`next` and `previous`. `more`: there are rows beyond these in the direction fetched."""
        backwards = self.before is not None
        if not rows:
            # The rows that the cursor pointed at are gone; the first page is where to go on.
            first_page = None if self.is_first else _link(request, None)
            return (first_page, None) if backwards else (None, first_page)
        has_next = backwards or more
        has_previous = more if backwards else not self.is_first
        return (
            _link(request, _sealed(_OLDER, id_of(rows[-1]))) if has_next else None,
            _link(request, _sealed(_NEWER, id_of(rows[0]))) if has_previous else None,
        )


def _size_of(query: Mapping[str, str]) -> int:
    text = query.get(SIZE)
    if text is None:
        return DEFAULT_SIZE
    size = _positive(text, LARGEST_SIZE)
    if size is None:
        raise RequestRefused(
            "invalid_page_size", "The page size is a whole number of 1 or more.", field=SIZE
        )
    return size


def _number_of(query: Mapping[str, str]) -> int:
    text = query.get(NUMBER)
    if text is None:
        return 1
    number = _positive(text, LARGEST_PAGE_NUMBER + 1)
    if number is None:
        raise RequestRefused(
            "invalid_page", "The page is a whole number of 1 or more.", field=NUMBER
        )
    if number > LARGEST_PAGE_NUMBER:
        raise NotFound("There is no such page.")
    return number


def _positive(text: str, most: int) -> int | None:
    """The number in `text`, or `most` if it is larger; None if it is no whole number above 0."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    if not digits:
        return None
    return most if len(digits) > len(str(most)) else min(int(digits), most)


def _sealed(direction: bytes, key: UUID) -> str:
    return urlsafe_b64encode(direction + key.bytes).decode().rstrip("=")


def _opened(cursor: str) -> tuple[bytes, UUID]:
    try:
        content = urlsafe_b64decode(f"{cursor}=".encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        content = b""
    direction, key = content[:1], content[1:]
    if len(content) != _CURSOR_BYTES or direction not in (_OLDER, _NEWER):
        raise _invalid_cursor()
    # Decoding skips what is not base64, so that many texts mean the same; only ours is accepted.
    if _sealed(direction, UUID(bytes=key)) != cursor:
        raise _invalid_cursor()
    return direction, UUID(bytes=key)


def _invalid_cursor() -> RequestRefused:
    return RequestRefused(
        "invalid_cursor", "Use `next` and `previous` of an answer, unchanged.", field=CURSOR
    )


def _link(request: Request, cursor: str | None) -> str:
    """The absolute address of this list at `cursor`, with everything else in the query kept."""
    address = f"{request.scheme}://{request.get_host()}{request.path}"
    query = request.query_params
    if not query:
        return f"{address}?{CURSOR}={cursor}" if cursor else address
    kept = [(name, values) for name, values in query.lists() if name not in (NUMBER, CURSOR)]
    if cursor:
        kept.append((CURSOR, [cursor]))
    return f"{address}?{urlencode(kept, doseq=True)}" if kept else address
