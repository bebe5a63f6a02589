"""The command's table, JSON and exit codes. What each check sees is in `test_checks.py`."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from payouts.invariants import INVARIANTS, TALLIES_COUNT_PAYMENTS
from tests.books import execute
from tests.payouts.commands.running import refusal, run, run_json
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong_tally() -> None:
    push(make_payee())
    execute("UPDATE payouts_paymenttally SET payments = payments + 1")


def broken(*words: str) -> str:
    """What the command prints when something does not hold: it ends with 1."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", *words, stdout=out, stderr=StringIO())
    assert ended.value.code == 1
    return out.getvalue()


def test_prints_every_check_with_what_it_examined() -> None:
    push(make_payee())
    printed = run("verify_ledger")
    for invariant in INVARIANTS:
        assert invariant.name in printed
    assert printed.splitlines()[-1].startswith("Everything holds.")
    assert "BROKEN" not in printed


def test_says_where_it_is_on_standard_error() -> None:
    err = StringIO()
    call_command("verify_ledger", stdout=StringIO(), stderr=err)
    assert [line.split()[0] for line in err.getvalue().splitlines()] == [
        f"{number}/{len(INVARIANTS)}" for number in range(1, len(INVARIANTS) + 1)
    ]


def test_prints_json_for_scripts() -> None:
    push(make_payee())
    printed = run_json("verify_ledger")
    assert printed["holds"] is True
    assert [check["name"] for check in printed["checks"]] == [one.name for one in INVARIANTS]
    assert {check["holds"] for check in printed["checks"]} == {True}


@pytest.mark.usefixtures("wrong_tally")
def test_ends_with_1_and_names_what_is_broken() -> None:
    printed = broken()
    assert f"BROKEN {TALLIES_COUNT_PAYMENTS.name}" in printed
    assert f"NOT TRUE: {TALLIES_COUNT_PAYMENTS.name}\n  partner " in printed
    assert f"1 of {len(INVARIANTS)} do NOT hold." in printed


@pytest.mark.usefixtures("wrong_tally")
def test_ends_with_1_with_json_too() -> None:
    printed = json.loads(broken("--json"))
    (check,) = [check for check in printed["checks"] if not check["holds"]]
    assert (printed["holds"], check["name"]) == (False, TALLIES_COUNT_PAYMENTS.name)
    assert check["broken"] == len(check["violations"]) == 1


def test_refuses_a_book_that_is_not_there(tmp_path: Path) -> None:
    told = refusal("verify_ledger", "--sandbox-book", str(tmp_path / "no.sqlite3"))
    assert "cannot be read" in told


def test_refuses_a_network_that_does_not_answer() -> None:
    assert "cannot be read" in refusal("verify_ledger", "--sandbox", "http://127.0.0.1:9")


def test_takes_one_book_only() -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        run("verify_ledger", "--sandbox", "http://127.0.0.1:9", "--sandbox-book", "x")
