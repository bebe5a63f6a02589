"""Approval rules, what a payment must be approved by, and the decisions of people about it."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from consumers.models import Partner
from payouts.approvals import POSSIBLE_DUPLICATE, Source
from payouts.models.payment import Payment


class ApprovalRule(models.Model):
    """When a push needs people's decisions, and how many; see `payouts.approvals.Rule`."""

    name = models.CharField(max_length=80, unique=True)
    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="approval_rules",
        help_text="Empty: the rule is for every partner.",
    )
    is_active = models.BooleanField(default=True)
    decisions = models.PositiveSmallIntegerField(default=1)
    group = models.ForeignKey(
        Group,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: anybody who may approve.",
    )
    amount_at_least = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    source = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in Source], blank=True
    )
    first_push_to_card = models.BooleanField(null=True, blank=True)
    card_younger_than = models.DurationField(null=True, blank=True)
    possible_duplicate = models.BooleanField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decisions__range=(1, 5)), name="approval_rule_decisions_range"
            ),
            # A payment's requirements have different names, and this is the product's own one.
            models.CheckConstraint(
                condition=~Q(name=POSSIBLE_DUPLICATE.name), name="approval_rule_own_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApprovalRequirement(models.Model):
    """One reason why a payment waits, fixed at acceptance; later rule changes do not move it."""

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, db_index=False, related_name="requirements"
    )
    name = models.CharField(max_length=80)
    decisions = models.PositiveSmallIntegerField()
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "name"], name="approval_requirement_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.decisions}"


class Verdict(models.TextChoices):
    """What a person says to what waits for them."""

    APPROVE = "approve"
    REJECT = "reject"


class DecisionSignature(models.Model):
    """A passkey's signature under one person's decisions. Append-only (trigger).

    Everything is here that verifying takes: `statement` is the text whose SHA-256 (`challenge`) was
    signed, `marks` what it is about (see `payouts.deciding.signatures`), and the public key stays
    after the passkey is removed. Assertion as in WebAuthn: authenticator data, client data,
    signature.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.CharField(max_length=500, blank=True)
    statement = models.TextField()
    marks = models.BinaryField()
    challenge = models.BinaryField(max_length=32, unique=True)
    passkey = models.CharField(max_length=60)
    credential_id = models.BinaryField(max_length=1023)
    # A COSE key in CBOR, as the passkey gave it when it was added.
    public_key = models.BinaryField(max_length=1024)
    authenticator_data = models.BinaryField(max_length=1024)
    client_data = models.BinaryField(max_length=4096)
    signature = models.BinaryField(max_length=1024)
    is_user_verified = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="signature_known_verdict"
            ),
            models.CheckConstraint(
                condition=Q(is_user_verified=True), name="signature_user_verified"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} signed by {self.user_id}"


class Decision(models.Model):
    """One person's yes or no to a payment, bound to what that person saw. Append-only (trigger).

    A trigger refuses the decision of the payment's maker and of whoever edited its card or consumer
    last or since, any decision about a payment that does not wait for one, and one that is about
    something else than what is there. Nobody decides twice about the same; an edit makes it
    something else.
    """

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, db_index=False, related_name="decisions"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.CharField(max_length=500, blank=True)
    # SHA-256 over consumer, card fingerprint, amount and fee as they were on the screen.
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    # None: the person has no passkey, and has shown another second factor just before.
    signature = models.ForeignKey(
        DecisionSignature, on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    # Which of the signed marks is this decision's, from 0.
    place = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "user", "digest"], name="decision_once_per_content"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="decision_known_verdict"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.user_id}"

    @property
    def is_yes(self) -> bool:
        return self.verdict == Verdict.APPROVE
