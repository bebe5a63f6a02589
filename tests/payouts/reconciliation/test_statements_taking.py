"""Statements of our bank: what is taken in, what is refused whole, and who has to agree."""

import contextlib
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from consumers.models import AuditEntry
from payouts.models import (
    BankEntry,
    BankStatement,
    SettlementFile,
    StatementContent,
    StatementFile,
)
from payouts.operations.reconciliation import read_statement
from payouts.operations.reconciliation.act_on_statement import act_on_next_entry
from payouts.operations.reconciliation.brought_files import FileUpload
from payouts.operations.reconciliation.decide_file import (
    STATEMENTS,
    FileByUploader,
    FileDecisionNotPermitted,
    FileNotWaiting,
    apply_file,
    reject_file,
)
from payouts.operations.reconciliation.read_statement import read_next_statement
from payouts.operations.reconciliation.take_statement import take_statement
from payouts.work.statement_work import work_on_statements
from tests.books import refusal
from tests.doubts import two_operators
from tests.payouts.commands.running import refusal as refused
from tests.payouts.commands.running import run, run_json
from tests.pushes import make_staff
from tests.statements import (
    TODAY,
    YESTERDAY,
    bank_cases,
    bring_statement,
    movement_for,
    outcomes_of,
    settled_journals,
    statement_of,
)

pytestmark = pytest.mark.django_db


def test_refuses_a_day_to_come_which_no_other_one_could_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_statement, "AHEAD", timedelta(days=1))
    wrong = statement_of(opens_on=TODAY, closes_on=TODAY + timedelta(days=2))
    assert bring_statement(wrong).problems[0]["code"] == "day_to_come"
    assert bring_statement(statement_of(closes_on=TODAY + timedelta(days=1))).state == "done"


def test_names_amounts_in_full() -> None:
    bring_statement(statement_of(closes_on=YESTERDAY, opens_on=YESTERDAY))
    (problem,) = bring_statement(
        statement_of(reference="ST2", opening_cents=99_999_999_99)
    ).problems
    assert problem["found"] == f"{YESTERDAY}: 1000000.00, then 99999999.99"


def test_a_statement_opens_with_what_the_one_before_closed_with(settled: SettlementFile) -> None:
    first = bring_statement(statement_of(movement_for(settled)))
    tomorrow = TODAY + timedelta(days=1)
    gap = statement_of(opens_on=tomorrow, closes_on=tomorrow, reference="ST2")
    file = bring_statement(gap)
    assert (file.state, file.problems[0]["code"]) == ("refused", "does_not_follow")
    assert not BankStatement.objects.exclude(file=first).exists()
    assert not StatementContent.objects.exclude(file=first).exists()
    right = statement_of(
        opens_on=tomorrow, closes_on=tomorrow, reference="ST2", opening_cents=999_900_00
    )
    assert bring_statement(right).state == "done"
    same_day = statement_of(reference="ST4")
    assert bring_statement(same_day).problems[0]["code"] == "day_is_known"


def test_what_was_refused_may_come_again(settled: SettlementFile) -> None:
    bring_statement(statement_of(closes_on=YESTERDAY, opens_on=YESTERDAY, opening_cents=5))
    content = statement_of(movement_for(settled))
    assert bring_statement(content).state == "refused"
    again = take_statement(FileUpload("again.csv", content))
    assert again.is_new
    assert not settled_journals()


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"account": "OTHER"}, "not_our_account"), ({"opening_cents": 0}, None)],
)
def test_refuses_what_is_not_about_us(changes: dict[str, Any], code: str | None) -> None:
    file = bring_statement(statement_of(**changes))
    assert [problem["code"] for problem in file.problems] == ([code] if code else [])
    audited = AuditEntry.objects.filter(verb="upload", result="refused").count()
    assert audited == (1 if code else 0)


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", range(1, 8))
def test_goes_on_after_a_death_between_any_two_pieces(
    monkeypatch: pytest.MonkeyPatch, settled: SettlementFile, step: int
) -> None:
    monkeypatch.setattr(read_statement, "JUDGED_AT_ONCE", 2)
    twice, fee = movement_for(settled), movement_for(settled, cents=-5_00, reference="")
    take_statement(FileUpload("a.csv", statement_of(twice, twice, fee)))
    for _ in range(step):
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(BankEntry, "save", dies)
            patch.setattr(StatementFile, "save", dies)
            read_next_statement() or act_on_next_entry()
        assert read_next_statement() or act_on_next_entry()
    work_on_statements()
    file = StatementFile.objects.get()
    assert outcomes_of(file) == ["settled", "settled_again", "unknown"]
    assert (file.state, len(settled_journals())) == ("done", 1)
    assert bank_cases() == ["bank_entry_unknown", "bank_settled_again"]


