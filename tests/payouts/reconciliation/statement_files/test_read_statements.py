"""Statements of banks, read: what is taken, and that everything wrong in a file is named."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from payouts.networks.sandbox.statement import Head, Movement, camt_text, csv_text
from payouts.reconciliation.bank_statements import Statement, StatementRefused
from payouts.reconciliation.statement_files import format_of, read_statements

DAY = date(2026, 11, 22)
HEAD = Head(
    reference="2026-326",
    opens_on=DAY,
    closes_on=DAY,
    opening_cents=1_000_000_00,
    made_at=datetime(2026, 11, 23, 4, tzinfo=UTC),
)
MOVEMENTS = (
    Movement(-112_34, DAY, "S20261121000000-20261122000000"),
    Movement(5_000_00, DAY, "WIRE-7", "ACME & SONS <FUNDS>"),
    Movement(0, DAY, "", "NO FEE"),
)
FORMATS = {"camt": camt_text, "csv": csv_text}


def one(content: str) -> Statement:
    (statement,) = read_statements(content.encode())
    return statement


def problems_of(content: str | bytes) -> list[tuple[str, str]]:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(StatementRefused) as refused:
        read_statements(raw)
    return [(problem.where, problem.code) for problem in refused.value.problems]


@pytest.mark.parametrize("text_of", FORMATS.values(), ids=FORMATS)
def test_reads_what_a_bank_says(text_of: Callable[..., str]) -> None:
    statement = one(text_of(HEAD, MOVEMENTS))
    assert (statement.reference, statement.account) == ("2026-326", "PAYOUTS0001")
    assert (statement.currency, statement.opens_on, statement.closes_on) == ("USD", DAY, DAY)
    assert (statement.opening, statement.closing) == (Decimal("1000000.00"), Decimal("1004887.66"))
    assert [str(entry.amount) for entry in statement.entries] == ["-112.34", "5000.00", "0.00"]
    took, came, _ = statement.entries
    assert "S20261121000000-20261122000000" in took.texts
    assert came.texts == ("WIRE-7", "ACME & SONS <FUNDS>") or text_of is csv_text
    assert (took.bank_reference, took.booked_on) == ("BK261122-000001", DAY)


CAMT = camt_text(HEAD, MOVEMENTS)
CSV = csv_text(HEAD, MOVEMENTS[:2])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("camt.053.001.08", "camt.053.001.02"),
        ("camt.053.001.08", "camt.053.001.13"),
        ("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>"),
        ("<Dt>2026-11-22</Dt></BookgDt>", "<DtTm>2026-11-22T23:59:00-05:00</DtTm></BookgDt>"),
        ('"USD">112.34<', '"USD">112.34000<'),
        ("OPBD", "PRCD"),
        ("<Ccy>USD</Ccy>", ""),
        ("<Othr><Id>PAYOUTS0001</Id></Othr>", "<IBAN>PAYO UTS0 001</IBAN>"),
        ("UTF-8", "utf-8"),
    ],
)
def test_reads_what_other_versions_and_banks_write(old: str, new: str) -> None:
    assert old in CAMT
    assert one(CAMT.replace(old, new)) == one(CAMT)


def test_takes_each_of_several_statements_for_itself() -> None:
    begin, end = CAMT.index("  <Stmt>"), CAMT.index(" </BkToCstmrStmt>")
    twice = CAMT[:end] + CAMT[begin:end].replace("PAYOUTS0001", "OTHER2") + CAMT[end:]
    first, second = read_statements(twice.encode())
    assert (first.account, second.account) == ("PAYOUTS0001", "OTHER2")
    assert len(first.entries) == len(second.entries) == 3


def test_leaves_out_what_is_pending() -> None:
    pending = CAMT.replace("<Cd>BOOK</Cd></Sts>", "<Cd>PDNG</Cd></Sts>", 1)
    statement = CAMT and pending.replace("1004887.66", "1005000.00")
    assert [str(entry.amount) for entry in one(statement).entries] == ["5000.00", "0.00"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (">112.34<", ">112.345<", [("statement 1, entry 1", "amount")]),
        (">112.34<", ">-112.34<", [("statement 1, entry 1", "amount")]),
        (">112.34<", ">1e2<", [("statement 1, entry 1", "amount")]),
        (">112.34<", ">٣<", [("statement 1, entry 1", "amount")]),
        (">112.34<", ">112.35<", [("statement 1", "does_not_add_up")]),
        ("DBIT", "DEBIT", [("statement 1, entry 1", "direction")]),
        ("<Dt>2026-11-22</Dt></BookgDt>", "</BookgDt>", [("statement 1, entry 1", "day"),
            ("statement 1, entry 2", "day"), ("statement 1, entry 3", "day")]),
        ("<Cd>BOOK</Cd>", "", [("statement 1, entry 1", "status"),
            ("statement 1, entry 2", "status"), ("statement 1, entry 3", "status")]),
        ('<Amt Ccy="USD">112', '<Amt Ccy="EUR">112', [("statement 1", "other_currency")]),
        ("CLBD", "CLAV", [("statement 1", "no_closing_balance")]),
        ("OPBD", "ITBD", [("statement 1", "no_opening_balance")]),
        ("<NbOfNtries>3<", "<NbOfNtries>4<", [("statement 1", "count_differs")]),
        ("PAYOUTS0001", "", [("statement 1", "account")]),
        ("WIRE-7", "4111 1111 1111 1111", [("statement 1, entry 2", "card_number")]),
        ("camt.053.001.08", "camt.054.001.08", [("", "no_statement_file")]),
        ("camt.053.001.08", "camt.053.001.01", [("", "no_statement_file")]),
        ("</Document>", "", [("line 46", "broken_xml")]),
        ("UTF-8", "UTF-99", [("", "broken_xml")]),
    ],
)  # fmt: skip
def test_names_what_is_wrong_in_a_message(
    old: str, new: str, expected: list[tuple[str, str]]
) -> None:
    assert old in CAMT
    everywhere = len(expected) > 1
    assert problems_of(CAMT.replace(old, new, -1 if everywhere else 1)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("PAYOUTS-STATEMENT", "STATEMENT", ("line 1", "no_statement_file")),
        ("-112.34", "112.34-", ("line 3", "amount")),
        ("E,2026-11-22,5000", "E,2026-11-31,5000", ("line 4", "day")),
        ("\nE,", "\nX,", ("line 3", "record")),
        ("-112.34", "-112.33", ("statement 1", "does_not_add_up")),
        ("2026-11-22,2026-11-22", "2026-11-23,2026-11-22", ("statement 1", "period")),
        ("WIRE-7", '"WIRE-7', ("line 4", "broken_csv")),
        ("WIRE-7", "4111111111111111", ("line 4", "card_number")),
        ("WIRE-7", "WIRE\0", ("", "encoding")),
    ],
)
def test_names_what_is_wrong_in_a_table(old: str, new: str, expected: tuple[str, str]) -> None:
    assert old in CSV
    assert problems_of(CSV.replace(old, new, 1)) == [expected]


def test_names_everything_at_once_and_shows_no_card_number() -> None:
    wrong = CSV.replace("-112.34", "x").replace("5000.00,", "4111111111111111 x,")
    with pytest.raises(StatementRefused) as refused:
        read_statements(wrong.encode())
    told = refused.value.problems
    assert [(one.where, one.code) for one in told] == [("line 3", "amount"), ("line 4", "amount")]
    assert (told[0].found, "4111" in told[1].found) == ("x", False)


def test_gives_up_after_fifty_problems() -> None:
    wrong = CSV + "X\n" * 1000
    assert len(problems_of(wrong)) == 50


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("document_type", [BOMB, OUTSIDE, "<!DOCTYPE Document>"])
def test_refuses_a_document_type_before_anything_is_expanded(document_type: str) -> None:
    hostile = CAMT.replace("<Document", f"{document_type}\n<Document", 1)
    assert problems_of(hostile.replace("WIRE-7", "&b;" if "b " in hostile else "x")) == [
        ("", "document_type")
    ]


def test_refuses_what_is_nested_without_end() -> None:
    assert problems_of("<a>" * 100_000) == [("", "too_deep")]


@pytest.mark.parametrize(
    "content", [b"", b"<", b"\xff\xfe<\0", b"\0\0\0\0", b"B,\xff", b"\xef\xbb\xbf"]
)
def test_what_is_no_file_at_all_is_refused(content: bytes) -> None:
    assert problems_of(content)


def test_knows_a_format_by_what_is_in_it() -> None:
    encoded = CAMT.replace("UTF-8", "UTF-16").encode("utf-16")
    assert [format_of(one) for one in (CAMT.encode(), encoded, CSV.encode())] == [
        "camt.053", "camt.053", "csv",
    ]  # fmt: skip
    (statement,) = read_statements(encoded)
    assert statement == one(CAMT)
