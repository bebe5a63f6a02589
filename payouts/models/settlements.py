"""What networks say that they have settled: their files, every line, and what came of it."""

from django.db import models
from django.db.models import F, Q

from payouts.models.brought_files import BroughtFile, four_eyes, known_state, taken_once
from payouts.models.doubts import Case
from payouts.models.payment import Payment
from payouts.reconciliation.settlements import NOT_COUNTED, LineOutcome


class SettlementFile(BroughtFile):
    """One file of a network."""

    network = models.CharField(max_length=24)
    # The network's own name for it; the bank's payment carries it too.
    reference = models.CharField(max_length=35)
    acquiring_bin = models.CharField(max_length=11)
    card_acceptor_id = models.CharField(max_length=15)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    made_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    # As its trailer says; money in dollars.
    lines = models.PositiveIntegerField()
    credits = models.PositiveIntegerField()
    credited = models.DecimalField(max_digits=16, decimal_places=2)
    returns = models.PositiveIntegerField()
    returned = models.DecimalField(max_digits=16, decimal_places=2)
    size_bytes = models.PositiveBigIntegerField()
    pieces = models.PositiveIntegerField()
    pieces_read = models.PositiveIntegerField(default=0)
    records_read = models.PositiveIntegerField(default=0)
    lines_matched = models.PositiveIntegerField(default=0)
    refusal = models.JSONField(default=dict)

    class Meta:
        verbose_name = "settlement file"
        constraints = [
            known_state("settlement_known_state"),
            taken_once("settlement_taken_once"),
            models.CheckConstraint(
                condition=Q(begins_at__lt=F("ends_at")), name="settlement_has_window"
            ),
            four_eyes("settlement_four_eyes"),
        ]
        indexes = [models.Index(fields=["state", "id"], name="settlement_at_work")]

    def __str__(self) -> str:
        return self.reference


class SettlementPiece(models.Model):
    """A part of a file, cut at the end of a line; in the order of their numbers they are it."""

    pk = models.CompositePrimaryKey("file_id", "number")
    file = models.ForeignKey(
        SettlementFile, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"piece {self.number}"


class SettlementLine(models.Model):
    """One line of a file, and what it is against our books: judged once, and then for ever.

    Of each payment's credits and returns one line at most counts, in all files together.
    """

    pk = models.CompositePrimaryKey("file_id", "number")
    file = models.ForeignKey(
        SettlementFile, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=6)
    acquiring_bin = models.CharField(max_length=11)
    trace_number = models.CharField(max_length=6)
    retrieval_reference_number = models.CharField(max_length=12)
    card_acceptor_id = models.CharField(max_length=15)
    terminal_id = models.CharField(max_length=8)
    transaction_id = models.CharField(max_length=18)
    status_identifier = models.CharField(max_length=18)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    settled_on = models.DateField()
    card_last4 = models.CharField(max_length=4)
    outcome = models.CharField(max_length=16, default="", db_default="")
    # No constraint: it would lock a million payments. The identity proves it.
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["", *(one.value for one in LineOutcome)]),
                name="settlement_line_known_outcome",
            ),
            models.UniqueConstraint(
                fields=["payment", "kind"],
                condition=~Q(outcome__in=[*NOT_COUNTED]),
                name="settlement_line_counts_once",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.number}"


class SettlementFinding(models.Model):
    """A line that is not simply right, or a payment without a line; what was done about it.

    `acted_at` is set once everything that follows from it is done: the payment settled or returned,
    or its case opened.
    """

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(SettlementFile, on_delete=models.PROTECT, related_name="+")
    line_number = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=16)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    acted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "line_number"], name="finding_once_per_line"),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(outcome=LineOutcome.MISSING_THERE),
                name="finding_missing_once",
            ),
        ]
        indexes = [
            models.Index(fields=["file", "outcome", "id"], name="finding_by_outcome"),
            models.Index(
                fields=["file", "id"], condition=Q(acted_at__isnull=True), name="finding_to_do"
            ),
        ]

    def __str__(self) -> str:
        return self.outcome
