"""What was delivered long ago is forgotten, what was not is not, and nothing goes out anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payouts.models import Delivery, OutboxEvent
from payouts.operations.purge_deliveries import purge_deliveries
from payouts.operations.replay_deliveries import newest_position, replay_range
from tests.owner import forced
from tests.payouts.webhooks.cast import GOOD, answer, claimed, make_deliveries, make_webhook

pytestmark = pytest.mark.django_db


def _ages(days: int) -> None:
    """Let so many days go by."""
    back = timedelta(days=days)
    for row in Delivery.objects.all():
        row.due_at -= back
        row.delivered_at = row.delivered_at and row.delivered_at - back
        row.save()
    forced("UPDATE payouts_outboxevent SET created_at = created_at - %s", back)


def test_forgets_what_was_delivered_and_keeps_the_rest() -> None:
    webhook = make_webhook()
    first, second, third = make_deliveries(webhook, number=3)
    answer(next(one for one in claimed() if one.delivery_id == first.pk), GOOD)
    Delivery.objects.filter(pk=second.pk).update(state="parked")
    _ages(91)
    assert purge_deliveries(limit=100) == 1
    assert list(Delivery.objects.order_by("pk")) == [second, third]
    assert OutboxEvent.objects.count() == 3


def test_keeps_what_was_delivered_lately() -> None:
    webhook = make_webhook()
    make_deliveries(webhook)
    answer(claimed()[0], GOOD)
    _ages(89)
    assert purge_deliveries(limit=100) == 0


def test_what_was_forgotten_is_not_taken_for_what_never_arrived() -> None:
    webhook = make_webhook()
    delivered, parked = make_deliveries(webhook, number=2)
    answer(next(one for one in claimed() if one.delivery_id == delivered.pk), GOOD)
    Delivery.objects.filter(pk=parked.pk).update(state="parked", last_tried_at=timezone.now())
    _ages(91)
    purge_deliveries(limit=100)
    assert replay_range(webhook, after=0, to=newest_position()).events == 1
    assert replay_range(webhook, after=0, to=newest_position(), delivered_too=True).events == 1
    assert Delivery.objects.count() == 2
