"""A payment, its one attempt at a network, its history, and the keys that make it repeatable."""

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from consumers.ids import new_id
from consumers.models import APIClient, Consumer, Partner, PaymentCard
from payouts.approvals import Source
from payouts.states import MoneyMoved, Status


class Payment(models.Model):
    """One OCT payment: one amount to one card, with one status. Staff call it a push.

    Only `version`, `status` and the columns that describe its progress ever change, and `status`
    only along `payouts.states.ALLOWED`; a trigger refuses the rest. `version` is the number of its
    newest event, so a change of status without its event cannot be committed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Rows that every payment of a partner shares are not referenced by a constraint of their own,
    # because locking them would cost creates dearly. The composite key to payment_card, made in a
    # migration, proves all three, and that the card's network and last four are what stands here.
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    consumer = models.ForeignKey(
        Consumer, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    card = models.ForeignKey(
        PaymentCard, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    # Never change for a card, and every list shows them: fifty look-ups less on a page.
    card_network = models.CharField(max_length=16, editable=False)
    card_last4 = models.CharField(max_length=4, editable=False)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    fee_amount = models.DecimalField(max_digits=12, decimal_places=2)
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Status])
    version = models.PositiveIntegerField(default=1)
    description = models.CharField(max_length=500, blank=True)
    reference = models.CharField(max_length=64, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Source])
    maker_client = models.ForeignKey(
        APIClient,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    maker_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    request_id = models.CharField(max_length=64, blank=True)
    # The database's queue: when a worker should look at this payment next; null when nobody should.
    due_at = models.DateTimeField(null=True)
    approval_expires_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=48, blank=True)
    network_code = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    # Whether the money moved, where cases say otherwise than the status: `unknown` while one is
    # open, then what people have found. Empty: as the status says. A trigger compares the two.
    moved_otherwise = models.CharField(
        max_length=7, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        verbose_name = "push"
        verbose_name_plural = "pushes"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=50_000), name="payment_amount_range"
            ),
            models.CheckConstraint(condition=Q(fee_amount__gte=0), name="payment_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="payment_known_status"
            ),
            models.CheckConstraint(
                condition=Q(source__in=[s.value for s in Source]), name="payment_known_source"
            ),
            models.CheckConstraint(
                condition=Q(maker_client__isnull=True) | Q(maker_user__isnull=True),
                name="payment_one_maker",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.FAILED.value, failure_code__gt="")
                | (~Q(status=Status.FAILED.value) & Q(failure_code="")),
                name="payment_failure_has_code",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[Status.COMPLETED.value, Status.RETURNED.value],
                    completed_at__isnull=False,
                )
                | (
                    ~Q(status__in=[Status.COMPLETED.value, Status.RETURNED.value])
                    & Q(completed_at__isnull=True)
                ),
                name="payment_completed_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.PENDING_APPROVAL.value, approval_expires_at__isnull=False)
                | ~Q(status=Status.PENDING_APPROVAL.value),
                name="payment_approval_expires",
            ),
            models.CheckConstraint(
                condition=Q(moved_otherwise__in=["", *(moved.value for moved in MoneyMoved)]),
                name="payment_known_moved",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="payment_newest"),
            models.Index(fields=["partner", "status", "-id"], name="payment_by_status"),
            models.Index(fields=["consumer", "-id"], name="payment_by_consumer"),
            models.Index(fields=["card", "-id"], name="payment_by_card"),
            models.Index(fields=["partner", "amount", "-id"], name="payment_by_amount"),
            # Few have failed, so it is small, and creates do not write it.
            models.Index(
                fields=["partner", "failure_code", "-id"],
                condition=~Q(failure_code=""),
                name="payment_by_failure",
            ),
            # By how it begins, in letters of any case. The operators work in any collation.
            models.Index(
                F("partner"),
                OpClass(Upper("reference"), name="text_pattern_ops"),
                F("id").desc(),
                condition=~Q(reference=""),
                name="payment_by_reference_start",
            ),
            models.Index(
                fields=["status", "due_at"], condition=Q(due_at__isnull=False), name="payment_due"
            ),
            # The API's pushes are nearly all, and are not in it: it costs their creates nothing.
            models.Index(
                fields=["source", "-id"],
                condition=~Q(source=Source.API.value),
                name="payment_by_source",
            ),
        ]

    def __str__(self) -> str:
        return f"push {self.id}"


class AttemptState(models.TextChoices):
    """What is known of the instruction, whatever the payment's status says."""

    SENDING = "sending"  # committed and possibly on its way
    NOT_SENT = "not_sent"  # provably no byte left; the same identity goes again
    UNKNOWN = "unknown"  # the answer was lost or unclear
    APPROVED = "approved"
    DECLINED = "declined"


