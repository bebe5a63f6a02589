"""Statements of our bank: what settles, what is booked, and what becomes a case. Each once."""

import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from consumers.models import AuditEntry, PaymentCard
from payouts.doubts import CaseKind, Way
from payouts.models import (
    BankEntry,
    BankStatement,
    Case,
    SettlementFile,
    StatementContent,
    StatementFile,
)
from payouts.networks.sandbox.statement import (
    BankPlant,
    Head,
    Movement,
    camt_text,
    csv_text,
    planted,
)
from payouts.operations.cases import ways_of
from payouts.operations.changes import Proposal, approve_change, propose_change
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
from payouts.operations.record_outcome import record_outcome
from payouts.work.statement_work import work_on_statements
from tests.books import assert_books_are_right, balance, refusal, select
from tests.decisions import shown_by
from tests.doubts import approve_closing, propose_closing, the_case, two_operators
from tests.payouts.commands.running import refusal as refused
from tests.payouts.commands.running import run, run_json
from tests.pushes import APPROVED, make_payee, make_staff, push_submitted
from tests.settlements import line_about
from tests.statements import (
    TODAY,
    YESTERDAY,
    bring_statement,
    day_of_settlement,
    movement_for,
    outcomes_of,
    statement_of,
)

pytestmark = pytest.mark.django_db

BEFORE = YESTERDAY - timedelta(days=1)


@pytest.fixture
def card() -> PaymentCard:
    return make_payee()


@pytest.fixture
def settled(card: PaymentCard) -> SettlementFile:
    """Yesterday's file: one push of $100.00."""
    return settled_on(card, YESTERDAY)


def settled_on(card: PaymentCard, day: date, **asked: Any) -> SettlementFile:
    payment = push_submitted(card, **asked)
    record_outcome(payment.pk, APPROVED)
    payment.refresh_from_db()
    return day_of_settlement(day, line_about(payment, settled_on=day))


def journals() -> list[tuple[Any, ...]]:
    return select("SELECT description FROM payouts_journal WHERE kind = 'settled' ORDER BY id")


def cases() -> list[str]:
    """What is open about the bank; that these pushes were settled on another day is not."""
    rows = Case.objects.filter(kind__contains="bank").order_by("kind")
    return list(rows.values_list("kind", flat=True))


def in_books() -> dict[str, Decimal]:
    payable = balance("network_payable", network="sandbox")
    return {"bank": balance("bank"), "network_payable": payable, "suspense": balance("suspense")}


def changed(before: dict[str, Decimal]) -> dict[str, str]:
    moved = {name: now - before[name] for name, now in in_books().items()}
    return {name: str(by) for name, by in moved.items() if by}


def test_what_the_network_took_settles_its_file_once(settled: SettlementFile) -> None:
    before, content = in_books(), statement_of(movement_for(settled))
    file = bring_statement(content)
    assert (file.state, outcomes_of(file)) == ("done", ["settled"])
    assert changed(before) == {"bank": "-100.00", "network_payable": "100.00"}
    assert not cases()
    again = take_statement(FileUpload("other.csv", content))
    assert (again.file.pk, again.is_new) == (file.pk, False)
    work_on_statements()
    assert len(journals()) == 1
    assert_books_are_right()


def test_several_days_may_be_settled_at_once(card: PaymentCard) -> None:
    files = [settled_on(card, YESTERDAY), settled_on(card, BEFORE)]
    file = bring_statement(statement_of(movement_for(*files)))
    assert outcomes_of(file) == ["settled"]
    assert SettlementFile.objects.filter(at_bank__entry__file=file).count() == 2
    assert BankEntry.objects.get().journal_id


def test_a_network_that_gives_settles_too(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED)
    payment.refresh_from_db()
    settled = day_of_settlement(YESTERDAY, line_about(payment, kind="return"))
    before = in_books()
    file = bring_statement(statement_of(movement_for(settled)))
    assert outcomes_of(file) == ["settled"]
    assert changed(before) == {"bank": "100.00", "network_payable": "-100.00"}


