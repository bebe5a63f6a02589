"""Reads XLSX workbooks: bounded before they are unpacked, numbers exact, formulas never computed.

A workbook stores a number as the binary fraction nearest to what was typed, and programs show
fifteen digits of it. Fifteen digits are what we read, so 8.41 stays 8.41.
"""

import datetime
import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from consumers.cards import has_network_length, network_of
from payouts.batch_files.columns import MOST_COLUMNS, Layout, layout_of
from payouts.batch_files.findings import FileRefused, Finding, problem
from payouts.batch_files.lines import MOST_ROWS, Line, Table

SHEET: Final = "Pushes"
LARGEST_UNPACKED_BYTES: Final = 256 * 1024 * 1024
MOST_PARTS: Final = 2_000
ZIP_MAGIC: Final = b"PK\x03\x04"
# What old and password-protected workbooks begin with.
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0"
# More rows than lines are allowed: blank ones between them are none.
_MOST_SHEET_ROWS: Final = 4 * MOST_ROWS
_LARGEST_EXACT_INTEGER: Final = 10**15
_DEFINITIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")
_CHUNK_BYTES: Final = 1 << 20
_BROKEN: Final = (
    zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError,
    AttributeError, SyntaxError, EOFError, NotImplementedError, RuntimeError, OSError,
)  # fmt: skip


def open_xlsx(content: bytes) -> Table:
    """Open the sheet of a workbook that holds the lines.

    :raises FileRefused: it is no workbook, too large unpacked, or its columns are not those of a
        batch. Lines that come later may raise it too.
    """
    # Here, because every process would spend a fifth of its start on what few of them ever use.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _require_harmless(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except (*_BROKEN, InvalidFileException):
        raise FileRefused("broken_workbook") from None
    rows = _rows(_sheet(book))
    header = next(rows, None)
    if header is None:
        raise FileRefused("empty")
    layout = layout_of([_text_of(cell)[0] for cell in header[1]])
    return Table("XLSX workbook", layout, _lines(rows, layout))


def _require_harmless(content: bytes) -> None:
    """Refuse what would fill the memory: sizes are looked up before anything is unpacked.

    A part whose size is understated is cut off there by the reader, and its checksum fails.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if unpacked > LARGEST_UNPACKED_BYTES or len(parts) > MOST_PARTS:
                raise FileRefused(
                    "workbook_too_large", most=LARGEST_UNPACKED_BYTES // (1024 * 1024)
                )
            for part in parts:
                _require_plain(archive, part)
    except _BROKEN:
        raise FileRefused("broken_workbook") from None


def _require_plain(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse document type definitions: they make a small text large, and no program writes any."""
    if not part.filename.endswith((".xml", ".rels", ".vml")):
        return
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            # A text in two bytes per character would hide them.
            seen = (tail + chunk).replace(b"\0", b"").upper()
            if any(word in seen for word in _DEFINITIONS):
                raise FileRefused("workbook_unsafe")
            tail = chunk[-32:]


def _sheet(book: Any) -> Any:
    if SHEET in book.sheetnames:
        return book[SHEET]
    if len(book.worksheets) != 1:
        raise FileRefused("which_sheet")
    return book.worksheets[0]


def _rows(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The cells of each row, one column more than is allowed; blank rows at the top left out."""
    # What a sheet says about its own size may be wrong.
    sheet.reset_dimensions()
    has_begun = False
    try:
        for number, cells in enumerate(
            sheet.iter_rows(max_row=_MOST_SHEET_ROWS + 1, max_col=MOST_COLUMNS + 1), start=1
        ):
            if number > _MOST_SHEET_ROWS:
                raise FileRefused("too_many_rows", most=MOST_ROWS)
            has_begun = has_begun or any(cell.value is not None for cell in cells)
            if has_begun:
                yield number, cells
    except _BROKEN:
        raise FileRefused("broken_workbook") from None


def _lines(rows: Iterator[tuple[int, tuple[Any, ...]]], layout: Layout) -> Iterator[Line]:
    for number, cells in rows:
        texts, findings = [], []
        for place, cell in enumerate(cells):
            text, code = _text_of(cell)
            texts.append(text)
            if code == "digits_lost" and _was_card_number(text):
                raise FileRefused("card_number", line=number, column=layout.name_of(place))
            if code:
                findings.append(problem(code, column=layout.name_of(place)))
        while texts and not texts[-1]:
            texts.pop()
        yield Line(number, texts, tuple[Finding, ...](findings))


def _text_of(cell: Any) -> tuple[str, str]:
    """A cell as text, and the code of what keeps it from being read as that, if anything does."""
    value = cell.value
    if value is None:
        return "", ""
    kind = getattr(cell, "data_type", "n")
    if kind == "f":
        return str(value), "formula"
    if kind in {"e", "b"}:
        return str(value), "not_text"
    match value:
        case str():
            return value, ""
        case int():
            return str(value), "digits_lost" if abs(value) >= _LARGEST_EXACT_INTEGER else ""
        case float():
            return _plain_number(value)
        case datetime.datetime() | datetime.date():
            return value.isoformat(), "not_text"
        case _:
            return str(value), "not_text"


def _was_card_number(text: str) -> bool:
    """Whether it is a card number but for last digits that the spreadsheet has put to zero."""
    network = network_of(text)
    return network is not None and has_network_length(text, network)


def _plain_number(value: Any) -> tuple[str, str]:
    number = Decimal(format(value, ".15g"))
    if not number.is_finite():
        return str(number), "not_text"
    is_long = abs(number) >= _LARGEST_EXACT_INTEGER
    return format(number, "f"), "digits_lost" if is_long else ""
