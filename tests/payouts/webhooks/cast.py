"""Builders for tests about webhooks."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from consumers.models import Partner
from payouts.models import Delivery, WebhookEndpoint
from payouts.operations.deliveries import (
    Answer,
    Parcel,
    Tried,
    claim_deliveries,
    record_tries,
)
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.webhook_endpoints import add_webhook
from tests.pushes import make_funded_partner, make_payee, push

URL = "https://hooks.test-partner.com/payouts"

GOOD = Answer(status=204, milliseconds=12)
BAD = Answer(status=500, milliseconds=12, text="Sorry")
NOTHING = Answer(error="timeout", milliseconds=15_000)


def make_webhook(*, partner: Partner | None = None, **members: Any) -> WebhookEndpoint:
    """An endpoint that is switched on; `members` are arguments of `add_webhook`."""
    made = {"url": URL, **members}
    return add_webhook((partner or make_funded_partner()).pk, **made).endpoint


def make_deliveries(webhook: WebhookEndpoint, *, number: int = 1) -> list[Delivery]:
    """So many payments of its partner, and what is to be delivered because of them."""
    card = make_payee(partner=webhook.partner)
    for _ in range(number):
        push(card, amount="5.00")
    follow_outbox()
    return list(Delivery.objects.filter(endpoint=webhook).order_by("event"))


def claimed(*, limit: int = 50, failing: bool = False) -> list[Parcel]:
    return claim_deliveries(limit=limit, failing=failing)


def answer(parcel: Parcel, with_answer: Answer) -> None:
    record_tries([Tried(parcel, with_answer, timezone.now())])


def make_due() -> None:
    """Let every pause be over, and nobody wish for another."""
    Delivery.objects.filter(state__in=["due", "sending"]).update(
        due_at=timezone.now() - timedelta(seconds=1)
    )
    WebhookEndpoint.objects.update(held_until=None)


def claim_one(webhook: WebhookEndpoint) -> Parcel:
    """The one delivery that is due to the endpoint, however that is doing."""
    webhook.refresh_from_db()
    (parcel,) = claimed(failing=webhook.failing_since is not None)
    return parcel
