"""What networks post by themselves: stored first, believed if it is signed, used in a worker."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from consumers.models import AuditEntry, PaymentCard
from consumers.vault import TextUnreadable
from payouts.api import notification_views
from payouts.doubts import CaseKind, Way
from payouts.models import Case, Event, NetworkNotification, Payment
from payouts.networks.base import Outcome
from payouts.operations import take_notification, use_notifications
from payouts.operations.cases import ways_of
from payouts.operations.record_outcome import record_outcome
from payouts.operations.replay_notification import (
    NotSetAside,
    ReplayNotPermitted,
    replay_notification,
)
from payouts.operations.take_notification import body_of, forget_forged_notifications
from payouts.operations.use_notifications import MOST_TRIES, claim_notifications
from payouts.states import Status
from payouts.work.notification_work import use_waiting_notifications
from tests.books import assert_books_are_right, execute, journals, refusal
from tests.conftest import Bell
from tests.doubts import the_case
from tests.notices import ADDRESS, notice, post, told
from tests.owner import forced
from tests.payouts.operations.conftest import Clock
from tests.pushes import (
    APPROVED,
    declined,
    fresh,
    history,
    make_staff,
    push,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown(card: PaymentCard) -> Payment:
    return push_unknown(card)


@pytest.mark.parametrize(("code", "status"), [("00", Status.COMPLETED), ("05", Status.FAILED)])
def test_a_signed_one_settles_what_is_in_doubt(unknown: Payment, code: str, status: Status) -> None:
    row = told(notice(unknown, actionCode=code))
    assert status_of(unknown) is status
    assert (row.came_to, row.payment, row.is_genuine) == ("settled", unknown, True)
    assert Event.objects.filter(payment=unknown).latest("number").actor == "network:sandbox"
    assert_books_are_right()


def test_it_is_stored_and_rung_for_before_anything_is_made_of_it(
    unknown: Payment, bell: Bell, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert post(notice(unknown)) == 200
    row = NetworkNotification.objects.get()
    assert (row.used_at, row.came_to) == (None, "")
    assert body_of(row) == notice(unknown)
    assert status_of(unknown) is Status.UNKNOWN
    assert bell.rings_for_notifications == 1


def test_it_may_overtake_the_answer(card: PaymentCard) -> None:
    payment = push_submitted(card)
    told(notice(payment))
    assert record_outcome(payment.pk, APPROVED) is Status.COMPLETED
    assert history(payment) == ["created", "sent", "completed"]


def test_the_same_again_is_counted_and_changes_nothing(unknown: Payment) -> None:
    for _ in range(3):
        told(notice(unknown))
    assert history(unknown).count("completed") == 1
    assert NetworkNotification.objects.get().times_received == 3


@pytest.mark.parametrize("kind", ["DECISION", "IN_PROGRESS"])
def test_what_is_known_or_out_of_order_changes_nothing(unknown: Payment, kind: str) -> None:
    told(notice(unknown))
    version = fresh(unknown).version
    row = told(notice(unknown, kind, another="copy"))
    assert (row.came_to, fresh(unknown).version) == ("nothing", version)
    assert not Case.objects.exists()


def test_what_contradicts_opens_a_case(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    assert told(notice(payment)).came_to == "case"
    assert status_of(payment) is Status.FAILED
    assert (the_case().payment, fresh(payment).moved_otherwise) == (payment, "unknown")


@pytest.mark.parametrize("make", [push_submitted, push_unknown])
def test_a_return_comes_back(card: PaymentCard, make: Any) -> None:
    payment = make(card)
    assert told(notice(payment, "RETURN", returnReference="RET1")).came_to == "settled"
    assert status_of(payment) is Status.RETURNED
    assert_books_are_right()


def test_a_return_of_another_amount_is_a_case(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED)
    row = told(notice(payment, "RETURN", returnReference="RET1", amount="40.00"))
    assert (row.came_to, status_of(payment)) == ("case", Status.COMPLETED)
    assert the_case(CaseKind.RETURN_DIFFERS).amount == 40


def _due_later(payment: Payment) -> None:
    Payment.objects.filter(pk=payment.pk).update(due_at=timezone.now() + timedelta(hours=6))


@pytest.mark.parametrize("kind", ["DECISION", "RETURN"])
def test_what_nobody_has_signed_only_has_the_network_asked(unknown: Payment, kind: str) -> None:
    _due_later(unknown)
    row = told(notice(unknown, kind, returnReference="RET1"), key="a stranger's")
    assert (row.is_genuine, row.came_to) == (False, "asked")
    assert status_of(unknown) is Status.UNKNOWN
    due_at = fresh(unknown).due_at
    assert due_at is not None
    assert due_at <= timezone.now()


def test_what_was_signed_long_ago_is_as_good_as_unsigned(unknown: Payment) -> None:
    _due_later(unknown)
    row = told(notice(unknown), at=timezone.now() - timedelta(minutes=6))
    assert (row.came_to, status_of(unknown)) == ("asked", Status.UNKNOWN)


@pytest.mark.parametrize("amount", ["9.99", 9.99, "9.990", None])
def test_a_decision_about_another_amount_is_not_believed(unknown: Payment, amount: Any) -> None:
    _due_later(unknown)
    assert told(notice(unknown, amount=amount)).came_to == "asked"
    assert status_of(unknown) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "code", "at_stake", "moved"),
    [(APPROVED, "00", "9.99", ""), (APPROVED, "05", "9.99", "unknown"),
     (declined("05"), "00", "9.99", "unknown"), (declined("05"), "05", "0", "")],
)  # fmt: skip
def test_a_decision_about_another_amount_of_what_is_final_is_a_case_once(
    card: PaymentCard, answer: Outcome, code: str, at_stake: str, moved: str
) -> None:
    payment = push_submitted(card)
    status = record_outcome(payment.pk, answer)
    before = journals(payment)
    came = [told(notice(payment, actionCode=code, amount="9.99", copy=n)).came_to for n in range(2)]
    assert came == ["case", "not_believed"]
    case = the_case()
    assert (case.amount, case.theirs["amount"]) == (Decimal(at_stake), "9.99")
    assert (status_of(payment), fresh(payment).moved_otherwise) == (status, moved)
    assert journals(payment) == before
    # What would be booked is the push's amount, which the network did not speak of as paid.
    assert (Way.GIVE_BACK in ways_of(case, status)) is (answer is APPROVED and code == "05")
    assert Way.CHARGE_PARTNER not in ways_of(case, status)
    assert_books_are_right()


def test_what_nobody_has_signed_touches_nothing_that_is_final(card: PaymentCard) -> None:
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    version = fresh(payment).version
    for amount in ("9.99", f"{payment.amount:.2f}"):
        row = told(notice(payment, amount=amount), key="a stranger's")
        assert row.came_to == "not_believed"
    assert fresh(payment).version == version
    assert not Case.objects.exists()


def test_an_instruction_that_we_never_gave_is_a_case_if_money_moved(unknown: Payment) -> None:
    other = {"retrievalReferenceNumber": "999999999999"}
    assert told(notice(unknown, actionCode="05", **other)).came_to == "not_ours"
    assert told(notice(unknown, **other), key="a stranger's").came_to == "not_ours"
    assert not Case.objects.exists()
    assert told(notice(unknown, **other)).came_to == "not_ours"
    assert the_case(CaseKind.UNKNOWN_INSTRUCTION).amount == unknown.amount
    assert status_of(unknown) is Status.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"[]", b"{}", b"\xff\x00", b'{"notificationType": "DECISION"}',
     b'{"acquiringBin": "408999\\u0000"}'],
)  # fmt: skip
def test_what_nobody_can_read_is_kept(body: bytes) -> None:
    row = told(body)
    assert (row.meaning, row.came_to, body_of(row)) == ("unreadable", "nothing", body)


@pytest.mark.parametrize("code", ["94", "10", "", None])
def test_what_is_not_definite_settles_nothing(unknown: Payment, code: str | None) -> None:
    told(notice(unknown, actionCode=code))
    assert status_of(unknown) is Status.UNKNOWN


@pytest.fixture
def poisonous(monkeypatch: pytest.MonkeyPatch) -> Callable[[Payment, Exception], None]:
    """Let whoever reads what was told about a payment fail of it."""

    def poison(payment: Payment, error: Exception) -> None:
        def body(row: NetworkNotification) -> bytes:
            told = body_of(row)
            if json.loads(told)["amount"] == f"{payment.amount:.2f}":
                raise error
            return told

        monkeypatch.setattr(use_notifications, "body_of", body)

    return poison


@pytest.fixture
def both(card: PaymentCard) -> tuple[Payment, Payment]:
    """Two payments, of which the network has told, one after the other."""
    first, second = push_submitted(card), push_submitted(card, amount="7.00")
    post(notice(first))
    post(notice(second))
    return first, second


def statuses(*payments: Payment) -> list[Status]:
    return [status_of(payment) for payment in payments]


def test_one_that_cannot_be_used_yet_keeps_no_other_from_being_used(
    both: tuple[Payment, Payment],
    poisonous: Callable[[Payment, Exception], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poisonous(both[0], TextUnreadable("its key is gone"))
    assert use_waiting_notifications() == 2
    assert statuses(*both) == [Status.SUBMITTED, Status.COMPLETED]
    monkeypatch.setattr(use_notifications, "body_of", body_of)
    NetworkNotification.objects.filter(used_at=None).update(due_at=timezone.now())
    use_waiting_notifications()
    assert statuses(*both) == [Status.COMPLETED] * 2


def test_an_error_that_nobody_foresaw_is_seen_and_keeps_no_other_for_long(
    both: tuple[Payment, Payment],
    poisonous: Callable[[Payment, Exception], None],
    clock: Clock,
    bell: Bell,
    django_capture_on_commit_callbacks: Any,
) -> None:
    poisonous(both[0], ZeroDivisionError())
    with pytest.raises(ZeroDivisionError), django_capture_on_commit_callbacks(execute=True):
        use_waiting_notifications()
    assert statuses(*both) == [Status.SUBMITTED] * 2
    assert bell.rings_for_notifications == 1
    clock.set(timezone.now() + timedelta(minutes=1))
    with pytest.raises(ZeroDivisionError):
        use_waiting_notifications()
    use_waiting_notifications()
    assert statuses(*both) == [Status.SUBMITTED, Status.COMPLETED]


@pytest.fixture
def nobody_can_use_it(unknown: Payment, monkeypatch: pytest.MonkeyPatch) -> NetworkNotification:
    """Posted, and every try to use it fails."""

    def fails(row: NetworkNotification) -> bytes:
        raise TextUnreadable("its key is gone")

    monkeypatch.setattr(use_notifications, "body_of", fails)
    post(notice(unknown))
    return NetworkNotification.objects.get()


def _try_until_nobody_does(clock: Clock) -> list[timedelta]:
    """Let workers look whenever it is due; return the pauses between the looks."""
    pauses = []
    while (due_at := NetworkNotification.objects.get().due_at) is not None:
        assert due_at is not None
        pauses.append(due_at - timezone.now())
        clock.set(due_at)
        use_waiting_notifications()
        assert len(pauses) <= MOST_TRIES
    return pauses


MINUTES = [0, 1, 2, 10, 60, 360, 1440]


def test_what_cannot_be_used_is_tried_ever_more_seldom_and_then_set_aside(
    nobody_can_use_it: NetworkNotification, unknown: Payment, clock: Clock
) -> None:
    clock.set(nobody_can_use_it.received_at)
    assert _try_until_nobody_does(clock) == [timedelta(minutes=each) for each in MINUTES]
    row = NetworkNotification.objects.get()
    assert (row.tries, row.problem, row.set_aside_at) == (7, "TextUnreadable", timezone.now())
    assert (use_waiting_notifications(), status_of(unknown)) == (0, Status.UNKNOWN)


def test_what_kills_its_workers_is_set_aside_too(unknown: Payment, clock: Clock) -> None:
    post(notice(unknown))
    for _ in MINUTES:
        due_at = NetworkNotification.objects.get().due_at
        assert due_at is not None
        clock.set(due_at)
        assert len(claim_notifications(limit=9)) == 1
    clock.set(timezone.now() + timedelta(minutes=1))
    assert claim_notifications(limit=9) == []
    row = NetworkNotification.objects.get()
    assert (row.due_at, row.tries, row.problem) == (None, 7, "its worker died")


def test_what_was_set_aside_is_used_when_somebody_says_so(
    nobody_can_use_it: NetworkNotification, unknown: Payment, clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _try_until_nobody_does(clock)
    monkeypatch.setattr(use_notifications, "body_of", body_of)
    with pytest.raises(ReplayNotPermitted):
        replay_notification(nobody_can_use_it.pk, by=make_staff("vic", "auditor"))
    assert use_waiting_notifications() == 0
    otto = make_staff("otto", "operations")
    replay_notification(nobody_can_use_it.pk, by=otto)
    assert use_waiting_notifications() == 1
    assert status_of(unknown) is Status.COMPLETED
    with pytest.raises(NotSetAside):
        replay_notification(nobody_can_use_it.pk, by=otto)
    entries = AuditEntry.objects.filter(verb="replay").order_by("pk")
    assert [entry.result for entry in entries] == ["refused", "done", "refused"]
    assert_books_are_right()


# What anybody may post


def test_what_cannot_be_taken_is_a_problem_and_not_stored(unknown: Payment) -> None:
    too_much = notice(unknown, padding="x" * 16_384)
    answers = [
        Client().post(ADDRESS, too_much, "application/json"),
        Client().post("/networks/elsewhere/notifications/", b"x", "text/plain"),
        Client().post("/networks/elsewhere/", b"x", "text/plain"),
        Client().get(ADDRESS),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (413, "body_too_large"),
        (404, "not_found"),
        (404, "not_found"),
        (405, "method_not_allowed"),
    ]
    assert {one.headers["Content-Type"] for one in answers} == {"application/problem+json"}
    assert not NetworkNotification.objects.exists()


def test_the_network_hears_that_the_database_is_away(
    unknown: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(notification_views, "take_notification", is_away)
    answer = Client(raise_request_exception=False).post(ADDRESS, b"{}", "application/json")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_a_flood_of_unsigned_ones_is_bounded_and_hides_no_signed_one(
    unknown: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_notification, "FORGED_AN_HOUR", 3)
    answers = [post(notice(unknown, number=n), key="x") for n in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert told(notice(unknown)).came_to == "settled"
    assert NetworkNotification.objects.filter(is_genuine=False).count() == 3


def test_only_the_beginning_of_an_unsigned_one_is_kept(unknown: Payment) -> None:
    row = told(notice(unknown, padding="4111111111111111" * 400), key="x")
    assert (len(body_of(row)), row.size_bytes > 6400) == (4096, True)
    assert b"4111" not in bytes(row.sealed)


def test_unsigned_ones_are_forgotten_after_a_week(unknown: Payment) -> None:
    told(notice(unknown), key="x")
    told(notice(unknown))
    assert refusal("DELETE FROM payouts_networknotification") == "PY152"
    forced("UPDATE payouts_networknotification SET received_at = now() - interval '8 days'")
    assert forget_forged_notifications() == 1
    assert NetworkNotification.objects.get().is_genuine


@pytest.mark.parametrize(
    "column", ["is_genuine = FALSE", "received_at = now()", "sha256 = 'x'", "times_received = 0"]
)
def test_what_came_is_frozen(unknown: Payment, column: str) -> None:
    told(notice(unknown))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert refusal(f"UPDATE payouts_networknotification SET {column}") == "PY150"
    assert refusal("UPDATE payouts_networknotification SET came_to = 'case'") == "PY151"


def test_a_push_that_was_never_sent_has_no_identity(card: PaymentCard) -> None:
    sent, waiting = push_submitted(card), push(card, amount="7.00")
    told(notice(sent))
    assert status_of(waiting) is Status.PENDING
