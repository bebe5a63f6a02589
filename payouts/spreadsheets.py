"""Tables as files for spreadsheet programs, safe to open: no cell is ever a formula.

A text that a program could take for a formula gets an apostrophe in front, in CSV and in XLSX: a
workbook is saved as CSV sooner or later. Numbers stay numbers, also below zero. Instants stand as
the clock of their own zone shows them, because programs take a text with an offset for words; the
header says which zone that is. Knows nothing of what the cells are about.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final
from uuid import UUID

from consumers.admin.zone import UTC_NAME, in_zone

if TYPE_CHECKING:
    from openpyxl import Workbook

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel cuts what is longer, without a word.
LONGEST_CELL: Final = 32_000
# The rows of a sheet, but for the header's.
ROWS_PER_SHEET: Final = 2**20 - 1

# What a formula begins with, its full-width twins, and the characters that some programs skip.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")  # noqa: RUF001
_ROWS_PER_CHUNK: Final = 500
# Without widths, instants show as a row of hashes and money as 10 and 5205.5.
_WIDTH: Final = 22
_DOLLARS: Final = "#,##0.00"
_INSTANT: Final = "yyyy-mm-dd hh:mm:ss"
_BYTE_ORDER_MARK: Final = "\ufeff"

Cell = str | int | Decimal | datetime | date | bool | UUID | None
Row = Sequence[Cell]


def safe_text(text: str) -> str:
    """The text so that no spreadsheet program computes it, whatever blanks stand before it."""
    kept = "".join(c for c in text if c.isprintable() or c in "\n\t\r")[:LONGEST_CELL]
    if text.startswith(_FORMULA_STARTS) or kept.lstrip().startswith(_FORMULA_STARTS):
        return f"'{kept}"
    return kept


def instant_titles(title: str, *, zone: str) -> list[str]:
    """The titles of a column of instants for a reader in `zone`, an IANA name.

    Pages show instants in that zone and, when hovered, in UTC; so do files, in two columns, because
    a clock that is put back shows two instants alike. Whose zone is UTC gets one.
    """
    return [f"{title} ({name.replace('_', ' ')})" for name in dict.fromkeys((zone, UTC_NAME))]


def instant_cells(at: datetime | None, *, zone: str) -> list[Cell]:
    """The cells below `instant_titles`."""
    zones = dict.fromkeys((zone, UTC_NAME))
    return [None if at is None else in_zone(at, zone=name) for name in zones]


def csv_chunks(header: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The table as RFC 4180 lines, some hundred at a time. Excel knows UTF-8 by the mark."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(csv_beginning(header))
    for number, row in enumerate(rows, start=1):
        writer.writerow([_plain(cell) for cell in row])
        if number % _ROWS_PER_CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def csv_beginning(header: Sequence[str]) -> str:
    """The first line, for whoever writes a table in parts; `csv_lines` are the others."""
    return _BYTE_ORDER_MARK + csv_lines([header])


def csv_lines(rows: Iterable[Row]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([_plain(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def write_xlsx(
    target: IO[bytes], header: Sequence[str], rows: Iterable[Row], *, title: str
) -> None:
    """Write the table as a workbook; rows go to disk while they come.

    A sheet takes no more than `ROWS_PER_SHEET`, so what is longer goes on in a second one.
    """
    # Here, because every process would spend a fifth of its start on what few of them ever use.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = _sheet(book, title, header)
    for number, row in enumerate(rows):
        if number and number % ROWS_PER_SHEET == 0:
            sheet = _sheet(book, f"{title} {number // ROWS_PER_SHEET + 1}", header)
        sheet.append([_typed(cell, partial(WriteOnlyCell, sheet)) for cell in row])
    book.save(target)


def _sheet(book: "Workbook", title: str, header: Sequence[str]) -> Any:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.sheet_format.defaultColWidth = _WIDTH
    sheet.append(list(header))
    return sheet


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _plain(cell: Cell) -> str | int | Decimal:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int() | Decimal():
            return cell
        case datetime():
            return _on_the_clock(cell).isoformat(sep=" ")
        case str():
            return safe_text(cell)
        case _:
            return str(cell)


def _on_the_clock(at: datetime) -> datetime:
    """What the clock of its zone shows, to the second: no program's cells know zones."""
    return at.replace(tzinfo=None, microsecond=0)


def _typed(cell: Cell, new_cell: Callable[[str | Decimal | datetime], Any]) -> Any:
    match cell:
        case datetime():
            instant = new_cell(_on_the_clock(cell))
            instant.number_format = _INSTANT
            return instant
        case Decimal():
            dollars = new_cell(cell)
            dollars.number_format = _DOLLARS
            return dollars
        case None | bool() | int() | date():
            return cell
        case _:
            text = new_cell(safe_text(str(cell)))
            # Whatever it looks like, it is a text.
            text.data_type = "s"
            return text
