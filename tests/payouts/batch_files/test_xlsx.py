"""XLSX workbooks: exact numbers, formulas, bombs, and other tricks."""

import datetime
import io
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from openpyxl import Workbook

from payouts.batch_files import xlsx_lines
from payouts.batch_files.findings import FileRefused
from payouts.batch_files.opening import read_batch_file
from payouts.batch_files.wishes import LineWish
from tests.batches import HEADER, saved, xlsx_file
from tests.builders import VISA_NUMBER


def wishes(content: bytes) -> list[LineWish]:
    return list(read_batch_file(content).wishes)


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        wishes(content)
    return caught.value.code


def rewritten(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The workbook with something in one of its parts replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            text = source.read(name)
            copy.writestr(name, text.replace(old, new) if name == part else text)
    return target.getvalue()


@pytest.mark.parametrize(
    ("number", "amount"),
    [
        (8.41, "8.41"),
        (0.1 + 0.2, "0.30"),
        (1250, "1250.00"),
        (49999.99, "49999.99"),
        (1e3, "1000.00"),
    ],
)
def test_reads_a_number_as_the_program_shows_it(number: float, amount: str) -> None:
    (wish,) = wishes(xlsx_file(["ada", 42, number, 1007, "x"]))
    assert wish.amount == Decimal(amount)
    assert (wish.last4, wish.reference, wish.findings) == ("0042", "1007", [])


def test_does_not_round_what_has_more_decimals() -> None:
    (wish,) = wishes(xlsx_file(["ada", None, 8.415, "", ""]))
    assert [one.code for one in wish.findings] == ["amount_unclear"]


def test_computes_no_formula() -> None:
    (wish,) = wishes(xlsx_file(["ada", None, "=1+1", "r", "x"]))
    assert [(one.code, one.details) for one in wish.findings] == [("formula", {"column": "amount"})]
    assert wish.amount is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (True, "not_text"),
        (datetime.date(2026, 11, 22), "not_text"),
        ("#REF!", "not_text"),
        (10**15, "digits_lost"),
    ],
)
def test_finds_cells_that_are_no_text(cell: object, code: str) -> None:
    (wish,) = wishes(xlsx_file(["ada", None, 1, cell, ""]))
    assert [one.code for one in wish.findings] == [code]


@pytest.mark.parametrize("cell", [VISA_NUMBER, int(VISA_NUMBER), 4111111111111110])
def test_refuses_card_numbers_also_those_that_a_program_has_cut(cell: object) -> None:
    assert refusal(xlsx_file(["ada", cell, 1, "", ""])) == "card_number"


def test_numbers_rows_as_the_program_does() -> None:
    content = xlsx_file([], ["ada", None, 1], [], ["bela", None, 2])
    assert [wish.line for wish in wishes(content)] == [3, 5]


def test_wants_to_know_which_of_several_sheets() -> None:
    book = Workbook()
    assert book.active is not None
    book.active.title = "Notes"
    page = book.create_sheet("More")
    page.append(HEADER)
    page.append(["ada", "", 1])
    assert refusal(saved(book)) == "which_sheet"
    page.title = "Pushes"
    assert len(wishes(saved(book))) == 1


@pytest.mark.parametrize("content", [b"PK\x03\x04 and nothing", b"\xd0\xcf\x11\xe0 old"])
def test_refuses_what_is_no_workbook(content: bytes) -> None:
    assert refusal(content) == "broken_workbook"


def test_refuses_an_archive_of_other_things() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert refusal(target.getvalue()) == "broken_workbook"


def test_refuses_a_bomb_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"xl/part{number}.bin", b"0" * (100 * 1024 * 1024))
    content = target.getvalue()
    assert len(content) < 1024 * 1024

    def unpacked(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(openpyxl, "load_workbook", unpacked)
    monkeypatch.setattr(xlsx_lines, "_require_plain", unpacked)
    assert refusal(content) == "workbook_too_large"


def test_refuses_definitions_that_grow() -> None:
    sheet = "xl/worksheets/sheet1.xml"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><worksheet'
    content = rewritten(xlsx_file(["ada", "", 1]), sheet, b"<worksheet", bomb)
    assert refusal(content) == "workbook_unsafe"


def test_does_not_believe_a_sheet_about_its_size() -> None:
    sheet = "xl/worksheets/sheet1.xml"
    content = xlsx_file(["ada", "", 1, "", ""], ["bela", "", 2, "", ""])
    lying = rewritten(content, sheet, b'ref="A1:E3"', b'ref="A1:B2"')
    assert lying != content
    assert len(wishes(lying)) == 2


def test_refuses_rows_far_away() -> None:
    sheet = "xl/worksheets/sheet1.xml"
    content = rewritten(xlsx_file(["ada", "", 1]), sheet, b'<row r="2"', b'<row r="1048576"')
    assert refusal(content) in {"too_many_rows", "broken_workbook"}
