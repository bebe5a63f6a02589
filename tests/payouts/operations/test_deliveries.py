"""Claiming deliveries, what comes of tries, parking, and replaying."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consumers.models import AuditEntry, PartnerEvent
from payouts.models import Delivery, DisabledWhy, WebhookEndpoint
from payouts.operations.deliveries import (
    AT_ONCE_TO_ONE,
    Answer,
    Parcel,
    Tried,
    lease,
    record_tries,
)
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.replay_deliveries import replay_events, replay_range
from payouts.operations.webhook_endpoints import (
    WebhookDisabled,
    disable_webhook,
    enable_webhook,
    remove_webhook,
    send_test,
)
from tests.payouts.webhooks.cast import (
    BAD,
    GOOD,
    NOTHING,
    answer,
    claim_one,
    claimed,
    make_deliveries,
    make_due,
    make_webhook,
)
from tests.pushes import make_payee, push, push_submitted
from tests.racing import race, returned

pytestmark = pytest.mark.django_db


def states(webhook: WebhookEndpoint) -> list[str]:
    rows = Delivery.objects.filter(endpoint=webhook).order_by("event")
    return list(rows.values_list("state", flat=True))


def fresh_of(parcel: Parcel) -> Delivery:
    return Delivery.objects.get(pk=parcel.delivery_id)


def fresh(row: Delivery) -> Delivery:
    return Delivery.objects.get(pk=row.pk)


class TestAddressing:
    def test_goes_to_each_endpoint_of_the_partner_that_wants_it(self) -> None:
        everything = make_webhook()
        sent = make_webhook(partner=everything.partner, types=["payment.oct.sent"])
        group = make_webhook(partner=everything.partner, types=["payment.oct.*"])
        cards = make_webhook(partner=everything.partner, types=["card.*"])
        stranger = make_webhook()
        push_submitted(make_payee(partner=everything.partner))
        follow_outbox()
        told = [len(states(one)) for one in (everything, sent, group, cards, stranger)]
        assert told == [2, 1, 2, 0, 0]

    def test_nothing_from_before_the_endpoint_was_there(self) -> None:
        card = make_payee()
        push(card)
        webhook = make_webhook(partner=card.consumer.partner)
        follow_outbox()
        assert states(webhook) == []

    def test_a_test_goes_to_its_endpoint_alone_whatever_that_wants(self) -> None:
        webhook = make_webhook(types=["card.*"])
        other = make_webhook(partner=webhook.partner)
        send_test(webhook)
        follow_outbox()
        assert (states(webhook), states(other)) == (["due"], [])


class TestClaiming:
    def test_hands_out_each_delivery_once(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        (parcel,) = claimed()
        assert (parcel.delivery_id, parcel.url) == (row.pk, webhook.url)
        assert parcel.event.type == "payment.oct.created"
        assert claimed() == []

    def test_a_sender_that_died_loses_nothing(self) -> None:
        (row,) = make_deliveries(make_webhook())
        (first,) = claimed()
        Delivery.objects.update(due_at=timezone.now() - lease())
        (second,) = claimed()
        assert second.event.id == first.event.id
        answer(first, BAD)
        assert fresh(row).state == "sending"
        answer(second, GOOD)
        assert fresh(row).state == "delivered"

    def test_an_endpoint_has_so_many_at_once_and_hides_nobody_elses(self) -> None:
        slow = make_webhook()
        make_deliveries(slow, number=AT_ONCE_TO_ONE + 5)
        other = make_webhook()
        make_deliveries(other)
        parcels = claimed(limit=100)
        assert sum(one.endpoint_id == slow.pk for one in parcels) == AT_ONCE_TO_ONE
        assert sum(one.endpoint_id == other.pk for one in parcels) == 1
        assert claimed(limit=100) == []

    def test_one_that_fails_is_claimed_apart_and_little_at_once(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook, number=5)
        answer(claimed(limit=1)[0], BAD)
        assert claimed() == []
        assert len(claimed(failing=True)) == 2

    def test_one_whose_secret_does_not_open_keeps_nobody_else(self) -> None:
        broken, whole = make_webhook(), make_webhook()
        make_deliveries(broken)
        make_deliveries(whole)
        WebhookEndpoint.objects.filter(pk=broken.pk).update(secret=b"lost|bytes")
        assert [one.endpoint_id for one in claimed()] == [whole.pk]

    def test_shows_no_secret(self) -> None:
        make_deliveries(make_webhook())
        (parcel,) = claimed()
        assert "whsec_" not in repr(parcel)

    @pytest.mark.django_db(transaction=True)
    def test_two_at_once_do_not_take_the_same(self) -> None:
        make_deliveries(make_webhook(), number=6)
        taken = returned(race([lambda: [one.delivery_id for one in claimed(limit=3)]] * 4))
        ids = [one for some in taken for one in some]
        assert len(ids) == len(set(ids))


class TestRecording:
    def test_a_good_answer_delivers(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        answer(claim_one(webhook), GOOD)
        row = fresh(row)
        assert (row.state, row.tries, row.last_status) == ("delivered", 1, 204)
        assert row.delivered_at is not None
        assert [(one["status"], one["ms"]) for one in row.log] == [(204, 12)]

    @pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 404, 429, 500])
    def test_only_2xx_is_a_good_answer(self, status: int) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        answer(claim_one(webhook), Answer(status=status))
        assert fresh(row).state == "due"

    def test_ten_tries_under_one_id_and_then_it_is_parked(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        ids = []
        for _ in range(10):
            assert fresh(row).state == "due"
            make_due()
            parcel = claim_one(webhook)
            ids.append(parcel.event.id)
            answer(parcel, BAD)
        row = fresh(row)
        assert (row.state, row.tries, len(row.log)) == ("parked", 10, 10)
        assert set(ids) == {f"evt_{parcel.event.key.hex}_1"}
        make_due()
        assert claimed(failing=True) == []
        assert row.last_answer == "Sorry"

    def test_the_first_pause_is_about_five_seconds(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        answer(claim_one(webhook), NOTHING)
        row = fresh(row)
        assert row.last_error == "timeout"
        seconds = (row.due_at - timezone.now()).total_seconds()
        assert 3.5 < seconds < 6.1

    def test_retry_after_is_honoured_for_the_whole_endpoint(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook, number=2)
        (parcel,) = claimed(limit=1)
        answer(parcel, Answer(status=429, retry_after="120"))
        assert fresh_of(parcel).due_at > timezone.now() + timedelta(seconds=110)
        assert claimed(failing=True) == []
        WebhookEndpoint.objects.update(held_until=timezone.now())
        assert len(claimed(failing=True)) == 1

    def test_recording_twice_counts_once(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        parcel = claim_one(webhook)
        for _ in range(2):
            answer(parcel, BAD)
        assert fresh(row).tries == 1

    def test_a_bundle_is_recorded_at_once(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook, number=3)
        at = timezone.now()
        good = [GOOD, BAD, GOOD]
        parcels = sorted(claimed(), key=lambda one: one.delivery_id)
        record_tries([Tried(one, two, at) for one, two in zip(parcels, good, strict=True)])
        assert sorted(states(webhook)) == ["delivered", "delivered", "due"]
        assert fresh_of(parcels[1]).state == "due"


class TestGivingUp:
    def test_410_switches_off_and_parks_and_tells_the_others(self) -> None:
        webhook = make_webhook()
        other = make_webhook(partner=webhook.partner, types=["webhook.*"])
        make_deliveries(webhook, number=3)
        answer(claimed(limit=1)[0], Answer(status=410))
        webhook.refresh_from_db()
        assert (webhook.state, webhook.disabled_why) == ("disabled", "gone")
        assert states(webhook) == ["parked"] * 3
        follow_outbox()
        assert states(other) == ["due"]
        told = PartnerEvent.objects.get(type="webhook.disabled").data
        assert told == {"id": str(webhook.pk), "url": webhook.url, "why": "gone"}
        assert AuditEntry.objects.filter(verb="disable").exists()

    def test_five_days_of_only_failures_switch_off(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook)
        answer(claim_one(webhook), BAD)
        webhook.refresh_from_db()
        assert webhook.state == "enabled"
        WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5))
        make_due()
        answer(claim_one(webhook), BAD)
        webhook.refresh_from_db()
        assert (webhook.state, webhook.disabled_why) == ("disabled", "failing")

    def test_one_good_answer_in_between_starts_the_days_anew(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook, number=2)
        WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5))
        make_due()
        first, second = claimed(failing=True)
        at = timezone.now()
        record_tries([Tried(first, GOOD, at), Tried(second, BAD, at + timedelta(seconds=1))])
        webhook.refresh_from_db()
        assert webhook.state == "enabled"
        assert webhook.failing_since == at + timedelta(seconds=1)

    def test_nothing_is_claimed_for_one_that_is_off(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook)
        disable_webhook(webhook, why=DisabledWhy.BY_PARTNER)
        assert claimed() == claimed(failing=True) == []
        assert not PartnerEvent.objects.filter(type="webhook.disabled").exists()

    def test_what_arrived_while_it_was_switched_off_has_arrived(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook)
        parcel = claim_one(webhook)
        disable_webhook(webhook, why=DisabledWhy.BY_PARTNER)
        answer(parcel, GOOD)
        assert states(webhook) == ["delivered"]

    def test_one_that_was_removed_has_no_secret_left(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook)
        remove_webhook(webhook)
        webhook.refresh_from_db()
        assert webhook.secret is None
        assert states(webhook) == ["parked"]
        assert claimed() == []


class TestReplaying:
    def test_sends_what_was_named_again_under_its_id(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        parcel = claim_one(webhook)
        answer(parcel, GOOD)
        done = replay_events(webhook, positions=[row.event_id])
        assert (done.events, done.last_position, done.has_more) == (1, row.event_id, False)
        again = claim_one(webhook)
        assert again.event.id == parcel.event.id
        assert fresh(row).tries == 0

    def test_leaves_what_is_on_its_way_to_it(self) -> None:
        webhook = make_webhook()
        (row,) = make_deliveries(webhook)
        claim_one(webhook)
        assert replay_events(webhook, positions=[row.event_id]).events == 0
        assert fresh(row).state == "sending"

    def test_a_range_sends_what_was_missed_while_it_was_off(self) -> None:
        webhook = make_webhook(types=["payment.oct.created"])
        make_deliveries(webhook)
        answer(claim_one(webhook), GOOD)
        disable_webhook(webhook, why=DisabledWhy.BY_PARTNER)
        push(make_payee(partner=webhook.partner))
        follow_outbox()
        with pytest.raises(WebhookDisabled):
            replay_range(webhook, after=0, to=99)
        assert states(webhook) == ["delivered"]
        enable_webhook(webhook)
        missed = replay_range(webhook, after=0, to=99)
        assert missed.events == 1
        assert states(webhook) == ["delivered", "due"]

    def test_a_range_may_take_in_what_has_arrived(self) -> None:
        webhook = make_webhook()
        make_deliveries(webhook, number=2)
        for parcel in claimed():
            answer(parcel, GOOD)
        assert replay_range(webhook, after=0, to=99).events == 0
        assert replay_range(webhook, after=0, to=99, delivered_too=True).events == 2

    def test_another_partners_events_are_not_sent(self) -> None:
        webhook = make_webhook()
        theirs = make_webhook()
        (row,) = make_deliveries(theirs)
        assert replay_events(webhook, positions=[row.event_id]).events == 0
        assert states(webhook) == []
