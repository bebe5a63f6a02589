"""The outbox: every event once, in one order, whatever the follower is stopped by."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, connections, transaction

from consumers.models import PartnerEvent
from consumers.operations.cards import deactivate_card
from consumers.operations.consumers import register_consumer, update_consumer
from payouts.models import OutboxCursor, OutboxEvent, Payment
from payouts.operations import follow_outbox as module
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.record_outcome import record_outcome
from tests.books import execute
from tests.builders import make_partner
from tests.owner import owning
from tests.pushes import APPROVED, declined, make_payee, push, push_for_approval, push_submitted

pytestmark = pytest.mark.django_db


def followed() -> int:
    told = follow_outbox()
    assert told is not None
    return told.events


def types() -> list[str]:
    return list(OutboxEvent.objects.order_by("position").values_list("type", flat=True))


def test_puts_each_event_in_order_once() -> None:
    payment = push_submitted(make_payee())
    assert followed() == 2
    record_outcome(payment.pk, APPROVED)
    assert followed() == 1
    assert followed() == 0
    assert types() == ["payment.oct.created", "payment.oct.sent", "payment.oct.completed"]
    assert list(OutboxEvent.objects.values_list("position", flat=True).order_by("position")) == [
        1,
        2,
        3,
    ]


def test_keeps_the_order_of_a_payments_events_across_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # First past the ids that other tests have drawn from the same sequence, thousands at once.
    followed()
    monkeypatch.setattr(module, "IDS_AT_ONCE", 1)
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    assert followed() == 3
    assert types() == ["payment.oct.created", "payment.oct.sent", "payment.oct.completed"]


def test_tells_what_waits_for_people_and_not_who_was_asked() -> None:
    push_for_approval(make_payee())
    followed()
    assert types() == ["payment.oct.created", "payment.oct.approval_required"]


def test_tells_of_consumers_and_cards() -> None:
    partner = make_partner()
    consumer = register_consumer(partner.pk, pcid="ada")
    update_consumer(consumer, first_name="Ada")
    deactivate_card(make_payee(partner=partner))
    followed()
    assert types() == ["consumer.created", "consumer.updated", "card.deactivated"]
    assert set(OutboxEvent.objects.values_list("partner", flat=True)) == {partner.pk}


def test_tells_of_a_card_that_a_decline_put_out_of_use() -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, declined("14"))
    told = PartnerEvent.objects.get()
    assert (told.type, told.subject_id) == ("card.deactivated", payment.card_id)
    assert told.data["status"] == "inactive"


def test_a_change_that_is_undone_tells_nothing() -> None:
    with transaction.atomic():
        register_consumer(make_partner().pk, pcid="ada")
        transaction.set_rollback(True)
    assert not PartnerEvent.objects.exists()


def test_tells_nothing_about_a_person() -> None:
    consumer = register_consumer(
        make_partner().pk, pcid="ada", first_name="Augusta", email="ada@example.org"
    )
    told = PartnerEvent.objects.get().data
    assert told == {
        "id": str(consumer.pk),
        "pcid": "ada",
        "kyc_status": "NotStarted",
        "is_active": True,
    }


@pytest.mark.parametrize("table", ["payouts_outboxevent", "consumers_partnerevent"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET type = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_events_are_written_once(table: str, deed: str) -> None:
    register_consumer(make_partner().pk, pcid="ada")
    followed()
    with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), owning():
        execute(deed.format(table))


def test_the_cursor_goes_up_only() -> None:
    push(make_payee())
    followed()
    with pytest.raises(DatabaseError, match="goes up only"), transaction.atomic():
        OutboxCursor.objects.update(last_payment_event_id=0)


def test_an_event_has_one_place() -> None:
    push(make_payee())
    followed()
    with pytest.raises(DatabaseError, match="outbox_event_once"), transaction.atomic():
        execute(
            "INSERT INTO payouts_outboxevent"
            " (position, partner_id, type, source, source_id, created_at)"
            " SELECT position + 1, partner_id, type, source, source_id, created_at"
            " FROM payouts_outboxevent"
        )


@contextmanager
def _elsewhere() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool
        pool.submit(connections.close_all).result(5)


@pytest.mark.django_db(transaction=True)
class TestBesideWriters:
    def test_waits_for_what_was_drawn_early_and_commits_late(self) -> None:
        """Without the wait the cursor passes by the first payment's event for ever."""
        early, late = make_payee(), make_payee()
        with _elsewhere() as pool:
            connection.ensure_connection()
            with transaction.atomic():
                push(early)
                pool.submit(push, late).result(10)
                assert pool.submit(follow_outbox, patience_seconds=0.1).result(10) is not None
                assert not pool.submit(OutboxEvent.objects.exists).result(5)
        followed()
        assert OutboxEvent.objects.count() == Payment.objects.count() == 2

    def test_two_at_once_do_not_do_it_twice(self) -> None:
        for _ in range(5):
            push(make_payee())
        with ThreadPoolExecutor(4) as pool:

            def follow(_: int) -> int:
                try:
                    told = follow_outbox()
                    return 0 if told is None else told.events
                finally:
                    connections.close_all()

            told = list(pool.map(follow, range(4)))
        assert sum(told) == 5
        assert OutboxEvent.objects.count() == 5

    def test_a_follower_that_dies_leaves_nothing_half_done(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push(make_payee())
        with monkeypatch.context() as patch:
            patch.setattr(module, "_MOVE", "SELECT 1 / 0")
            with pytest.raises(DatabaseError):
                follow_outbox()
        assert not OutboxEvent.objects.exists()
        assert followed() == 1
