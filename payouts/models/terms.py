"""The terms that a partner pushes under: fees and limits, and what of the limits is used today."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from consumers.models import Partner
from payouts.limits import Scope


class FeeSchedule(models.Model):
    """What a push costs from `valid_from` on, until a later schedule of the partner begins."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="fee_schedules")
    valid_from = models.DateTimeField(db_default=Now())
    fixed = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    basis_points = models.PositiveIntegerField(default=0, help_text="100 basis points are 1 %.")
    minimum = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    maximum = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "valid_from"], name="fee_schedule_one_beginning"
            ),
            models.CheckConstraint(
                condition=Q(fixed__gte=0, minimum__gte=0, basis_points__lte=10_000),
                name="fee_schedule_range",
            ),
            models.CheckConstraint(
                condition=Q(maximum__isnull=True) | Q(maximum__gte=models.F("minimum")),
                name="fee_schedule_maximum_above_minimum",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fixed} + {self.basis_points} bp"


class Limit(models.Model):
    """An upper bound for a partner's pushes within one scope; see `payouts.limits`."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="limits")
    scope = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Scope])
    max_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    max_count = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "scope"], name="limit_once_per_scope"),
            models.CheckConstraint(
                condition=Q(scope__in=[s.value for s in Scope]), name="limit_known_scope"
            ),
            models.CheckConstraint(
                condition=Q(max_amount__isnull=False) | Q(max_count__isnull=False),
                name="limit_bounds_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope}: {self.max_amount} / {self.max_count}"


class DailyUsage(models.Model):
    """What was pushed on one UTC day by a card, a consumer or a partner (`subject_id` is its id).

    A partner's day is kept in sixteen parts, so that its concurrent pushes do not queue up; the sum
    over the parts is the truth. Parts hold six decimals, as evening them out divides by sixteen.
    Days long past are purged.
    """

    pk = models.CompositePrimaryKey("subject_id", "day", "part")
    subject_id = models.UUIDField()
    day = models.DateField()
    part = models.PositiveSmallIntegerField(default=0)
    amount = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    count = models.DecimalField(max_digits=20, decimal_places=6, default=0)

    class Meta:
        # For the purge. A push of a day's first kind adds to its end, the others do not touch it.
        indexes = [models.Index(fields=["day"], name="daily_usage_by_day")]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.day}: {self.amount}"
