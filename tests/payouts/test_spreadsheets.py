"""Files that are safe to open: no text becomes a formula, no number becomes a text."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from consumers.ids import new_id
from payouts.spreadsheets import (
    LONGEST_CELL,
    Row,
    csv_chunks,
    instant_cells,
    instant_titles,
    safe_text,
    write_xlsx,
)  # fmt: skip

DANGEROUS = [
    "=1+1",
    "=cmd|'/c calc'!A0",
    "+1",
    "-1+1|cmd",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\0=1",
    "＝1+1",  # noqa: RUF001
    "＋1",  # noqa: RUF001
    "－1",  # noqa: RUF001
    "＠SUM(1)",  # noqa: RUF001
    "-",
]
HARMLESS = ["", "a", "a=b", "1+1", "O'Brien", "x@example.com", "2026-03-01", "'=1", " a"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_program_could_compute_begins_with_an_apostrophe(text: str) -> None:
    assert safe_text(text).startswith("'")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_it_could_not_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_a_cell_is_no_longer_than_a_program_takes() -> None:
    assert len(safe_text("x" * 40_000)) == LONGEST_CELL


def as_csv(*rows: Row) -> list[list[str]]:
    text = "".join(csv_chunks(["a", "b"], rows))
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_csv_quotes_and_keeps_numbers() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = as_csv(
        [Decimal("-12.50"), 'say "x", y'], [-3, at], [None, True], ["two\nlines", new_id()]
    )
    assert rows[:4] == [
        ["a", "b"],
        ["-12.50", 'say "x", y'],
        ["-3", "2026-03-01 12:00:00"],
        ["", "yes"],
    ]
    assert rows[4][0] == "two\nlines"


def test_instants_stand_as_the_reader_saw_them_and_in_utc() -> None:
    # The first of the two hours that the clock shows alike in this night.
    at = datetime(2026, 10, 25, 0, 30, 15, 999_999, tzinfo=UTC)
    titles = instant_titles("Paid", zone="Europe/Berlin")
    assert titles == ["Paid (Europe/Berlin)", "Paid (UTC)"]
    assert as_csv(instant_cells(at, zone="Europe/Berlin"))[1] == [
        "2026-10-25 02:30:15",
        "2026-10-25 00:30:15",
    ]
    assert instant_cells(None, zone="Europe/Berlin") == [None, None]


def test_whose_zone_is_utc_gets_one_column() -> None:
    assert instant_titles("Paid", zone="UTC") == ["Paid (UTC)"]
    assert len(instant_cells(datetime(2026, 3, 1, tzinfo=UTC), zone="UTC")) == 1


def test_csv_comes_in_pieces() -> None:
    rows: list[Row] = [[number, "x"] for number in range(1_200)]
    pieces = list(csv_chunks(["a", "b"], rows))
    assert len(pieces) == 3
    assert pieces[0].startswith("\ufeffa,b\r\n0,x\r\n")
    assert "".join(pieces).count("\r\n") == 1_201


@pytest.mark.parametrize("text", DANGEROUS)
def test_csv_has_no_formula(text: str) -> None:
    assert as_csv([text, "x"])[1][0].startswith("'")


def test_a_workbook_has_typed_cells_and_no_formula() -> None:
    file = io.BytesIO()
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows: list[Row] = [[Decimal("-12.50"), at, 7], *([text, "x", None] for text in DANGEROUS)]
    write_xlsx(file, ["a", "b", "c"], rows, title="All")
    sheet = load_workbook(file)["All"]
    assert [cell.value for cell in sheet[2]] == [-12.5, datetime(2026, 3, 1, 12), 7]  # noqa: DTZ001
    assert sheet["A2"].number_format == "#,##0.00"
    assert sheet["B2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert sheet["C2"].number_format == "General"
    assert (sheet.sheet_format.defaultColWidth or 0) > len("2026-03-01 12:00:00")
    texts = [sheet.cell(row, 1) for row in range(3, 3 + len(DANGEROUS))]
    assert {cell.data_type for cell in texts} == {"s"}
    assert all(str(cell.value).startswith("'") for cell in texts)
    with zipfile.ZipFile(file) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
