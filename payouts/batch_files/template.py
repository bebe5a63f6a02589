"""Empty files with the columns of a batch, as CSV and as a workbook whose cells stay as typed."""

import io
from typing import Final

from payouts.batch_files.columns import AMOUNT, TEMPLATE
from payouts.batch_files.xlsx_lines import SHEET

_HELP: Final = (
    ("Column", "What to write"),
    ("consumer", "The consumer's id, or the partner's own id for that person (pcid)."),
    ("card", "The card's id or its last four digits. Empty: the consumer's only card."),
    ("amount", "US dollars with a point: 1250.00. No formulas."),
    ("reference", "Your own number, such as an invoice. Optional, at most 64 characters."),
    ("description", "What the push is for. Optional, at most 500 characters."),
    ("metadata.…", "More columns of your own, such as metadata.department. Optional."),
    ("", "Never write a whole card number: the file would be refused."),
)
_WIDTHS: Final = (38, 38, 14, 24, 48)
# Rows whose cells are texts already, so that no program takes zeros away.
_PREPARED_ROWS: Final = 500


def csv_template() -> bytes:
    """One line with the names of the columns, in UTF-8 with the mark that Excel knows it by."""
    return ("\ufeff" + ",".join(TEMPLATE) + "\r\n").encode()


def xlsx_template() -> bytes:
    """A workbook with the sheet to fill in, and one that says how."""
    # Here, because every process would spend a fifth of its start on what few of them ever use.
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    sheet.append(list(TEMPLATE))
    sheet.freeze_panes = "A2"
    for place, name in enumerate(TEMPLATE, start=1):
        sheet.cell(1, place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS[place - 1]
        for row in range(2, _PREPARED_ROWS + 2):
            sheet.cell(row, place).number_format = "0.00" if name == AMOUNT else "@"
    words = book.create_sheet("How to fill it in")
    for line in _HELP:
        words.append(list(line))
    words.column_dimensions["A"].width = 16
    words.column_dimensions["B"].width = 80
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
