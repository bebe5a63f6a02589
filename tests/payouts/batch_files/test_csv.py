"""CSV files: encodings, separators, quotes, and what is refused as a whole."""

from decimal import Decimal

import pytest

from payouts.batch_files.findings import FileRefused, refusal_words
from payouts.batch_files.opening import read_batch_file
from payouts.batch_files.wishes import LineWish
from tests.batches import csv_file
from tests.builders import VISA_NUMBER


def wishes(content: bytes) -> list[LineWish]:
    return list(read_batch_file(content).wishes)


def refusal(content: bytes) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        wishes(content)
    return caught.value


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_reads_whatever_separates_the_columns(separator: str) -> None:
    content = csv_file(["ada", "1111", "12.50", "r,;1", "x"], separator=separator)
    (wish,) = wishes(content)
    assert (wish.consumer_ref, wish.last4, wish.amount) == ("ada", "1111", Decimal("12.50"))
    assert wish.reference == "r,;1"
    assert wish.findings == []


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")],
)
def test_finds_out_the_encoding_and_says_it(encoding: str, said: str) -> None:
    content = "consumer,amount,description\nada,1,Žürich café\n".encode(encoding)
    read = read_batch_file(content)
    assert read.read_as == f"CSV, commas, {said}"
    assert [wish.description for wish in read.wishes] == ["Žürich café"]


def test_refuses_what_is_neither_encoding() -> None:
    assert refusal(b"consumer,amount\n\x81\x8d\xff,1\n").code == "encoding"


def test_numbers_lines_as_an_editor_does() -> None:
    content = b'consumer,amount,description\n\nada,1,"two\nlines"\n\nbela,2,x\n'
    assert [wish.line for wish in wishes(content)] == [3, 6]


def test_takes_other_names_of_columns() -> None:
    content = b"PCID,External Payment Card Id,Amount,metadata.team\nada,,5,blue\n"
    (wish,) = wishes(content)
    assert (wish.consumer_ref, wish.metadata) == ("ada", {"team": "blue"})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (b"consumer,amount\n", "no_rows"),
        (b"consumer,amount\n,\n", "no_rows"),
        (b"name,sum\nada,1\n", "no_header"),
        (b"consumer,description\nada,x\n", "column_missing"),
        (b"consumer,amount,salary\nada,1,2\n", "column_unknown"),
        (b"consumer,pcid,amount\nada,ada,1\n", "column_twice"),
        (b'consumer,amount\n"ada,1\n', "broken_csv"),
        (b"consumer,amount\nada\0,1\n", "zero_byte"),
        (b"%PDF-1.7", "not_a_table"),
        (b"consumer,amount\n" + b"a" * 2001 + b",1\n", "cell_too_long"),
        (b"consumer,amount\n" + b"a,1\n" * 50_001, "too_many_rows"),
    ],
)
def test_refuses_a_file_that_cannot_be_taken_as_it_is(content: bytes, code: str) -> None:
    refused = refusal(content)
    assert refused.code == code
    assert "{" not in refusal_words(refused.code, refused.details)


@pytest.mark.parametrize("number", [VISA_NUMBER, "4111 1111 1111 1111", "4111-1111-1111-1111"])
@pytest.mark.parametrize("column", [0, 1, 3, 4])
def test_refuses_a_card_number_wherever_it_stands(number: str, column: int) -> None:
    cells = ["ada", "1111", "1.00", "r", "x"]
    cells[column] = number
    refused = refusal(csv_file(["bela", "", "1.00"], cells))
    assert refused.code == "card_number"
    assert refused.details["line"] == 3
    assert "4111" not in refusal_words(refused.code, refused.details)


def test_takes_ids_that_look_like_numbers_by_chance() -> None:
    card_id = "41111111-1111-7111-8111-411111111111"
    (wish,) = wishes(csv_file(["ada", card_id, "1.00", "", ""]))
    assert str(wish.card_id) == card_id


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1250", "1250.00"),
        ("1250.5", "1250.50"),
        ("$1,250.00", "1250.00"),
        ("0.01", "0.01"),
        ("50000", "50000.00"),
    ],
)
def test_reads_an_amount_exactly(text: str, amount: str) -> None:
    (wish,) = wishes(csv_file(["ada", "", text, "", ""]))
    assert wish.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "amount_missing"),
        ("1,250", "amount_unclear"),
        ("1.250", "amount_unclear"),
        ("1.250,00", "amount_unclear"),
        ("1250,00", "amount_unclear"),
        ("1e3", "amount_unclear"),
        ("-5", "amount_unclear"),
        ("=1+1", "amount_unclear"),
        ("१२", "amount_unclear"),
        ("0", "amount_too_small"),
        ("50000.01", "amount_too_large"),
        ("99999999999", "amount_too_large"),
    ],
)
def test_finds_an_amount_that_can_be_read_in_two_ways_or_none(text: str, code: str) -> None:
    (wish,) = wishes(csv_file(["ada", "", text, "", ""]))
    assert wish.amount is None
    assert [one.code for one in wish.findings] == [code]


@pytest.mark.parametrize(
    ("text", "last4"),
    [("1111", "1111"), ("42", "0042"), ("····1111", "1111"), ("**** 1111", "1111"), ("", None)],
)
def test_reads_the_last_four(text: str, last4: str | None) -> None:
    (wish,) = wishes(csv_file(["ada", text, "1", "", ""]))
    assert (wish.last4, wish.card_id, wish.findings) == (last4, None, [])


def test_names_every_problem_of_a_line() -> None:
    line = ["", "visa", "x", "r" * 65, "bell\a", "more"]
    (wish,) = wishes(csv_file(line))
    assert [one.code for one in wish.findings] == [
        "too_many_cells",
        "consumer_missing",
        "card_unclear",
        "amount_unclear",
        "text_too_long",
        "control_characters",
    ]
