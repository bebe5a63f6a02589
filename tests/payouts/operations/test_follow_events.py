"""The follower: every event once, whatever it is stopped by, and the sums that come of it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from payouts.models import Event, Payment, PushRollup, RollupCursor
from payouts.operations import follow_events as module
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.follow_events import follow_events, rebuild_rollups
from payouts.operations.link_audit import link_audit_trail
from payouts.operations.record_outcome import record_outcome
from tests.books import execute
from tests.decisions import reject_payment
from tests.payouts.rollups.books import broken, kept, link_and_follow, quarter_of, true
from tests.pushes import (
    APPROVED,
    CLIENT,
    declined,
    digest_of,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
)

pytestmark = pytest.mark.django_db


def some_of_everything() -> None:
    """Payments of two partners at every stop."""
    card, other = make_payee(), make_payee()
    push_unknown(make_payee())
    record_outcome(push_submitted(make_payee()).pk, APPROVED)
    record_outcome(push_submitted(card, amount="12.34").pk, declined("05"))
    push(card)
    payment = push_for_approval(other)
    reject_payment(payment.pk, by=make_staff("rita", "approver"), digest=digest_of(payment))


def test_counts_each_payment_once_where_it_stands() -> None:
    some_of_everything()
    link_and_follow()
    assert kept() == true()
    assert broken() == []


def test_keeps_amounts_fees_reasons_and_the_keys_quarter() -> None:
    payment = push_submitted(make_payee(), amount="12.34")
    record_outcome(payment.pk, declined("05"))
    link_and_follow()
    row = PushRollup.objects.get()
    assert (row.status, row.failure_code) == ("failed", "do_not_honor")
    assert (row.amount, row.fees) == (Decimal("12.34"), payment.fee_amount)
    assert row.began_at == quarter_of(payment.pk)
    assert row.pace == 0


def test_keeps_how_long_it_took_to_be_paid() -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    execute(
        "UPDATE payouts_payment SET completed_at = created_at + interval '3 seconds'"
        f" WHERE id = '{payment.pk}'"
    )
    link_and_follow()
    # 4 * log2(3000) = 46.2
    assert PushRollup.objects.get().pace == 47


def test_moves_what_moves_and_leaves_no_empty_rows() -> None:
    payment = push_submitted(make_payee())
    link_and_follow()
    assert kept() == Counter(submitted=1)
    record_outcome(payment.pk, APPROVED)
    link_and_follow()
    assert PushRollup.objects.values_list("status", flat=True).get() == "completed"


def test_nothing_is_counted_twice_or_before_it_is_linked() -> None:
    push(make_payee())
    unlinked = follow_events()
    assert unlinked is not None
    assert (unlinked.events, kept()) == (0, Counter())
    link_and_follow()
    again = follow_events()
    assert again is not None
    assert (again.events, kept()) == (0, Counter(pending=1))


def test_goes_on_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVENTS_AT_ONCE", 2)
    some_of_everything()
    link_and_follow()
    assert kept() == true()
    assert broken() == []


def test_a_run_that_dies_between_pieces_leaves_whole_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVENTS_AT_ONCE", 2)
    some_of_everything()
    link_audit_trail()
    assert module._follow_some() is not None
    assert broken() == []
    cursor = RollupCursor.objects.get()
    assert cursor.last_event_id == sorted(Event.objects.values_list("pk", flat=True))[1]
    follow_events()
    assert kept() == true()


def test_a_piece_that_dies_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    push(make_payee())
    link_audit_trail()

    def die(_last_event_id: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(module, "_move_cursor", die)
    with pytest.raises(RuntimeError):
        follow_events()
    assert kept() == Counter()


def test_rebuilds_what_somebody_spoilt() -> None:
    some_of_everything()
    link_and_follow()
    execute("UPDATE payouts_pushrollup SET amount = amount + 1")
    execute("DELETE FROM payouts_partnerrollup")
    assert len(broken()) > 1
    assert rebuild_rollups() == Payment.objects.count()
    assert kept() == true()
    assert broken() == []


def test_rebuilding_leaves_to_the_follower_what_is_not_linked() -> None:
    payment = push(make_payee())
    link_audit_trail()
    cancel_payment(payment, actor=CLIENT)
    push(make_payee())
    assert rebuild_rollups() == 1
    assert kept() == Counter(pending=1)
    assert broken() == []
    link_and_follow()
    assert kept() == Counter(canceled=1, pending=1)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE payouts_pushrollup SET payments = payments + 1",
        "UPDATE payouts_pushrollup SET fees = fees + 0.01",
        "UPDATE payouts_pushrollup SET status = 'canceled'",
        "DELETE FROM payouts_pushrollup",
        "UPDATE payouts_partnerrollup SET amount = amount - 0.01",
        "UPDATE payouts_partnerrollup SET day = day + 1",
        "UPDATE payouts_rollupcursor SET last_event_id = 0",
    ],
)
def test_the_check_finds_what_is_wrong(spoil: str) -> None:
    push(make_payee())
    link_and_follow()
    assert broken() == []
    execute(spoil)
    assert broken() != []


@pytest.mark.django_db(transaction=True)
def test_a_second_follower_leaves_it_to_the_first() -> None:
    link_and_follow()
    push(make_payee())
    link_audit_trail()

    def follow() -> object:
        try:
            return follow_events()
        finally:
            connection.close()

    with transaction.atomic():
        module._lock_cursor()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(follow).result(10) is None
    assert kept() == Counter()
    link_and_follow()
    assert kept() == true()
