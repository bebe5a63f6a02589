"""A batch: many payments issued together from one file, and what became of every line of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from consumers.ids import new_id
from consumers.models import Consumer, Partner, PaymentCard
from payouts.models.approvals import DecisionSignature
from payouts.models.payment import Payment


class BatchState(models.TextChoices):
    """Where a batch stands. A trigger refuses every step that is not meant to be."""

    READING = "reading"  # the file is here, sealed, and was not read yet
    CHECKING = "checking"  # its lines are stored, and not all of them were judged yet
    READY = "ready"  # everything that is against any line is known; nothing is issued
    ISSUING = "issuing"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"  # its uploader took it back; what was issued before stays issued
    REFUSED = "refused"  # the file cannot be read, and nothing of it was stored


class Batch(models.Model):
    """One uploaded file. What is counted about it is in `BatchTally`, kept by the database."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=120)
    file_name = models.CharField(max_length=200)
    file_bytes = models.PositiveIntegerField()
    # SHA-256 of the file: the same file a second time is found by it.
    file_digest = models.BinaryField(max_length=32)
    # In words: what the file was taken for (`CSV, semicolons, Windows-1252`).
    read_as = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=12, choices=BatchState, default=BatchState.READING)
    # Why the file was refused: a code with what belongs to it, see `payouts.batch_files`.
    refusal = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    # Whoever works on it says so until then; a worker that died says nothing any more.
    leased_until = models.DateTimeField(null=True)
    # How often somebody has begun to read or check it; 0 again whenever one of them got through.
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BatchState.values), name="batch_known_state"
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="batch_newest"),
            models.Index(fields=["partner", "file_digest"], name="batch_by_file"),
            models.Index(fields=["state", "leased_until"], name="batch_at_work"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_ready(self) -> bool:
        return self.state == BatchState.READY

    @property
    def is_issuing(self) -> bool:
        return self.state == BatchState.ISSUING

    @property
    def is_being_looked_at(self) -> bool:
        return self.state in (BatchState.READING, BatchState.CHECKING)


class BatchFile(models.Model):
    """The uploaded bytes, sealed by the vault, from the upload until they are read. Then deleted.

    Nobody knows yet whether a card number hides in them, so they are kept like one.
    """

    batch = models.OneToOneField(
        Batch, on_delete=models.PROTECT, primary_key=True, related_name="file"
    )
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"file of {self.batch_id}"


class RowState(models.TextChoices):
    """What became of a line."""

    NEW = "new"  # not judged yet
    BAD = "bad"  # cannot be issued; `findings` say why
    GOOD = "good"
    LEFT_OUT = "left_out"  # good, and its uploader does not want it
    ISSUED = "issued"
    REFUSED = "refused"  # was good when it was checked, and could not be issued later


class BatchRow(models.Model):
    """One line of the file: the cells as given, what they mean, and the payment made of them.

    `findings` is a list of [code, is_problem, {details}]; see `payouts.batch_files.findings`.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_index=False, related_name="rows")
    line = models.PositiveIntegerField()
    cells = models.JSONField()
    state = models.CharField(max_length=8, choices=RowState, default=RowState.NEW)
    # Constraints of the payment prove that these belong together.
    consumer = models.ForeignKey(
        Consumer, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    card = models.ForeignKey(
        PaymentCard, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    fee_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    description = models.CharField(max_length=500, blank=True)
    reference = models.CharField(max_length=64, blank=True)
    metadata = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    has_warning = models.BooleanField(default=False)
    is_first_push_to_card = models.BooleanField(default=False)
    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, null=True, related_name="batch_row"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="batch_row_line_once"),
            models.CheckConstraint(
                condition=Q(state__in=RowState.values), name="batch_row_known_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[RowState.NEW, RowState.BAD])
                | Q(
                    consumer__isnull=False,
                    card__isnull=False,
                    amount__isnull=False,
                    fee_amount__isnull=False,
                ),
                name="batch_row_good_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state=RowState.ISSUED, payment__isnull=False)
                | (~Q(state=RowState.ISSUED) & Q(payment__isnull=True)),
                name="batch_row_issued_has_payment",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "state", "line"], name="batch_row_by_state"),
            models.Index(
                fields=["batch", "-payment"],
                condition=Q(payment__isnull=False),
                name="batch_row_by_payment",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}"

    @property
    def is_good(self) -> bool:
        return self.state == RowState.GOOD

    @property
    def can_be_chosen(self) -> bool:
        """Whether its uploader still says if it is issued."""
        return self.state in (RowState.GOOD, RowState.LEFT_OUT)


class BatchTally(models.Model):
    """How many lines of a batch are in a state, and their sums in dollars. Kept by a trigger."""

    pk = models.CompositePrimaryKey("batch_id", "state")
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, db_index=False, related_name="tallies"
    )
    state = models.CharField(max_length=8)
    rows = models.IntegerField(default=0)
    warned = models.IntegerField(default=0)
    amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    fee_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)

    def __str__(self) -> str:
        return f"{self.state}: {self.rows}"


class OrderKind(models.TextChoices):
    """What is to be done with each of the pushes."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"


class BatchOrder(models.Model):
    """What one person wants done with many pushes of a batch; a worker carries it out.

    `marks` name the pushes: for a decision sixteen bytes of id and the SHA-256 of what was on the
    screen about it, one after the other. `digest` is the SHA-256 of `marks`: whoever signs it has
    signed each of them. Written once (trigger), but for how far it has come.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="orders")
    kind = models.CharField(max_length=8, choices=OrderKind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    pushes = models.PositiveIntegerField()
    marks = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    # Who it was, as the audit trail says it of every single push.
    ip_address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    # What the person has shown for it: a passkey's signature, or another second factor just before.
    signature = models.ForeignKey(
        DecisionSignature, on_delete=models.PROTECT, null=True, related_name="+"
    )
    factor_shown_at = models.DateTimeField(null=True)
    # How far it is: so many of the marks are seen to, so many of them were done.
    seen_to = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    # {why: how many} of those that could not be done.
    refused = models.JSONField(default=dict)
    leased_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=OrderKind.values), name="batch_order_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(seen_to__lte=models.F("pushes"), done__lte=models.F("seen_to")),
                name="batch_order_counts",
            ),
        ]
        indexes = [
            models.Index(
                fields=["leased_until"],
                condition=Q(ended_at__isnull=True),
                name="batch_order_at_work",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pushes}"

    @property
    def digest_hex(self) -> str:
        return bytes(self.digest).hex()