@pytest.mark.parametrize(("cents", "suspense"), [(-100_07, "0.07"), (-99_00, "-1.00")])
def test_a_difference_goes_to_suspense_and_is_a_case(
    settled: SettlementFile, cents: int, suspense: str
) -> None:
    before = in_books()
    file = bring_statement(statement_of(movement_for(settled, cents=cents)))
    assert outcomes_of(file) == ["amount_differs"]
    bank = str(Decimal(cents) / 100)
    told = {"bank": f"{Decimal(bank):.2f}", "network_payable": "100.00", "suspense": suspense}
    assert changed(before) == told
    case = the_case(CaseKind.BANK_AMOUNT_DIFFERS)
    assert case.amount == abs(Decimal(suspense))
    opal, otto = two_operators()
    approve_closing(propose_closing(case, Way.TO_NETWORK, by=opal), otto)
    assert changed(before).get("suspense") is None
    assert_books_are_right()


def test_what_names_nothing_is_recognised_by_amount_and_day(settled: SettlementFile) -> None:
    file = bring_statement(statement_of(movement_for(settled, reference="")))
    assert outcomes_of(file) == ["reference_differs"]
    assert len(journals()) == 1
    assert the_case(CaseKind.BANK_REFERENCE_DIFFERS).amount == 0


def test_what_could_be_two_is_neither(settled: SettlementFile) -> None:
    stray = movement_for(settled, reference="")
    file = bring_statement(statement_of(stray, stray))
    assert outcomes_of(file) == ["unknown"] * 2
    assert not journals()


@pytest.mark.parametrize("days", [-1, 4])
def test_what_comes_at_another_time_is_not_recognised(settled: SettlementFile, days: int) -> None:
    booked_on = YESTERDAY + timedelta(days=days)
    file = bring_statement(statement_of(movement_for(settled, reference="", booked_on=booked_on)))
    assert outcomes_of(file) == ["unknown"]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (Way.TO_SUSPENSE, {"bank": "-100.00", "suspense": "100.00"}),
        (Way.TO_NETWORK, {"bank": "-100.00", "network_payable": "100.00"}),
        (Way.NOTHING, {}),
    ],
)
def test_what_is_taken_twice_is_booked_by_two_people(
    settled: SettlementFile, way: Way, expected: dict[str, str]
) -> None:
    twice = movement_for(settled)
    file = bring_statement(statement_of(twice, twice))
    assert outcomes_of(file) == ["settled", "settled_again"]
    assert len(journals()) == 1
    before, case = in_books(), the_case(CaseKind.BANK_SETTLED_AGAIN)
    opal, otto = two_operators()
    approve_closing(propose_closing(case, way, by=opal), otto)
    assert changed(before) == expected
    assert_books_are_right()


def test_what_goes_the_other_way_settles_nothing(settled: SettlementFile) -> None:
    file = bring_statement(statement_of(movement_for(settled, cents=100_00)))
    assert outcomes_of(file) == ["unknown"]
    assert not journals()


def test_what_came_before_its_file_can_go_to_the_network(card: PaymentCard) -> None:
    early = Movement(-100_00, TODAY, "S20261120000000-20261121000000")
    assert outcomes_of(bring_statement(statement_of(early))) == ["unknown"]
    before, case = in_books(), the_case(CaseKind.BANK_ENTRY_UNKNOWN)
    opal, otto = two_operators()
    approve_closing(propose_closing(case, Way.TO_NETWORK, by=opal), otto)
    assert changed(before) == {"bank": "-100.00", "network_payable": "100.00"}
    case.theirs["network"] = ""
    assert ways_of(case, None) == (Way.TO_SUSPENSE, Way.NOTHING)


def test_what_nobody_knows_is_a_case(settled: SettlementFile) -> None:
    before = in_books()
    fee = movement_for(settled, cents=-25_00, reference="", text="ACCOUNT FEE")
    bring_statement(statement_of(fee))
    assert changed(before) == {}
    case = the_case(CaseKind.BANK_ENTRY_UNKNOWN)
    assert (case.amount, case.theirs["text"]) == (Decimal("25.00"), "ACCOUNT FEE")
    opal, otto = two_operators()
    approve_closing(propose_closing(case, Way.TO_SUSPENSE, by=opal), otto)
    assert changed(before) == {"bank": "-25.00", "suspense": "25.00"}


def funded(card: PaymentCard, dollars: str, reference: str) -> None:
    ada, adam = make_staff("ada", "admin"), make_staff("adam", "admin")
    after = {"amount": Decimal(dollars), "reference": reference}
    proposal = Proposal(
        kind="fund_partner", partner_id=card.consumer.partner_id, subject="", after=after
    )
    change = propose_change(proposal, by=ada, reason="It came.")
    digest = bytes(change.digest)
    approve_change(change.pk, by=adam, digest=digest, reason="Yes.", proof=shown_by(adam))


