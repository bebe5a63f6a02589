"""What our bank says: its statements, every entry on them, and what came of it."""

from django.db import models
from django.db.models import F, Q

from payouts.models.brought_files import BroughtFile, four_eyes, known_state, taken_once
from payouts.models.changes import ChangeRequest
from payouts.models.doubts import Case
from payouts.models.ledger import Journal
from payouts.models.settlements import SettlementFile
from payouts.reconciliation.bank_statements import BOOKED, EntryOutcome


class StatementFile(BroughtFile):
    """One file of a bank, with one statement or several.

    `problems` are all that was wrong: where, a code, what stands there.
    """

    format = models.CharField(max_length=8)
    size_bytes = models.PositiveIntegerField()
    # Times that somebody began to read it: whoever dies of it does not begin for ever.
    tries = models.PositiveSmallIntegerField(default=0)
    entries = models.PositiveIntegerField(default=0)
    entries_matched = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)

    class Meta:
        verbose_name = "bank statement"
        constraints = [
            known_state("statement_known_state"),
            taken_once("statement_file_once"),
            four_eyes("statement_four_eyes"),
        ]
        indexes = [models.Index(fields=["state", "id"], name="statement_at_work")]


class StatementContent(models.Model):
    """The file itself, apart from what lists read."""

    file = models.OneToOneField(
        StatementFile, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"content of {self.file_id}"


class BankStatement(models.Model):
    """What the bank says of one account from one day to another. Append-only while its file counts.

    Statements of an account lie one after the other: each opens with what the one before closed
    with.
    """

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="statements")
    reference = models.CharField(max_length=35)
    account = models.CharField(max_length=35)
    currency = models.CharField(max_length=3)
    opens_on = models.DateField()
    closes_on = models.DateField()
    opening = models.DecimalField(max_digits=17, decimal_places=2)
    closing = models.DecimalField(max_digits=17, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "closes_on"], name="statement_of_day_once"),
            models.CheckConstraint(
                condition=Q(opens_on__lte=F("closes_on")), name="statement_has_period"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class BankEntry(models.Model):
    """One booked movement of an account; `amount` is above zero if money came.

    Judged once; booked in the transaction that sets `acted_at`, with its journal.
    """

    id = models.BigAutoField(primary_key=True)
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="entries")
    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="+")
    # In the file, from 1.
    number = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    booked_on = models.DateField()
    bank_reference = models.CharField(max_length=35, blank=True)
    text = models.CharField(max_length=2000, blank=True)
    outcome = models.CharField(max_length=18, default="", db_default="")
    # What two people have booked of a partner's money. Each counts once, on all statements.
    funding = models.OneToOneField(
        ChangeRequest, on_delete=models.PROTECT, null=True, related_name="+"
    )
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    acted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="entry_once_per_file"),
            models.CheckConstraint(
                condition=Q(outcome__in=["", *(one.value for one in EntryOutcome)]),
                name="entry_known_outcome",
            ),
            models.CheckConstraint(
                condition=Q(journal__isnull=True) | Q(outcome__in=sorted(BOOKED)),
                name="entry_books_what_settles",
            ),
        ]
        indexes = [
            models.Index(fields=["file", "outcome", "id"], name="entry_by_outcome"),
            models.Index(
                fields=["file", "id"], condition=Q(acted_at__isnull=True), name="entry_to_do"
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.number}"


class SettledAtBank(models.Model):
    """Which entry settled a network's file: the file's id is the key, so none is settled twice."""

    settlement = models.OneToOneField(
        SettlementFile, on_delete=models.PROTECT, primary_key=True, related_name="at_bank"
    )
    entry = models.ForeignKey(BankEntry, on_delete=models.PROTECT, related_name="settles")

    def __str__(self) -> str:
        return f"{self.settlement_id}"