class Attempt(models.Model):
    """The instruction to a card network for a payment, with the identifiers that we gave it.

    A payment has one network identity for ever, so it has one attempt; sending again counts up
    `times_sent` and never changes the identity.
    """

    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, primary_key=True, related_name="attempt"
    )
    network = models.CharField(max_length=24)
    acquiring_bin = models.CharField(max_length=11)
    retrieval_reference_number = models.CharField(max_length=12)
    trace_number = models.CharField(max_length=6)
    card_acceptor_id = models.CharField(max_length=15)
    terminal_id = models.CharField(max_length=8)
    # What else was sent, so that it is sent again word for word; empty in those of long ago.
    recipient_name = models.CharField(max_length=201, blank=True, default="", db_default="")
    expiration_month = models.PositiveSmallIntegerField(null=True)
    expiration_year = models.PositiveSmallIntegerField(null=True)
    state = models.CharField(max_length=8, choices=AttemptState, default=AttemptState.SENDING)
    times_sent = models.PositiveSmallIntegerField(default=1)
    # The inquiries by the schedule: the pauses between them grow with it.
    times_inquired = models.PositiveSmallIntegerField(default=0)
    times_not_found = models.PositiveSmallIntegerField(default=0)
    unknown_reason = models.CharField(max_length=48, blank=True)
    status_identifier = models.CharField(max_length=64, blank=True)
    network_code = models.CharField(max_length=8, blank=True)
    approval_code = models.CharField(max_length=16, blank=True)
    transaction_id = models.CharField(max_length=64, blank=True)
    answer = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    # Somebody asks the network just now, and has until then.
    asking_until = models.DateTimeField(null=True)
    # Staff wanted the network asked at once; the schedule goes on here afterwards.
    next_by_schedule_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "retrieval_reference_number",
                    "trace_number",
                    "terminal_id",
                    "acquiring_bin",
                    "network",
                ],
                name="attempt_identity_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=AttemptState.values), name="attempt_known_state"
            ),
        ]
        indexes = [models.Index(fields=["trace_number"], name="attempt_by_trace")]

    def __str__(self) -> str:
        return f"{self.network} {self.retrieval_reference_number}"


class EventKind(models.TextChoices):
    """What can happen to a payment. The part after `payment.oct.` of a webhook's name."""

    CREATED = "created"
    APPROVAL_REQUIRED = "approval_required"
    DECIDED = "decided"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELED = "canceled"
    SENT = "sent"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    INQUIRED = "inquired"
    COMPLETED = "completed"
    FAILED = "failed"
    RETURNED = "returned"
    # The network has answered after people had resolved it, and agrees.
    CONFIRMED = "confirmed"
    # It is final, and two people have booked what puts its money right.
    CORRECTED = "corrected"
    # It is final, and somebody says otherwise: nobody knows whether its money moved.
    DISPUTED = "disputed"
    # Two people have looked into that, and what stands here is right.
    UPHELD = "upheld"


class Event(models.Model):
    """One row of a payment's history: what happened, who did it, when. Append-only (trigger)."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, db_index=False, related_name="events"
    )
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=EventKind)
    from_status = models.CharField(max_length=16, blank=True)
    to_status = models.CharField(max_length=16)
    actor = models.CharField(max_length=160)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "number"], name="event_number_once"),
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="event_known_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"


class IdempotencyKey(models.Model):
    """A key that a partner used for a create, with the first answer. Kept for ever.

    `payment` is null when the first answer was a refusal.
    """

    id = models.BigAutoField(primary_key=True)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32)
    status_code = models.PositiveSmallIntegerField()
    answer = models.BinaryField()
    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, null=True, related_name="idempotency_key"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return self.key


class PaymentTally(models.Model):
    """How many payments a partner has in each status, in parts so that creates do not queue up.

    Kept by a trigger on payment; the sum over the parts is the truth, one part may be negative.
    """

    pk = models.CompositePrimaryKey("partner_id", "status", "part")
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    status = models.CharField(max_length=16)
    part = models.PositiveSmallIntegerField()
    payments = models.BigIntegerField(default=0)
    amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)

    def __str__(self) -> str:
        return f"{self.status}: {self.payments}"
