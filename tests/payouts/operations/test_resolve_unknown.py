"""What became of an unclear push, said by two people with evidence."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from consumers.models import AuditEntry, PaymentCard
from payouts.actors import staff
from payouts.approvals import Source
from payouts.doubts import EvidenceRefused, Upload
from payouts.models import Attempt, ChangeRequest, Event, EvidenceFile, Payment
from payouts.operations.change_kinds import NotAChange
from payouts.operations.changes import (
    ChangeByProposer,
    ChangeByWhomItConcerns,
    ChangeDecisionRefused,
    ChangeNotPermitted,
    ChangeNotWaiting,
    ChangeOutdated,
    ChangeSeenOtherwise,
    ProposalNotPermitted,
)
from payouts.operations.inquire import record_finding
from payouts.operations.overtake import overtake_answered
from payouts.operations.record_outcome import record_outcome
from payouts.operations.resolve_unknown import resolve_unknown
from payouts.states import Status
from tests.books import (
    assert_books_are_right,
    assert_the_checks_agree,
    available,
    balance,
    held,
    journals,
    used,
)
from tests.changes import reject
from tests.decisions import shown_by
from tests.doubts import (
    OTHER_LETTER,
    WHY,
    propose,
    resolve,
    say_yes,
    state_of,
    two_operators,
)
from tests.pushes import (
    APPROVED,
    TIMEOUT,
    declined,
    fresh,
    history,
    make_charged_payee,
    make_staff,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> PaymentCard:
    return make_charged_payee()


NOTHING = Decimal(0)


@pytest.fixture
def unknown(card: PaymentCard) -> Payment:
    return push_unknown(card)


@pytest.fixture
def people() -> tuple[User, User]:
    return two_operators()


def _still_in_doubt(payment: Payment) -> None:
    assert status_of(payment) is Status.UNKNOWN
    assert held(payment.partner) == Decimal("101.25")
    assert journals(payment) == ["accepted"]
    assert history(payment) == ["created", "sent", "unknown"]


# What it does


def test_two_people_say_that_it_was_paid(unknown: Payment) -> None:
    resolve(unknown, Status.COMPLETED)
    payment = fresh(unknown)
    assert (payment.status, payment.due_at) == (Status.COMPLETED, None)
    assert payment.completed_at is not None
    assert journals(unknown) == ["accepted", "completed"]
    assert (available(unknown.partner), held(unknown.partner)) == (Decimal("898.75"), NOTHING)
    assert balance("network_payable", network="sandbox") == Decimal("-100.00")
    assert balance("fee_revenue") == Decimal("-1.25")
    assert_books_are_right()
    assert_the_checks_agree()


def test_two_people_say_that_it_was_not_paid(unknown: Payment) -> None:
    resolve(unknown, Status.FAILED)
    payment = fresh(unknown)
    assert (payment.status, payment.failure_code) == (Status.FAILED, "resolved_not_paid")
    assert journals(unknown) == ["accepted", "released"]
    assert (available(unknown.partner), held(unknown.partner)) == (Decimal("1000.00"), NOTHING)
    assert used(unknown.card_id, on=unknown.created_at.date()) == (NOTHING, NOTHING)
    assert_books_are_right()
    assert_the_checks_agree()


def test_what_people_say_does_not_become_the_network_s_answer(unknown: Payment) -> None:
    resolve(unknown, Status.COMPLETED)
    attempt = Attempt.objects.get(payment=unknown)
    assert (attempt.state, attempt.network_code, attempt.approval_code) == ("unknown", "", "")


def test_the_history_names_the_decider_and_the_evidence(unknown: Payment) -> None:
    change = resolve(unknown, Status.COMPLETED)
    event = Event.objects.filter(payment=unknown).latest("number")
    assert (event.kind, event.actor) == ("completed", "staff:otto")
    assert event.details["sha256_of_evidence"] == change.after["sha256"]
    assert event.details["change"] == str(change.pk)


def test_the_audit_trail_has_both_people(unknown: Payment) -> None:
    resolve(unknown, Status.COMPLETED)
    verbs = set(AuditEntry.objects.values_list("verb", "result"))
    assert {("upload", "done"), ("propose", "done"), ("approve", "done"), ("resolve", "done")} <= (
        verbs
    )
    entry = AuditEntry.objects.get(verb="resolve")
    assert (entry.subject_type, entry.subject_id) == ("payouts.payment", str(unknown.pk))
    assert (entry.before, entry.after["status"]) == ({"status": "unknown"}, "completed")


# What a proposal alone does


def test_a_proposal_moves_nothing(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    assert state_of(change) == "proposed"
    _still_in_doubt(unknown)


def test_a_second_click_proposes_once(unknown: Payment, people: tuple[User, User]) -> None:
    first = propose(unknown, by=people[0])
    assert propose(unknown, by=people[0]).pk == first.pk
    assert (ChangeRequest.objects.count(), EvidenceFile.objects.count()) == (1, 1)


def test_one_proposal_waits_at_a_time(unknown: Payment, people: tuple[User, User]) -> None:
    propose(unknown, Status.COMPLETED, by=people[0])
    with pytest.raises(NotAChange):
        propose(unknown, Status.FAILED, by=people[1], evidence=OTHER_LETTER)
    assert ChangeRequest.objects.count() == 1


def test_after_a_no_somebody_may_propose_anew(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    reject(change, people[1])
    _still_in_doubt(unknown)
    say_yes(propose(unknown, Status.FAILED, by=people[1], evidence=OTHER_LETTER), people[0])
    assert status_of(unknown) is Status.FAILED


# Who may


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "auditor"])
def test_only_operations_and_admins_propose(unknown: Payment, role: str) -> None:
    with pytest.raises(ProposalNotPermitted):
        propose(unknown, by=make_staff("somebody", role))
    assert not ChangeRequest.objects.exists()
    assert not EvidenceFile.objects.exists()
    assert AuditEntry.objects.get(verb="propose").result == "refused"


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "auditor"])
def test_only_operations_and_admins_decide(
    unknown: Payment, people: tuple[User, User], role: str
) -> None:
    change = propose(unknown, by=people[0])
    with pytest.raises(ChangeNotPermitted):
        say_yes(change, make_staff("somebody", role))
    _still_in_doubt(unknown)


def test_an_admin_decides(unknown: Payment, people: tuple[User, User]) -> None:
    say_yes(propose(unknown, by=people[0]), make_staff("ada", "admin"))
    assert status_of(unknown) is Status.COMPLETED


def test_nobody_decides_alone(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    with pytest.raises(ChangeByProposer):
        say_yes(change, people[0])
    _still_in_doubt(unknown)


@pytest.fixture
def by_mia(card: PaymentCard) -> tuple[Payment, User]:
    """An unclear push that somebody issued who is of operations too."""
    mia = make_staff("mia", "maker", "operations")
    actor = staff(mia.pk, mia.username)
    return push_unknown(card, source=Source.BACK_OFFICE, actor=actor), mia


def test_the_maker_does_not_propose(by_mia: tuple[Payment, User]) -> None:
    payment, mia = by_mia
    with pytest.raises(NotAChange):
        propose(payment, by=mia)
    assert not ChangeRequest.objects.exists()


def test_the_maker_does_not_decide(by_mia: tuple[Payment, User], people: tuple[User, User]) -> None:
    payment, mia = by_mia
    change = propose(payment, by=people[0])
    with pytest.raises(ChangeByWhomItConcerns):
        say_yes(change, mia)
    _still_in_doubt(payment)


# What is refused


def test_a_decision_is_about_what_was_seen(unknown: Payment, people: tuple[User, User]) -> None:
    change, proof = propose(unknown, by=people[0]), shown_by(people[1])
    with pytest.raises(ChangeSeenOtherwise):
        resolve_unknown(change.pk, by=people[1], digest=bytes(32), reason="Yes", proof=proof)
    _still_in_doubt(unknown)


@pytest.mark.parametrize("verdict", [Status.UNKNOWN, Status.RETURNED, Status.CANCELED])
def test_other_verdicts_are_refused(
    unknown: Payment, people: tuple[User, User], verdict: Status
) -> None:
    with pytest.raises(NotAChange):
        propose(unknown, verdict, by=people[0])
    _still_in_doubt(unknown)


def test_what_is_being_sent_is_not_in_doubt(card: PaymentCard, people: tuple[User, User]) -> None:
    payment = push_submitted(card)
    with pytest.raises(NotAChange):
        propose(payment, by=people[0])
    assert status_of(payment) is Status.SUBMITTED


def test_a_refused_file_proposes_nothing(unknown: Payment, people: tuple[User, User]) -> None:
    with pytest.raises(EvidenceRefused):
        propose(unknown, by=people[0], evidence=Upload("a.exe", b"MZ\x00\x01"))
    assert not ChangeRequest.objects.exists()


def test_another_push_s_evidence_is_refused(card: PaymentCard, people: tuple[User, User]) -> None:
    first, second = push_unknown(card), push_unknown(card)
    propose(first, by=people[0])
    change = propose(second, by=people[0])
    evidence = EvidenceFile.objects.get(pk=change.after["evidence"])
    assert evidence.payment_id == second.pk
    assert EvidenceFile.objects.count() == 2


# An answer that comes meanwhile


@pytest.mark.parametrize("answer", [APPROVED, declined("05")])
def test_an_answer_wins_and_ends_the_proposal(
    unknown: Payment, people: tuple[User, User], answer: object
) -> None:
    change = propose(unknown, Status.COMPLETED, by=people[0])
    after = record_finding(unknown.pk, answer)  # type: ignore[arg-type]
    change.refresh_from_db()
    assert (change.state, change.decided_by) == ("overtaken", None)
    assert "The network answered meanwhile" in change.decision_reason
    before = journals(unknown)
    with pytest.raises(ChangeNotWaiting):
        say_yes(change, people[1])
    assert (status_of(unknown), journals(unknown)) == (after, before)
    assert_books_are_right()


def test_an_unclear_answer_leaves_the_proposal(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    record_finding(unknown.pk, TIMEOUT)
    say_yes(change, people[1])
    assert status_of(unknown) is Status.COMPLETED


def test_what_was_missed_is_ended_when_somebody_decides(
    unknown: Payment, people: tuple[User, User]
) -> None:
    record_outcome(unknown.pk, APPROVED)
    change = _proposal_from_before(unknown, people[0])
    with pytest.raises(ChangeOutdated):
        say_yes(change, people[1])
    assert state_of(change) == "overtaken"
    assert journals(unknown) == ["accepted", "completed"]


def test_what_was_missed_is_ended_by_the_sweep(unknown: Payment, people: tuple[User, User]) -> None:
    waits = propose(push_unknown(unknown.card), by=people[0])
    record_outcome(unknown.pk, APPROVED)
    change = _proposal_from_before(unknown, people[0])
    assert overtake_answered(limit=10) == 1
    assert overtake_answered(limit=10) == 0
    assert (state_of(change), state_of(waits)) == ("overtaken", "proposed")


def _proposal_from_before(payment: Payment, by: User) -> ChangeRequest:
    """As if it had been stored just before the answer, and passed by when that was recorded."""
    like = propose(push_unknown(payment.card), by=by)
    evidence = EvidenceFile.objects.get(pk=like.after["evidence"])
    own = EvidenceFile.objects.create(
        payment=payment, name="x", media_type="text/plain", size_bytes=1,
        sha256=bytes(evidence.sha256), sealed=b"x", uploaded_by=by, created_at=like.proposed_at,
    )  # fmt: skip
    return ChangeRequest.objects.create(
        kind=like.kind, partner_id=like.partner_id, subject=str(payment.pk), label="x",
        before={"status": "unknown", "times_sent": 1},
        after={**like.after, "evidence": str(own.pk)},
        digest=bytes(31) + b"x", reason=WHY, proposed_by=by, proposed_at=like.proposed_at,
        expires_at=like.expires_at, state="proposed",
    )  # fmt: skip


def test_evidence_from_before_another_send_does_not_count(
    unknown: Payment, people: tuple[User, User]
) -> None:
    change = propose(unknown, Status.FAILED, by=people[0])
    Attempt.objects.filter(payment=unknown).update(times_sent=2)
    with pytest.raises(ChangeDecisionRefused):
        say_yes(change, people[1])
    _still_in_doubt(unknown)
