"""Reads the sandbox network's book from outside, as an auditor: over HTTP or from its file.

Read only. Plain Python; what the entries are compared with is not known here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx

from payouts.networks.sandbox.entries import ENTRY_NAMES, Entry, select

_PAGE = 1000
_READ_SECONDS = 60.0


class BookUnreadable(Exception):
    """The book is not where it was said to be, or what is there is no book."""


def read_book_at(address: str) -> Iterator[Entry]:
    """Every instruction in the book of the sandbox network at `address`, in the order of arrival.

    :raises BookUnreadable: also in the middle.
    """
    after: int | None = 0
    with httpx.Client(trust_env=False, timeout=_READ_SECONDS) as http:
        while after is not None:
            entries, after = _page(http, address, after)
            yield from entries


def read_book_in(path: Path) -> Iterator[Entry]:
    """Every instruction in the book's file, also while the network is writing it.

    :raises BookUnreadable:
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as book:
            after = 0
            while entries := select(book, "WHERE id > ? ORDER BY id LIMIT ?", (after, _PAGE)):
                yield from entries
                after = entries[-1].id
    except sqlite3.Error as error:
        raise BookUnreadable(f"{path}: {error}") from error


def _page(http: httpx.Client, address: str, after: int) -> tuple[list[Entry], int | None]:
    try:
        response = http.get(f"{address.rstrip('/')}/book?after={after}&limit={_PAGE}")
        response.raise_for_status()
        page = response.json()
        return [_entry(row) for row in page["instructions"]], page["next_after"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise BookUnreadable(f"{address}: {error!r}") from error


def _entry(row: dict[str, object]) -> Entry:
    # Of a newer network's entry, what we know.
    return Entry(**{name: row[name] for name in ENTRY_NAMES})  # type: ignore[arg-type]
