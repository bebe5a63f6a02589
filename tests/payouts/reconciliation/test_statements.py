"""Entries of our bank: what settles, what is booked, and what becomes a case. Each once."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from consumers.models import PaymentCard
from payouts.doubts import CaseKind, Way
from payouts.models import (
    BankEntry,
    Case,
    SettlementFile,
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
from payouts.operations.reconciliation.brought_files import FileUpload
from payouts.operations.reconciliation.take_statement import take_statement
from payouts.operations.record_outcome import record_outcome
from payouts.work.statement_work import work_on_statements
from tests.books import assert_books_are_right, balance
from tests.decisions import shown_by
from tests.doubts import approve_closing, propose_closing, the_case, two_operators
from tests.pushes import APPROVED, make_staff, push_submitted
from tests.settlements import line_about
from tests.statements import (
    TODAY,
    YESTERDAY,
    bank_cases,
    bring_statement,
    day_of_settlement,
    movement_for,
    outcomes_of,
    settled_journals,
    settled_on,
    statement_of,
)

pytestmark = pytest.mark.django_db

BEFORE = YESTERDAY - timedelta(days=1)


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
    assert not bank_cases()
    again = take_statement(FileUpload("other.csv", content))
    assert (again.file.pk, again.is_new) == (file.pk, False)
    work_on_statements()
    assert len(settled_journals()) == 1
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
    assert len(settled_journals()) == 1
    assert the_case(CaseKind.BANK_REFERENCE_DIFFERS).amount == 0


def test_what_could_be_two_is_neither(settled: SettlementFile) -> None:
    stray = movement_for(settled, reference="")
    file = bring_statement(statement_of(stray, stray))
    assert outcomes_of(file) == ["unknown"] * 2
    assert not settled_journals()


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
    assert len(settled_journals()) == 1
    before, case = in_books(), the_case(CaseKind.BANK_SETTLED_AGAIN)
    opal, otto = two_operators()
    approve_closing(propose_closing(case, way, by=opal), otto)
    assert changed(before) == expected
    assert_books_are_right()


def test_what_goes_the_other_way_settles_nothing(settled: SettlementFile) -> None:
    file = bring_statement(statement_of(movement_for(settled, cents=100_00)))
    assert outcomes_of(file) == ["unknown"]
    assert not settled_journals()


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
    assert not bank_cases()


def test_what_the_bank_should_have_shown_by_now_is_missing(card: PaymentCard) -> None:
    old = settled_on(card, TODAY - timedelta(days=4))
    begin = TODAY - timedelta(days=5)
    # A day too early: it may still come.
    early = statement_of(opens_on=begin, closes_on=YESTERDAY - timedelta(days=1))
    bring_statement(early)
    assert not bank_cases()
    bring_statement(statement_of(opens_on=YESTERDAY, closes_on=TODAY, reference="ST2"))
    case = Case.objects.get(kind=CaseKind.MISSING_AT_BANK)
    assert (case.amount, case.ours["settlement_files"]) == (Decimal("100.00"), old.reference)
    assert (
        bring_statement(
            statement_of(opens_on=TODAY, closes_on=TODAY + timedelta(days=1), reference="ST3")
        ).state
        == "done"
    )
    assert bank_cases() == ["missing_at_bank"]


def test_nothing_is_missing_where_no_statement_looked(settled: SettlementFile) -> None:
    bring_statement(statement_of(opens_on=TODAY, closes_on=TODAY + timedelta(days=9)))
    assert not bank_cases()


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
    assert bank_cases() == [
        *("bank_amount_differs", "bank_entry_unknown", "bank_reference_differs"),
        *("bank_settled_again", "missing_at_bank"),
    ]
    assert len(settled_journals()) == len(days) - 1
    assert_books_are_right()
