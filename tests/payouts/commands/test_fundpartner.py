from decimal import Decimal

import pytest

from payouts.models import Journal
from payouts.queries import partner_balance
from tests.books import assert_books_are_right, available
from tests.builders import make_partner
from tests.payouts.commands.running import refusal, run, run_json
from tests.pushes import make_funded_partner

pytestmark = pytest.mark.django_db


def test_books_the_money() -> None:
    partner = make_funded_partner(dollars="10.00", name="Payroll")
    printed = run_json("fundpartner", "Payroll", "2500.5")
    assert printed == {
        "partner_id": str(partner.pk),
        "name": "Payroll",
        "amount": "2500.50",
        "available": "2510.50",
        "held": "0.00",
        "journal_id": str(Journal.objects.latest("id").pk),
    }
    assert available(partner) == Decimal("2510.50")
    assert_books_are_right()


def test_says_it_in_a_sentence() -> None:
    partner = make_partner(name="Payroll")
    assert "Booked 7.00 USD for 'Payroll'" in run("fundpartner", str(partner.pk), "7")


def test_every_run_is_another_arrival() -> None:
    partner = make_partner(name="Payroll")
    for _ in range(2):
        run("fundpartner", "Payroll", "5.00")
    assert available(partner) == Decimal("10.00")


def test_names_the_command_line_in_the_ledger() -> None:
    make_partner(name="Payroll")
    run("fundpartner", "Payroll", "5.00")
    assert Journal.objects.get().actor == "command line"


@pytest.mark.parametrize(
    "word", ["1E+2", "100", "100.00", "100.000", "1e2", "+100"], ids=lambda word: word
)
def test_takes_a_number_however_it_is_written(word: str) -> None:
    make_partner(name="Payroll")
    assert run_json("fundpartner", "Payroll", word)["amount"] == "100.00"


def test_takes_the_largest_amount() -> None:
    make_partner(name="Payroll")
    assert run_json("fundpartner", "Payroll", "999999999999.99")["amount"] == "999999999999.99"


@pytest.mark.parametrize(
    ("word", "problems"),
    [
        ("0", ["more than 0"]),
        ("-5", ["more than 0"]),
        ("-5.001", ["more than 0", "two decimals"]),
        ("0.001", ["two decimals"]),
        ("1e-400", ["two decimals"]),
        ("1000000000000.00", ["at most 999999999999.99"]),
        ("1000000000000.001", ["at most 999999999999.99", "two decimals"]),
        ("1e999999", ["at most 999999999999.99"]),
        ("NaN", ["finite"]),
        ("sNaN", ["finite"]),
        ("Infinity", ["finite"]),
        ("five", ["a number"]),
        ("1,000.00", ["a number"]),
        ("1_000", ["a number"]),
        ("\N{FULLWIDTH DIGIT FIVE}", ["a number"]),
        ("$5", ["a number"]),
        ("", ["a number"]),
        ("1\x00", ["a number"]),
    ],
)
def test_refuses_and_says_everything_that_is_wrong(word: str, problems: list[str]) -> None:
    partner = make_partner(name="Payroll")
    first, *told = refusal("fundpartner", "Payroll", "--", word).splitlines()
    assert "is not an amount to fund with" in first
    assert len(told) == len(problems)
    assert all(problem in line for problem, line in zip(problems, told, strict=True))
    assert partner_balance(partner.pk).available == 0
    assert not Journal.objects.exists()


def test_refuses_a_partner_that_does_not_exist() -> None:
    assert refusal("fundpartner", "Nobody", "5.00").startswith("There is no partner")
    assert not Journal.objects.exists()
