"""What networks post to us by themselves, as it came, and what came of it."""

from django.db import models
from django.db.models import Q

from consumers.ids import new_id
from payouts.models.payment import Payment


class Meaning(models.TextChoices):
    """What a notification says."""

    PAID = "paid"
    NOT_PAID = "not_paid"
    IN_PROGRESS = "in_progress"
    RETURNED = "returned"
    UNREADABLE = "unreadable"


class CameTo(models.TextChoices):
    """What a notification has changed."""

    SETTLED = "settled"
    # Known already, out of its order, or nothing definite.
    NOTHING = "nothing"
    # It contradicts what is final.
    CASE = "case"
    # Nobody can vouch for it, so the network was asked; or there was nothing in doubt to ask about.
    ASKED = "asked"
    NOT_BELIEVED = "not_believed"
    # No instruction of ours has this identity.
    NOT_OURS = "not_ours"


class NetworkNotification(models.Model):
    """One notification, stored before anything is made of it. A trigger freezes what came.

    `sealed` is the body under the vault's keys, or its beginning if it is not genuine; `sha256` is
    of the whole body. The same body again is the same notification, and is only counted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    network = models.CharField(max_length=24)
    # Signed by the network when it came.
    is_genuine = models.BooleanField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    sealed = models.BinaryField()
    received_at = models.DateTimeField()
    times_received = models.PositiveIntegerField(default=1)
    # When a worker should look at it next; null once it is used, or set aside.
    due_at = models.DateTimeField(null=True)
    # Since it was stored, or since somebody had it used again.
    tries = models.PositiveIntegerField(default=0)
    # So often it could not be used that nobody tries any more, until somebody says so.
    set_aside_at = models.DateTimeField(null=True)
    # The kind of error of the last try that failed. No text of it, which may say what was posted.
    problem = models.CharField(max_length=80, blank=True, default="", db_default="")
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    meaning = models.CharField(max_length=12, choices=Meaning, blank=True)
    came_to = models.CharField(max_length=12, choices=CameTo, blank=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sha256", "network", "is_genuine"], name="notification_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    used_at__isnull=True,
                    due_at__isnull=False,
                    set_aside_at__isnull=True,
                    meaning="",
                    came_to="",
                )
                | Q(
                    used_at__isnull=True,
                    due_at__isnull=True,
                    set_aside_at__isnull=False,
                    meaning="",
                    came_to="",
                )
                | Q(
                    used_at__isnull=False,
                    due_at__isnull=True,
                    set_aside_at__isnull=True,
                    meaning__in=Meaning.values,
                    came_to__in=CameTo.values,
                ),
                name="notification_used_has_result",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="notification_due"
            ),
            models.Index(
                fields=["payment", "id"],
                condition=Q(payment__isnull=False),
                name="notification_of_payment",
            ),
            models.Index(
                fields=["received_at"],
                condition=Q(is_genuine=False),
                name="notification_forged",
            ),
            models.Index(
                fields=["-id"],
                condition=Q(set_aside_at__isnull=False),
                name="notification_set_aside",
            ),
        ]

    def __str__(self) -> str:
        return f"notification of {self.network}"
