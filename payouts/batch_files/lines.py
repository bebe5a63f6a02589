"""A line as a file gives it, whatever kind of file: its number, its cells, what is odd about them.

Bounds that hold for every kind of file are here too.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from consumers.typed_numbers import held_card_number
from payouts.batch_files.columns import Layout
from payouts.batch_files.findings import FileRefused, Finding

MOST_ROWS: Final = 50_000
LARGEST_FILE_BYTES: Final = 20 * 1024 * 1024
LONGEST_CELL: Final = 2_000


class Line(NamedTuple):
    """`number` is where it begins in the file, from 1. Cells are text, exactly as given."""

    number: int
    cells: list[str]
    findings: tuple[Finding, ...] = ()


class Table(NamedTuple):
    """A file that was opened: how it was read, its columns, its lines below them."""

    read_as: str
    layout: Layout
    lines: Iterator[Line]


def bounded(lines: Iterator[Line], layout: Layout) -> Iterator[Line]:
    """The lines with something in them.

    :raises FileRefused: at the first line too many, a cell too long, or a card number.
    """
    rows = 0
    for line in lines:
        whole = "\n".join(line.cells)
        if not whole.strip():
            continue
        rows += 1
        if rows > MOST_ROWS:
            raise FileRefused("too_many_rows", most=MOST_ROWS)
        if held_card_number(whole):
            _refuse_card_number(line, layout)
        if len(whole) > LONGEST_CELL and max(map(len, line.cells)) > LONGEST_CELL:
            raise FileRefused("cell_too_long", line=line.number, most=LONGEST_CELL)
        yield line
    if not rows:
        raise FileRefused("no_rows")


def _refuse_card_number(line: Line, layout: Layout) -> None:
    for place, cell in enumerate(line.cells):
        if held_card_number(cell):
            column = layout.name_of(place) or f"column {place + 1}"
            raise FileRefused("card_number", line=line.number, column=column)
