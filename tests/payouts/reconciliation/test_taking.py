"""What is taken in, what is refused whole, that twice is once, and that a person needs a second."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from consumers.models import AuditEntry, PaymentCard
from payouts.models import Case, SettlementFile, SettlementFinding, SettlementLine, SettlementPiece
from payouts.networks.sandbox.settlement import Window
from payouts.operations.reconciliation import read_settlement, take_settlement
from payouts.operations.reconciliation.act_on_settlement import act_on_next_finding
from payouts.operations.reconciliation.brought_files import BringingNotPermitted, FileUpload
from payouts.operations.reconciliation.decide_file import (
    SETTLEMENTS,
    FileByUploader,
    FileDecisionNotPermitted,
    FileNotWaiting,
    apply_file,
    reject_file,
)
from payouts.operations.reconciliation.read_settlement import read_next_settlement
from payouts.operations.record_outcome import record_outcome
from payouts.reconciliation.settlements import SettlementRefused
from payouts.states import Status
from payouts.work.settlement_work import work_on_settlements
from tests.books import refusal, select
from tests.doubts import two_operators
from tests.pushes import APPROVED, make_staff, push_unknown, status_of
from tests.settlements import bring, findings_of, line_about, settlement_of, window_around_now

pytestmark = pytest.mark.django_db


def test_the_same_file_again_changes_nothing(card: PaymentCard) -> None:
    content = settlement_of([line_about(push_unknown(card)), line_about(push_unknown(card))])
    first = bring(content)
    before = select("SELECT count(*), max(id) FROM payouts_event")
    again = take_settlement.take_settlement(FileUpload("b.csv", content))
    assert (again.file.pk, again.is_new) == (first.pk, False)
    work_on_settlements()
    assert select("SELECT count(*), max(id) FROM payouts_event") == before
    assert SettlementLine.objects.count() == 2


def test_the_file_stands_whole(monkeypatch: pytest.MonkeyPatch, card: PaymentCard) -> None:
    monkeypatch.setattr(take_settlement, "PIECE_BYTES", 100)
    content = settlement_of([line_about(push_unknown(card)) for _ in range(3)])
    file = bring(content)
    pieces = SettlementPiece.objects.filter(file=file).order_by("number")
    assert b"".join(bytes(piece.content) for piece in pieces) == content
    assert len(pieces) == file.pieces > 3
    assert findings_of(file) == ["resolves"] * 3


def spoiled(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"H,PAYOUTS", b"H,OTHERS", "not_a_settlement_file"),
        (b"\nT,", b"\nD,", "end_is_missing"),
        (b",408999,PAYOUTS00000001,2", b",408999,SOMEBODY,2", "not_about_us"),
        (b",USD\nD", b",EUR\nD", "currency"),
    ],
    ids=str,
)
def test_refuses_what_is_no_file_about_us(
    card: PaymentCard, old: bytes, new: bytes, code: str
) -> None:
    content = settlement_of([line_about(push_unknown(card))])
    with pytest.raises(SettlementRefused) as refused:
        bring(spoiled(content, old, new))
    assert refused.value.code == code
    assert not SettlementFile.objects.exists()
    assert AuditEntry.objects.filter(verb="upload", result="refused").count() == 1


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"D,credit,", b"D,kredit,", "line_unreadable"),
        (b",100.00,USD,", b",100.0,USD,", "line_unreadable"),
        (b",100.00,USD,20", b",100.00,USD,9999-99-99,20", "line_unreadable"),
        (b",100.00,USD,", b",100.01,USD,", "sums_differ"),
        (b"T,1,1,", b"T,2,1,", "sums_differ"),
        (b"\nT,", b"\nT,0,0,0.00,0,0.00\nT,", "sums_differ"),
    ],
    ids=str,
)
def test_refuses_a_file_of_which_one_line_is_wrong(
    card: PaymentCard, old: bytes, new: bytes, code: str
) -> None:
    payment = push_unknown(card)
    file = bring(spoiled(settlement_of([line_about(payment)]), old, new))
    assert (file.state, file.refusal["code"]) == ("refused", code)
    assert status_of(payment) is Status.UNKNOWN
    assert not SettlementLine.objects.exists()
    assert not SettlementPiece.objects.exists()
    # The right one can come after it.
    assert bring(settlement_of([line_about(payment)])).state == "done"


def test_refuses_a_time_that_another_file_is_about(card: PaymentCard) -> None:
    window = window_around_now()
    bring(settlement_of([line_about(push_unknown(card))], window=window))
    overlapping = Window(window.begins_at, window.ends_at + timedelta(days=1))
    with pytest.raises(SettlementRefused, match="window_overlaps"):
        bring(settlement_of([], window=overlapping, reference="S2"))


def test_refuses_a_window_that_is_not_over() -> None:
    window = window_around_now()
    with pytest.raises(SettlementRefused, match="window_is_not_over"):
        bring(settlement_of([], window=window, made_at=window.ends_at - timedelta(seconds=1)))


def test_refuses_a_window_that_is_not_over_by_our_clock(
    monkeypatch: pytest.MonkeyPatch, card: PaymentCard
) -> None:
    monkeypatch.setattr(take_settlement, "CLOCKS_APART", timedelta(minutes=5))
    window = window_around_now()
    with pytest.raises(SettlementRefused, match="window_is_not_over"):
        bring(settlement_of([line_about(push_unknown(card))], window=window))
    assert not SettlementFile.objects.exists()
    over = Window(window.begins_at, window.begins_at + timedelta(days=1))
    assert bring(settlement_of([], window=over)).state == "done"


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", range(1, 9))
def test_goes_on_after_a_death_between_any_two_pieces(
    monkeypatch: pytest.MonkeyPatch, card: PaymentCard, step: int
) -> None:
    monkeypatch.setattr(take_settlement, "PIECE_BYTES", 300)
    monkeypatch.setattr(read_settlement, "JUDGED_AT_ONCE", 2)
    payments = [push_unknown(card) for _ in range(4)]
    lines = [*map(line_about, payments), line_about(payments[0])]
    upload = FileUpload("a.csv", settlement_of(lines))
    file = take_settlement.take_settlement(upload).file
    for _ in range(step):
        # Each commits what it did, or nothing of it.
        _dies_once(monkeypatch)
        assert read_next_settlement() or act_on_next_finding()
    work_on_settlements()
    assert sorted(findings_of(file)) == ["duplicate", *["resolves"] * 4]
    assert {status_of(payment) for payment in payments} == {Status.COMPLETED}


def _dies_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next piece of work die just before it would be committed."""

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SettlementFile, "save", dies)
        patch.setattr(SettlementFinding, "save", dies)
        with contextlib.suppress(Killed):
            assert read_next_settlement() or act_on_next_finding()