def test_a_partners_money_is_what_two_people_have_booked(
    card: PaymentCard, settled: SettlementFile
) -> None:
    funded(card, "5000.00", "wire 7/acme")
    came = movement_for(settled, cents=5_000_00, reference="WIRE 7/ACME")
    before = in_books()
    file = bring_statement(statement_of(came, came, came._replace(cents=4_999_99)))
    assert outcomes_of(file) == ["funded", "unknown", "unknown"]
    assert changed(before) == {}


def test_what_cost_nothing_is_nothing(settled: SettlementFile) -> None:
    file = bring_statement(statement_of(movement_for(settled, cents=0)))
    assert (outcomes_of(file), file.state) == (["no_money"], "done")
    assert not cases()


def test_what_the_bank_should_have_shown_by_now_is_missing(card: PaymentCard) -> None:
    old = settled_on(card, TODAY - timedelta(days=4))
    begin = TODAY - timedelta(days=5)
    # A day too early: it may still come.
    early = statement_of(opens_on=begin, closes_on=YESTERDAY - timedelta(days=1))
    bring_statement(early)
    assert not cases()
    bring_statement(statement_of(opens_on=YESTERDAY, closes_on=TODAY, reference="ST2"))
    case = Case.objects.get(kind=CaseKind.MISSING_AT_BANK)
    assert (case.amount, case.ours["settlement_files"]) == (Decimal("100.00"), old.reference)
    assert (
        bring_statement(
            statement_of(opens_on=TODAY, closes_on=TODAY + timedelta(days=1), reference="ST3")
        ).state
        == "done"
    )
    assert cases() == ["missing_at_bank"]


def test_nothing_is_missing_where_no_statement_looked(settled: SettlementFile) -> None:
    bring_statement(statement_of(opens_on=TODAY, closes_on=TODAY + timedelta(days=9)))
    assert not cases()


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
    assert not journals()


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
    assert (file.state, len(journals())) == ("done", 1)
    assert cases() == ["bank_entry_unknown", "bank_settled_again"]


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
    assert (file.state, journals()) == ("waiting", [])
    with pytest.raises(FileByUploader):
        apply_file(STATEMENTS, file.pk, by=opal)
    with pytest.raises(FileDecisionNotPermitted):
        apply_file(STATEMENTS, file.pk, by=make_staff("vera", "viewer"))
    assert refusal("UPDATE payouts_statementfile SET state = 'acting'") == "PY161"
    assert not journals()
    apply_file(STATEMENTS, file.pk, by=otto)
    work_on_statements()
    assert len(journals()) == 1
    with pytest.raises(FileNotWaiting):
        reject_file(STATEMENTS, file.pk, by=otto, reason="Too late")


def test_a_second_person_may_say_no_and_the_right_one_comes(settled: SettlementFile) -> None:
    opal, otto = two_operators()
    content = statement_of(movement_for(settled))
    file = bring_statement(content, by=opal)
    reject_file(STATEMENTS, file.pk, by=otto, reason="Not from the bank")
    assert not BankEntry.objects.exists()
    assert bring_statement(content).state == "done"
    assert len(journals()) == 1


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


@pytest.mark.parametrize("text_of", [camt_text, csv_text])
def test_every_planted_difference_is_found_and_none_is_invented(
    card: PaymentCard, text_of: Callable[..., str]
) -> None:
    days = [TODAY - timedelta(days=number) for number in range(12, 4, -1)]
    movements = [
        movement_for(settled_on(card, day, amount=f"{number}.50"))
        for number, day in enumerate(days, start=20)
    ]
    struck = list(planted(movements, tuple(BankPlant), seed=5))
    head = Head(
        reference="ST1",
        opens_on=days[0],
        closes_on=TODAY,
        opening_cents=5_000_00,
        made_at=datetime.now(UTC),
    )
    file = bring_statement(text_of(head, [movement for movement, _ in struck]).encode())
    assert Counter(outcomes_of(file)) == {
        "settled": len(days) - 3,
        "amount_differs": 1,
        "reference_differs": 1,
        "settled_again": 1,
        "unknown": 1,
    }
    assert cases() == [
        *("bank_amount_differs", "bank_entry_unknown", "bank_reference_differs"),
        *("bank_settled_again", "missing_at_bank"),
    ]
    assert len(journals()) == len(days) - 1
    assert_books_are_right()


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
