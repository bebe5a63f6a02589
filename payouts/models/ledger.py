"""Double-entry ledger: append-only journals of balanced postings.

A posting's amount is signed: a debit is positive, a credit negative, so a journal sums to zero. The
triggers in `payouts/migrations/0002_guards.py` keep that, move the balances, and refuse changes.
"""

from django.db import models
from django.db.models import Q

from consumers.models import Partner
from payouts.models.payment import Payment


class AccountKind(models.TextChoices):
    """What an account says. Debits are above zero, credits below (docs/adr/0002)."""

    BANK = "bank"  # what lies at our bank
    FEE_REVENUE = "fee_revenue"  # what pushes have earned us
    SUSPENSE = "suspense"  # what nobody has explained yet
    NETWORK_PAYABLE = "network_payable"  # what we owe a network for what it has credited
    AVAILABLE = "available"  # what a partner can push
    HELD = "held"  # what a partner's open pushes hold, fees included


class Account(models.Model):
    """A ledger account: of a partner (available, held), of a network (payable), or ours."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=AccountKind)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, null=True, related_name="accounts"
    )
    network = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "partner", "network"],
                nulls_distinct=False,
                name="account_once",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind__in=["available", "held"], partner__isnull=False, network="")
                    | Q(kind="network_payable", partner__isnull=True, network__gt="")
                    | Q(
                        kind__in=["bank", "fee_revenue", "suspense"],
                        partner__isnull=True,
                        network="",
                    )
                ),
                name="account_belongs",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.network or self.partner_id or ''}".strip()


class AccountPart(models.Model):
    """One of an account's sixteen balances, so that concurrent postings do not queue up.

    The account's balance is the sum over its parts. No part may pass `max_debit`, so however
    many postings run at once, the account cannot pass the sum of its parts' bounds: an
    `available` account (a credit balance) never goes below its floor. Money moves freely
    between the parts of one account.
    """

    pk = models.CompositePrimaryKey("account_id", "part")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_index=False, related_name="parts"
    )
    part = models.PositiveSmallIntegerField()
    balance = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    max_debit = models.DecimalField(max_digits=20, decimal_places=2, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(part__range=(0, 15)), name="account_part_range"),
            models.CheckConstraint(
                condition=Q(max_debit__isnull=True) | Q(balance__lte=models.F("max_debit")),
                name="account_part_floor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.part}"


class JournalKind(models.TextChoices):
    """What happened to money. Of those about payments each happens to one once at the most."""

    FUNDED = "funded"  # a partner's money came to our bank
    ACCEPTED = "accepted"  # a push holds its amount and fee
    COMPLETED = "completed"  # what was held goes to the network, and the fee to us
    RELEASED = "released"  # a push ended unpaid: what was held is available again
    RETURNED = "returned"  # the network gave it back, and so do we; the fee stays
    SETTLED = "settled"  # our bank shows what a network took, or gave
    # Two people have closed a case about a payment that is final: what was booked is put right.
    CORRECTED = "corrected"
    # Two people have closed a case about what a network or the bank settles: a difference stands in
    # suspense.
    RECONCILED = "reconciled"


class Journal(models.Model):
    """A balanced set of postings, written once. Each (payment, kind) is posted at most once."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12, choices=JournalKind)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, db_index=False, related_name="journals"
    )
    description = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "kind"], name="journal_once_per_payment"),
            models.CheckConstraint(
                condition=Q(kind__in=JournalKind.values), name="journal_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["funded", "settled", "reconciled"])
                | Q(payment__isnull=False),
                name="journal_names_its_payment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Posting(models.Model):
    """One line of a journal: dollars, a debit above zero or a credit below."""

    id = models.BigAutoField(primary_key=True)
    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="postings")
    # No constraint to the shared account row: the trigger that moves the balance refuses an
    # account part that does not exist.
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    part = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="posting_by_account")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount}"
