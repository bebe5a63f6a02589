"""What partners are told: the order of their events, where to send them, and what became of it.

An event itself is a row of a payment's history, or one of `consumers.PartnerEvent`: written in the
transaction of the change. `OutboxEvent` gives each its place in one order, later and once.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from consumers.ids import new_id
from consumers.models import Partner


class EventSource(models.TextChoices):
    """The table in which the event was written."""

    PAYMENT = "payment"  # payouts_event
    PARTNER = "partner"  # consumers_partnerevent


class OutboxEvent(models.Model):
    """An event in the order in which partners are told.

    Positions have no gap and become visible in their order, so that whoever has read up to one has
    missed nothing. Written by `payouts.operations.follow_outbox` only, append-only (trigger).
    """

    position = models.BigIntegerField(primary_key=True)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    type = models.CharField(max_length=40)
    source = models.CharField(max_length=8, choices=EventSource)
    source_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source_id", "source"], name="outbox_event_once"),
            models.CheckConstraint(
                condition=Q(source__in=EventSource.values), name="outbox_known_source"
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "position"], name="outbox_of_partner"),
            # Nearly in the order of the table, so that pages of it are enough to know.
            BrinIndex(fields=["created_at"], name="outbox_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.type}"


class OutboxCursor(models.Model):
    """How far the sources are followed, and the last position that was given."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last_position = models.BigIntegerField(default=0)
    last_payment_event_id = models.BigIntegerField(default=0)
    last_partner_event_id = models.BigIntegerField(default=0)
    followed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="outbox_cursor_is_one"),
        ]

    def __str__(self) -> str:
        return f"position {self.last_position}"


class EndpointState(models.TextChoices):
    """Whether an endpoint is told anything."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledWhy(models.TextChoices):
    """Who or what switched an endpoint off; the last two are seen by its owner as an alarm."""

    BY_PARTNER = "by_partner"
    BY_STAFF = "by_staff"
    GONE = "gone"  # it answered 410
    FAILING = "failing"  # nothing but failures for days


class WebhookEndpoint(models.Model):
    """An address of a partner's to which its events are sent, with the secrets that sign them.

    Removing one keeps its row, without the secrets: its deliveries are history.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    # Types, or groups of them (`card.*`); empty for all.
    types = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    state = models.CharField(
        max_length=8, choices=EndpointState, default=EndpointState.ENABLED, editable=False
    )
    disabled_why = models.CharField(max_length=12, choices=DisabledWhy, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    # Sealed by the vault, each for its own column.
    secret = models.BinaryField(null=True, editable=False)
    previous_secret = models.BinaryField(null=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    # Since when nothing but failures came back; null when the last answer was a good one.
    failing_since = models.DateTimeField(null=True, editable=False)
    last_success_at = models.DateTimeField(null=True, editable=False)
    # It asked to be left alone until then (Retry-After).
    held_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "webhook"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="enabled", disabled_why="", disabled_at__isnull=True)
                | Q(state="disabled", disabled_why__gt="", disabled_at__isnull=False),
                name="webhook_disabled_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, secret__isnull=False)
                | Q(
                    removed_at__isnull=False,
                    state="disabled",
                    secret__isnull=True,
                    previous_secret__isnull=True,
                ),
                name="webhook_removed_has_no_secret",
            ),
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_until__isnull=False),
                name="webhook_previous_secret_ends",
            ),
        ]
        indexes = [
            models.Index(
                fields=["partner", "-id"],
                condition=Q(removed_at__isnull=True),
                name="webhook_of_partner",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    DUE = "due"  # to be sent at `due_at`
    SENDING = "sending"  # claimed; claimed again after `due_at` if nobody has said how it went
    DELIVERED = "delivered"
    PARKED = "parked"  # out of tries, or its endpoint is off; waits to be replayed


class Delivery(models.Model):
    """One event on its way to one endpoint, with what every try came to.

    `claim` counts how often it was taken: an outcome belongs to one of them, and a late one of an
    earlier changes nothing.
    """

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    event = models.ForeignKey(
        OutboxEvent, on_delete=models.PROTECT, db_column="position", db_index=False,
        db_constraint=False, related_name="+",
    )  # fmt: skip
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.DUE)
    claim = models.PositiveIntegerField(default=0)
    # Since it was made due; a replay begins at nought again.
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    # [{at, status, error, ms}], oldest first, of which the last few are kept.
    log = models.JSONField(default=list)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=40, blank=True)
    last_answer = models.CharField(max_length=2048, blank=True)
    last_tried_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="delivery_known_state"
            ),
        ]
        indexes = [
            # What is to be done, endpoint by endpoint: no endpoint's backlog hides another's.
            models.Index(
                fields=["endpoint", "due_at"],
                condition=Q(state__in=["due", "sending"]),
                name="delivery_due",
            ),
            models.Index(
                fields=["endpoint"], condition=Q(state="sending"), name="delivery_sending"
            ),
            models.Index(
                fields=["endpoint", "-event"],
                condition=Q(state="parked"),
                name="delivery_parked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}: {self.state}"

    @property
    def is_due(self) -> bool:
        return self.state == DeliveryState.DUE

    @property
    def is_sending(self) -> bool:
        return self.state == DeliveryState.SENDING