def dies(*_: Any, **__: Any) -> None:
    raise Killed


def test_a_file_that_kills_its_readers_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, settled: SettlementFile
) -> None:
    take_statement(FileUpload("a.csv", statement_of(movement_for(settled))))
    monkeypatch.setattr(read_statement, "read_statements", dies)
    for _ in range(read_statement.MOST_TRIES):
        with pytest.raises(Killed):
            work_on_statements()
    work_on_statements()
    assert StatementFile.objects.get().problems[0]["code"] == "readers_died"


def test_what_a_person_brings_and_would_book_waits_for_a_second_one(
    settled: SettlementFile,
) -> None:
    opal, otto = two_operators()
    file = bring_statement(statement_of(movement_for(settled)), by=opal)
    assert (file.state, settled_journals()) == ("waiting", [])
    with pytest.raises(FileByUploader):
        apply_file(STATEMENTS, file.pk, by=opal)
    with pytest.raises(FileDecisionNotPermitted):
        apply_file(STATEMENTS, file.pk, by=make_staff("vera", "viewer"))
    assert refusal("UPDATE payouts_statementfile SET state = 'acting'") == "PY161"
    assert not settled_journals()
    apply_file(STATEMENTS, file.pk, by=otto)
    work_on_statements()
    assert len(settled_journals()) == 1
    with pytest.raises(FileNotWaiting):
        reject_file(STATEMENTS, file.pk, by=otto, reason="Too late")


def test_a_second_person_may_say_no_and_the_right_one_comes(settled: SettlementFile) -> None:
    opal, otto = two_operators()
    content = statement_of(movement_for(settled))
    file = bring_statement(content, by=opal)
    reject_file(STATEMENTS, file.pk, by=otto, reason="Not from the bank")
    assert not BankEntry.objects.exists()
    assert bring_statement(content).state == "done"
    assert len(settled_journals()) == 1


@pytest.mark.parametrize(
    ("statement", "refused_by"),
    [
        ("UPDATE payouts_statementfile SET name = 'x'", "PY160"),
        ("UPDATE payouts_statementfile SET state = 'reading'", "PY161"),
        ("UPDATE payouts_bankentry SET amount = 1", "PY163"),
        ("UPDATE payouts_bankentry SET journal_id = NULL", "PY163"),
        ("UPDATE payouts_bankstatement SET closing = 1", "PY163"),
        ("UPDATE payouts_statementcontent SET content = ''", "PY163"),
        ("DELETE FROM payouts_settledatbank", "PY164"),
        ("DELETE FROM payouts_bankentry", "PY164"),
        ("DELETE FROM payouts_statementfile", "PY001"),
    ],
)
def test_the_database_keeps_what_a_bank_said(
    settled: SettlementFile, statement: str, refused_by: str
) -> None:
    bring_statement(statement_of(movement_for(settled)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM payouts_statementfile")
        assert cursor.fetchone() == ("done",)
    assert refusal(statement) == refused_by


def test_the_command_imports_once_and_names_what_is_wrong(
    settled: SettlementFile, tmp_path: Path
) -> None:
    path = tmp_path / "statement.csv"
    path.write_bytes(statement_of(movement_for(settled)))
    told = run_json("import_statement", str(path))
    assert (told["state"], told["outcomes"]) == ("done", {"settled": 1})
    assert "imported before, and nothing has changed" in run("import_statement", str(path))
    path.write_bytes(b"B,PAYOUTS-STATEMENT,1\nE,1\nS,2\n")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_statement", str(path), stdout=out, stderr=StringIO())
    assert "line 2: record" in out.getvalue()
    assert "line 3: record" in out.getvalue()
    assert "no active member" in refused("import_statement", str(path), "--by", "nobody")
