"""Changes of settings that one person proposes and another one decides about."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Upper

from consumers.ids import new_id
from consumers.models import Partner
from payouts.changes import ChangeState
from payouts.models.approvals import DecisionSignature

FUNDING = "fund_partner"
RESOLUTION = "resolve_unknown"
RETURN = "return_payment"
CLOSING = "close_case"
MEMBER = "staff_member"


class ChangeRequest(models.Model):
    """What somebody proposes to change, and what became of it; see `payouts.changes`.

    A trigger freezes what is proposed, lets the state go one way only, and refuses to delete;
    another one writes each step of its life as a `ChangeEvent`. The constraints keep the four eyes:
    nobody decides about a proposal of their own, or about one that is about themselves. `is_alone`
    marks the one exception, a first admin without a second one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=24)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, null=True, related_name="+")
    # What of the partner or of the product it is about, as the kind names it; empty for a new one.
    subject = models.CharField(max_length=64, blank=True)
    label = models.CharField(max_length=300)
    concerns_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    # SHA-256 over kind, subject, before and after: what a decision is bound to.
    digest = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=500)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in ChangeState])
    is_alone = models.BooleanField(default=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    # None: nobody decided, or by another second factor. A trigger compares it with the decision.
    signature = models.ForeignKey(
        DecisionSignature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    # The id of what came of it: a journal, a schedule, a client, a person.
    result = models.CharField(max_length=64, blank=True)
    collected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    collected_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "change request"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in ChangeState]),
                name="change_known_state",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="proposed", decided_at__isnull=True, decided_by__isnull=True)
                    | Q(
                        state__in=["expired", "overtaken"],
                        decided_at__isnull=False,
                        decided_by__isnull=True,
                    )
                    # A condition on nothing is neither true nor false, and would pass.
                    | Q(
                        state="withdrawn",
                        decided_at__isnull=False,
                        decided_by__isnull=False,
                        decided_by=F("proposed_by"),
                    )
                    | Q(
                        ~Q(decided_by=F("proposed_by")),
                        state__in=["applied", "rejected"],
                        decided_at__isnull=False,
                        decided_by__isnull=False,
                        is_alone=False,
                    )
                    | Q(
                        state="applied",
                        decided_at__isnull=False,
                        decided_by__isnull=True,
                        is_alone=True,
                        kind=MEMBER,
                    )
                ),
                name="change_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(concerns_user__isnull=True)
                | Q(decided_by__isnull=True)
                | Q(state="withdrawn")
                | ~Q(decided_by=F("concerns_user")),
                name="change_not_by_whom_it_concerns",
            ),
            models.CheckConstraint(
                condition=Q(collected_at__isnull=True, collected_by__isnull=True)
                | Q(collected_at__isnull=False, collected_by__isnull=False, state="applied"),
                name="change_collected_after_it_applied",
            ),
            # A second click proposes nothing a second time.
            models.UniqueConstraint(
                fields=["digest"], condition=Q(state="proposed"), name="change_waits_once"
            ),
            # Nobody has to choose between two resolutions of one push, or of one case.
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(kind__in=[RESOLUTION, RETURN, CLOSING], state="proposed"),
                name="change_one_resolution_waits",
            ),
            # One arrival at the bank is booked once.
            models.UniqueConstraint(
                F("partner"),
                Upper(KT("after__reference")),
                condition=Q(kind=FUNDING, state__in=["proposed", "applied"]),
                name="change_funding_reference_once",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "expires_at", "id"], name="change_by_state"),
            models.Index(fields=["proposed_by", "-id"], name="change_by_proposer"),
            models.Index(fields=["partner", "-id"], name="change_by_partner"),
            models.Index(
                fields=["subject", "-id"],
                condition=Q(kind__in=[RESOLUTION, RETURN, CLOSING]),
                name="change_of_doubt",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class ChangeEvent(models.Model):
    """A step in the life of a change: proposed, how it ended, its secret fetched. Append-only.

    Written by a trigger with the step itself, whatever takes it, and chained. `row_digest` is the
    SHA-256 over the change as it was then, so that the change too is found when it is edited; see
    `payouts.audit.changes`.
    """

    COLLECTED = "collected"

    id = models.BigAutoField(primary_key=True)
    change = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, db_index=False, related_name="events"
    )
    number = models.PositiveSmallIntegerField()
    # A state of the change, or that its secret was fetched.
    kind = models.CharField(max_length=12)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, db_index=False,
        related_name="+",
    )  # fmt: skip
    format = models.PositiveSmallIntegerField()
    row_digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["change", "number"], name="change_event_numbered"),
            models.UniqueConstraint(fields=["change", "kind"], name="change_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.change_id}"
