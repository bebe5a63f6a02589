"""Sums over payments that screens read instead of the payments. Derived: all of it can be rebuilt.

Each payment counts once, under the status that it has now and the time that its key was made.
Written by `payouts.operations.follow_events` only; `payouts.rollups` says what must be in them.
"""

from django.db import models

from consumers.models import Partner


class PushRollup(models.Model):
    """Payments of all partners that were asked for in one quarter of an hour, by their outcome.

    Quarters are those of UTC: a day of any zone on earth begins at one. `pace` is the step of the
    ladder of `payouts.rollups.paces` that tells how long a paid one took, 0 for one that is not
    paid.
    """

    pk = models.CompositePrimaryKey("began_at", "status", "failure_code", "pace")
    began_at = models.DateTimeField()
    status = models.CharField(max_length=16)
    failure_code = models.CharField(max_length=48, blank=True)
    pace = models.PositiveSmallIntegerField(default=0)
    payments = models.BigIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    fees = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        indexes = [
            # What has been emptied is swept away; mostly this holds nothing.
            models.Index(
                fields=["began_at"], condition=models.Q(payments=0), name="push_rollup_emptied"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M} {self.status}: {self.payments}"


class PartnerRollup(models.Model):
    """Payments of one partner that were asked for on one day in UTC, by status."""

    pk = models.CompositePrimaryKey("day", "partner_id", "status")
    day = models.DateField()
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    status = models.CharField(max_length=16)
    payments = models.BigIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    fees = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        indexes = [
            models.Index(
                fields=["day"], condition=models.Q(payments=0), name="partner_rollup_emptied"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.status}: {self.payments}"


class RollupCursor(models.Model):
    """How far the events are counted: those up to here are in the rollups, the others are not."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last_event_id = models.BigIntegerField(default=0)
    followed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="rollup_cursor_is_one"),
        ]

    def __str__(self) -> str:
        return f"event {self.last_event_id}"
