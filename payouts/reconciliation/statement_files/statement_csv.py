"""Reads bank statements as CSV, version 1; the format is in docs/reconciliation.md.

For banks that send no camt.053, and for people who make the file from what their bank shows.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from payouts.reconciliation.bank_statements import (
    MOST_ENTRIES,
    Entry,
    Problem,
    Problems,
    Statement,
    StatementRefused,
    check_statements,
)
from payouts.reconciliation.statement_files.cells import Cells

BEGINNING: Final = ("B", "PAYOUTS-STATEMENT", "1")
STATEMENT_CELLS: Final = 8
ENTRY_CELLS: Final = 6
_LONGEST_CELL: Final = 2_000


def read(content: bytes) -> list[Statement]:
    """Read all statements in the file.

    :raises StatementRefused: naming everything that is wrong.
    """
    problems, lines = Problems(), _lines(_text(content))
    _, first = next(lines, (1, []))
    if tuple(cell.strip() for cell in first) != BEGINNING:
        raise StatementRefused(Problem("line 1", "no_statement_file"))
    statements = _statements(lines, problems)
    if not statements and not problems.found:
        problems.add("", "empty")
    if not problems.found:
        check_statements(statements, problems)
    problems.refuse_if_any()
    return statements


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise StatementRefused(Problem(f"line {line}", "encoding")) from None
    if "\0" in text:
        raise StatementRefused(Problem("", "encoding"))
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        for cells in reader:
            if cells:
                yield number, cells
            number = reader.line_num + 1
    except csv.Error:
        raise StatementRefused(Problem(f"line {number}", "broken_csv")) from None


def _statements(lines: Iterator[tuple[int, list[str]]], problems: Problems) -> list[Statement]:
    found: list[Statement] = []
    entries: list[Entry] = []
    total = 0
    for number, row in lines:
        cells = Cells(f"line {number}", problems)
        kind = row[0].strip()
        if kind == "S" and len(row) == STATEMENT_CELLS:
            _fill(found, entries)
            found.append(_statement(row, cells))
        elif kind == "E" and len(row) == ENTRY_CELLS and found:
            entries.append(_entry(row, cells))
            total += 1
        else:
            cells.wrong("record", row[0])
        if total > MOST_ENTRIES:
            raise StatementRefused(Problem(f"line {number}", "too_many_entries"))
    _fill(found, entries)
    return found


def _fill(found: list[Statement], entries: list[Entry]) -> None:
    """Give the entries so far to the statement that they stand under."""
    if found:
        found[-1] = replace(found[-1], entries=tuple(entries))
    entries.clear()


def _statement(row: list[str], cells: Cells) -> Statement:
    _, reference, account, currency, opens_on, closes_on, opening, closing = row
    return Statement(
        reference=cells.reference(reference),
        account=cells.reference(account, "account").replace(" ", "").upper(),
        currency=currency.strip(),
        opens_on=cells.day(opens_on),
        closes_on=cells.day(closes_on),
        opening=_signed(cells, opening, "balance"),
        closing=_signed(cells, closing, "balance"),
        entries=(),
    )


def _entry(row: list[str], cells: Cells) -> Entry:
    _, booked_on, amount, bank_reference, reference, text = row
    return Entry(
        amount=_signed(cells, amount, "amount"),
        booked_on=cells.day(booked_on),
        bank_reference=" ".join(bank_reference.split())[:35],
        texts=tuple(filter(None, (cells.text(reference), cells.text(text)))),
    )


def _signed(cells: Cells, text: str, code: str) -> Decimal:
    text = text.strip()
    if text.startswith("-"):
        return -cells.money(text[1:], code)
    return cells.money(text, code)
