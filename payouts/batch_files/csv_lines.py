"""Reads CSV exactly: encoding and separator are found out and said, never guessed in silence.

UTF-8 is recognised because hardly any other text is valid UTF-8. What is not is taken for
Windows-1252, which spreadsheet programs of the West still write, and the page says so.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from payouts.batch_files.columns import column_name, layout_of
from payouts.batch_files.findings import FileRefused
from payouts.batch_files.lines import LONGEST_CELL, Line, Table

_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MARK: Final = "\ufeff"


def open_csv(content: bytes) -> Table:
    """Open a file of text with one line per push.

    :raises FileRefused: it is no such text, or its columns are not those of a batch. Lines that
        come later may raise it too.
    """
    text, encoding = _decoded(content)
    if not text.strip():
        raise FileRefused("empty")
    if "\0" in text:
        raise FileRefused("zero_byte", line=text.count("\n", 0, text.index("\0")) + 1)
    separator = _separator(text)
    rows = _rows(text, separator)
    header = next(rows)
    layout = layout_of(header.cells)
    return Table(f"CSV, {_SEPARATORS[separator]}, {encoding}", layout, rows)


def _decoded(content: bytes) -> tuple[str, str]:
    try:
        return content.decode("utf-8").removeprefix(_MARK), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        raise FileRefused("encoding") from None


def _separator(text: str) -> str:
    """The separator under which most names of the first line are columns of a batch."""
    first = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")

    def known(separator: str) -> int:
        cells = next(csv.reader([first], delimiter=separator), [])
        return sum(bool(column_name(cell)) for cell in cells)

    best = max(_SEPARATORS, key=known)
    if known(best) == 0:
        raise FileRefused("no_header")
    return best


def _rows(text: str, separator: str) -> Iterator[Line]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL * 10))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 1
    try:
        for cells in reader:
            # Blank lines above the names of the columns are no lines.
            if cells or number > 1:
                yield Line(number, cells)
            number = reader.line_num + 1
    except csv.Error:
        raise FileRefused("broken_csv", line=number) from None
