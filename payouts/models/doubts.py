"""What people settle doubts by: evidence, and cases in which two sides do not agree."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from consumers.ids import new_id
from consumers.models import Partner
from payouts.doubts import MISSING, CaseKind, CaseState, Way
from payouts.models.changes import ChangeRequest
from payouts.models.ledger import Journal
from payouts.models.payment import Payment

__all__ = ["Case", "CaseKind", "CaseState", "EvidenceFile"]


class EvidenceFile(models.Model):
    """A file that somebody resolves a payment by. Only its sealing ever changes, with the keys.

    `sealed` is under the vault's keys, `sha256` is of the file as it was uploaded.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    sealed = models.BinaryField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "evidence"
        constraints = [
            # The same file twice for the same push is the same evidence: a second click adds none.
            models.UniqueConstraint(fields=["payment", "sha256"], name="evidence_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, in hexadecimal digits."""
        return bytes(self.sha256).hex()


class Case(models.Model):
    """Two sides that do not agree, until somebody has closed it. See `payouts.doubts`.

    `subject` is what the case is about, in a form that is the same however often it is found: the
    same disagreement opens one case. `ours` and `theirs` are what each side says, for people.
    A trigger freezes what it is about; closed it stays as it is.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=24, choices=[(k.value, k.value) for k in CaseKind])
    subject = models.CharField(max_length=128)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="+")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, null=True, related_name="+")
    title = models.CharField(max_length=200)
    ours = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    # Whether the payment's money moved is what the sides do not agree about: until it is closed the
    # payment says so too (`Payment.moved_otherwise`).
    disputes = models.BooleanField(default=False, db_default=False)
    # Money at stake, in dollars.
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    state = models.CharField(
        max_length=8, choices=[(s.value, s.value) for s in CaseState], default=CaseState.OPEN
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    opened_at = models.DateTimeField()
    way = models.CharField(max_length=16, blank=True)
    closing_reason = models.CharField(max_length=500, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # The two people who closed it where money is at stake, and what was booked.
    change = models.OneToOneField(
        ChangeRequest, on_delete=models.PROTECT, null=True, related_name="+"
    )
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "case"
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="case_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="case_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(
                    state=CaseState.OPEN, closed_at__isnull=True, closed_by__isnull=True, way=""
                )
                | Q(
                    state=CaseState.CLOSED,
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                    way__in=[way.value for way in Way if way is not Way.CAME],
                    closing_reason__gt="",
                )
                | Q(
                    state=CaseState.CLOSED,
                    closed_at__isnull=False,
                    closed_by__isnull=True,
                    way=Way.CAME,
                    kind__in=sorted(MISSING),
                    closing_reason__gt="",
                ),
                name="case_closed_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(disputes=False) | Q(payment__isnull=False, amount__gt=0),
                name="case_disputes_a_payment",
            ),
            # Where money is at stake nobody closes alone.
            models.CheckConstraint(
                condition=Q(state=CaseState.OPEN, change__isnull=True, journal__isnull=True)
                | Q(change__isnull=False)
                | Q(amount=0, journal__isnull=True)
                | Q(way=Way.CAME, journal__isnull=True),
                name="case_closed_by_two",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="case_by_state"),
            models.Index(fields=["owner", "state", "id"], name="case_by_owner"),
        ]

    def __str__(self) -> str:
        return self.title
