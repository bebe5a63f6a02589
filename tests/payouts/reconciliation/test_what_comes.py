"""What was missing and comes after all, and money that a network tells of twice: one case each."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from consumers.models import PaymentCard
from payouts.doubts import CaseKind, Way
from payouts.models import Case, Payment, SettlementFile, SettlementFinding
from payouts.networks.sandbox.settlement import Window
from payouts.operations.cases import Disagreement, open_case, ways_of
from payouts.operations.changes import ChangeImpossible
from payouts.operations.reconciliation.decide_file import SETTLEMENTS, apply_file
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from payouts.work.settlement_work import work_on_settlements
from tests.books import assert_books_are_right, available, balance, journals
from tests.doubts import approve_closing, propose_closing, state_of, the_case, two_operators
from tests.notices import notice, told
from tests.pushes import APPROVED, declined, fresh, push_submitted
from tests.settlements import bring, findings_of, line_about, settlement_of, window_around_now
from tests.statements import TODAY, bring_statement, movement_for, statement_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def missing(card: PaymentCard) -> Payment:
    """Paid by our books, and not in the file about that time."""
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED)
    assert findings_of(bring(settlement_of([]))) == ["missing_there"]
    return fresh(payment)


def later_file(payment: Payment, **line: Any) -> bytes:
    window = window_around_now()
    later = Window(window.ends_at, window.ends_at + timedelta(days=1))
    return settlement_of([line_about(payment, **line)], window=later, reference="S2")


def test_a_later_file_that_brings_it_ends_the_case(missing: Payment) -> None:
    file = bring(later_file(missing))
    assert findings_of(file) == ["came"]
    case = the_case(CaseKind.MISSING_THERE)
    assert (case.state, case.way, case.closed_by, case.journal) == ("closed", "came", None, None)
    assert "S2" in case.closing_reason
    assert SettlementFinding.objects.get(file=file).case == case
    assert journals(missing) == ["accepted", "completed"]
    assert_books_are_right()


def test_what_comes_late_is_a_case_of_its_own(missing: Payment) -> None:
    bring(later_file(missing, settled_on=timezone.now().date() + timedelta(days=3)))
    assert the_case(CaseKind.MISSING_THERE).way == "came"
    assert the_case(CaseKind.SETTLED_LATE).state == "open"


def test_a_person_ends_no_case_about_money_alone(missing: Payment) -> None:
    opal, otto = two_operators()
    proposal = propose_closing(the_case(CaseKind.MISSING_THERE), Way.GIVE_BACK, by=opal)
    file = bring(later_file(missing), by=opal)
    assert (file.state, the_case(CaseKind.MISSING_THERE).state) == ("waiting", "open")
    apply_file(SETTLEMENTS, file.pk, by=otto)
    work_on_settlements()
    assert the_case(CaseKind.MISSING_THERE).state == "closed"
    # Nobody gives back what has come.
    assert state_of(proposal) == "overtaken"


def test_what_two_people_gave_back_stays_closed_and_is_a_new_case(missing: Payment) -> None:
    opal, otto = two_operators()
    case = the_case(CaseKind.MISSING_THERE)
    approve_closing(propose_closing(case, Way.GIVE_BACK, by=opal), otto)
    assert findings_of(bring(later_file(missing))) == ["contradicts"]
    assert the_case(CaseKind.MISSING_THERE).way == "give_back"
    assert_books_are_right()


def test_what_the_bank_shows_late_ends_its_case(card: PaymentCard) -> None:
    day = TODAY - timedelta(days=4)
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED)
    settled = bring(
        settlement_of(
            [line_about(fresh(payment))], window=Window.of_day(day), reference="S20261101"
        )
    )
    bring_statement(statement_of(opens_on=day, closes_on=TODAY))
    assert the_case(CaseKind.MISSING_AT_BANK).state == "open"
    tomorrow = TODAY + timedelta(days=1)
    content = statement_of(
        movement_for(settled), opens_on=tomorrow, closes_on=tomorrow, reference="ST2"
    )
    assert bring_statement(content).state == "done"
    case = the_case(CaseKind.MISSING_AT_BANK)
    assert (case.state, case.way) == ("closed", "came")
    assert "ST2" in case.closing_reason


def test_the_money_of_a_push_is_put_right_once(missing: Payment) -> None:
    other = open_case(
        Disagreement(
            kind=CaseKind.LATE_ANSWER,
            subject=f"{missing.pk}|not_paid",
            title="A late answer",
            amount=missing.amount,
            payment_id=missing.pk,
            partner_id=missing.partner_id,
            theirs={"says": "not_paid"},
        ),
        at=timezone.now(),
    )
    opal, otto = two_operators()
    second = propose_closing(other, Way.GIVE_BACK, by=opal)
    first = propose_closing(the_case(CaseKind.MISSING_THERE), Way.GIVE_BACK, by=opal)
    approve_closing(first, otto)
    before = available(missing.partner)
    with pytest.raises(ChangeImpossible, match="put right meanwhile"):
        approve_closing(second, otto)
    assert ways_of(other, Status.COMPLETED) == (Way.NOTHING,)
    assert available(missing.partner) == before
    assert journals(missing).count("corrected") == 1


def test_what_ended_unpaid_and_was_settled_otherwise_is_not_safe_to_repeat(
    card: PaymentCard,
) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    told(notice(payment, amount="40.00"))
    file = bring(settlement_of([line_about(payment, cents=40_00)]))
    assert findings_of(file) == ["amount_differs"]
    case = Case.objects.get()
    assert SettlementFinding.objects.get(file=file).case == case
    assert (case.kind, case.disputes, case.amount) == ("late_answer", True, Decimal("40.00"))
    assert fresh(payment).moved_otherwise == "unknown"
    assert_books_are_right()


def test_what_was_settled_otherwise_alone_disputes_it_too(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    bring(settlement_of([line_about(payment, cents=40_00)]))
    assert fresh(payment).moved_otherwise == "unknown"
    assert the_case(CaseKind.LATE_ANSWER).amount == Decimal("40.00")


OTHER = {"retrievalReferenceNumber": "999999999999"}


def stranger_file(payment: Payment, *, times: int = 1, **line: Any) -> SettlementFile:
    stranger = line_about(payment, retrieval_reference_number="999999999999", **line)
    return bring(settlement_of([line_about(payment), *[stranger] * times]))


def strangers() -> list[str]:
    kinds = (CaseKind.UNKNOWN_INSTRUCTION, CaseKind.MISSING_HERE)
    return list(Case.objects.filter(kind__in=kinds).values_list("kind", flat=True))


@pytest.mark.parametrize("first", ["told", "settled"])
def test_what_is_told_and_settled_is_one_case(paid: Payment, first: str) -> None:
    if first == "told":
        told(notice(paid, **OTHER))
    file = stranger_file(paid)
    if first == "settled":
        told(notice(paid, **OTHER))
    assert len(strangers()) == 1
    case = SettlementFinding.objects.get(file=file).case
    assert case is not None
    opal, otto = two_operators()
    approve_closing(propose_closing(case, Way.TO_SUSPENSE, by=opal), otto)
    assert balance("suspense") == Decimal("100.00")
    assert_books_are_right()


def test_other_money_is_another_case(paid: Payment) -> None:
    told(notice(paid, **OTHER))
    stranger_file(paid, times=2)
    assert sorted(strangers()) == ["missing_here", "unknown_instruction"]


def test_another_amount_is_another_case(paid: Payment) -> None:
    told(notice(paid, **OTHER))
    stranger_file(paid, cents=5_00)
    assert sorted(strangers()) == ["missing_here", "unknown_instruction"]