def test_what_a_person_brings_waits_for_a_second_one(card: PaymentCard) -> None:
    payment = push_unknown(card)
    opal, otto = two_operators()
    file = bring(settlement_of([line_about(payment)]), by=opal)
    assert (file.state, status_of(payment)) == ("waiting", Status.UNKNOWN)
    with pytest.raises(FileByUploader):
        apply_file(SETTLEMENTS, file.pk, by=opal)
    with pytest.raises(FileDecisionNotPermitted):
        apply_file(SETTLEMENTS, file.pk, by=make_staff("vera", "viewer"))
    assert status_of(payment) is Status.UNKNOWN
    apply_file(SETTLEMENTS, file.pk, by=otto)
    work_on_settlements()
    assert status_of(payment) is Status.COMPLETED
    with pytest.raises(FileNotWaiting):
        reject_file(SETTLEMENTS, file.pk, by=otto, reason="Too late")


def test_what_would_only_open_a_case_waits_too(card: PaymentCard) -> None:
    payment = push_unknown(card)
    record_outcome(payment.pk, APPROVED)
    opal, otto = two_operators()
    file = bring(settlement_of([]), by=opal)
    assert (file.state, Case.objects.count()) == ("waiting", 0)
    assert refusal("UPDATE payouts_settlementfile SET state = 'acting'") == "PY151"
    apply_file(SETTLEMENTS, file.pk, by=otto)
    work_on_settlements()
    assert Case.objects.get().subject == str(payment.pk)


def test_what_is_simply_right_needs_one_person_only(card: PaymentCard) -> None:
    payment = push_unknown(card)
    record_outcome(payment.pk, APPROVED)
    payment.refresh_from_db()
    assert bring(settlement_of([line_about(payment)]), by=two_operators()[0]).state == "done"


def test_a_second_person_may_say_no(card: PaymentCard) -> None:
    payment = push_unknown(card)
    opal, otto = two_operators()
    file = bring(settlement_of([line_about(payment)]), by=opal)
    reject_file(SETTLEMENTS, file.pk, by=otto, reason="Not from the network")
    work_on_settlements()
    file.refresh_from_db()
    assert (file.state, file.refusal["code"]) == ("refused", "rejected")
    assert status_of(payment) is Status.UNKNOWN
    assert not SettlementLine.objects.exists()


def test_what_somebody_has_said_no_to_may_come_again(card: PaymentCard) -> None:
    payment = push_unknown(card)
    content = settlement_of([line_about(payment)])
    opal, otto = two_operators()
    reject_file(SETTLEMENTS, bring(content, by=opal).pk, by=otto, reason="By mistake")
    again = bring(content, by=opal)
    assert again.state == "waiting"
    assert bring(content, by=opal) == again
    apply_file(SETTLEMENTS, again.pk, by=otto)
    work_on_settlements()
    assert status_of(payment) is Status.COMPLETED


def test_a_viewer_brings_no_file(card: PaymentCard) -> None:
    content = settlement_of([line_about(push_unknown(card))])
    with pytest.raises(BringingNotPermitted):
        bring(content, by=make_staff("vera", "viewer"))
    assert not SettlementFile.objects.exists()


@pytest.mark.parametrize(
    ("statement", "refused_by"),
    [
        ("UPDATE payouts_settlementfile SET credited = 1", "PY150"),
        ("UPDATE payouts_settlementfile SET state = 'done'", "PY151"),
        ("UPDATE payouts_settlementfile SET state = 'acting', decided_by_id = uploaded_by_id",
         "settlement_four_eyes"),
        ("UPDATE payouts_settlementfile SET state = 'acting'", "PY151"),
        ("UPDATE payouts_settlementline SET amount = 1", "PY153"),
        ("DELETE FROM payouts_settlementline", "PY154"),
        ("DELETE FROM payouts_settlementpiece", "PY154"),
        ("UPDATE payouts_settlementpiece SET content = ''", "PY153"),
        ("DELETE FROM payouts_settlementfile", "PY001"),
    ],
)  # fmt: skip
def test_the_database_keeps_what_a_file_said(
    card: PaymentCard, statement: str, refused_by: str
) -> None:
    bring(settlement_of([line_about(push_unknown(card))]), by=two_operators()[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM payouts_settlementfile")
        assert cursor.fetchone() == ("waiting",)
    assert refusal(statement) == refused_by
