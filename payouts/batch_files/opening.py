"""Opens a file of either kind, by what is in it and not by its name."""

from collections.abc import Iterator
from typing import NamedTuple

from payouts.batch_files.csv_lines import open_csv
from payouts.batch_files.findings import FileRefused
from payouts.batch_files.lines import LARGEST_FILE_BYTES, Table, bounded
from payouts.batch_files.wishes import LineWish, wish_of
from payouts.batch_files.xlsx_lines import OLE_MAGIC, ZIP_MAGIC, open_xlsx


class ReadFile(NamedTuple):
    """How a file was read, and what its lines ask for."""

    read_as: str
    wishes: Iterator[LineWish]


def read_batch_file(content: bytes) -> ReadFile:
    """Read a file of a batch.

    :raises FileRefused: at once or while the lines are read; then nothing of it may be kept.
    """
    require_readable(content)
    table = _opened(content)
    lines = bounded(table.lines, table.layout)
    return ReadFile(table.read_as, (wish_of(line, table.layout) for line in lines))


def require_readable(content: bytes) -> None:
    """Look at the file from outside: quick, whatever is in it.

    :raises FileRefused: it is empty, too large, or certainly no table.
    """
    if not content.strip():
        raise FileRefused("empty")
    if len(content) > LARGEST_FILE_BYTES:
        raise FileRefused("too_large", most=LARGEST_FILE_BYTES // (1024 * 1024))
    if content.startswith(OLE_MAGIC):
        raise FileRefused("broken_workbook")
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")):
        raise FileRefused("not_a_table")


def _opened(content: bytes) -> Table:
    return open_xlsx(content) if content.startswith(ZIP_MAGIC) else open_csv(content)
