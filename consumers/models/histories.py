"""Rows that are written once: what was done, what somebody was named, what partners are told."""

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper

from consumers.ids import new_id
from consumers.models.partners import APIClient, Partner
from consumers.models.searched import without_accents


class PartnerEvent(models.Model):
    """What partners are told about besides payments, whose histories tell of themselves.

    Written by `consumers.partner_events` in the transaction of the change, append-only (trigger).
    `data` is what is told: identifiers and states, never what is known about a person.
    """

    id = models.BigAutoField(primary_key=True)
    # The part of the event's public id that is ours; the row's own number would tell of others.
    key = models.UUIDField(default=new_id, unique=True)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    type = models.CharField(max_length=40)
    # The consumer, card or endpoint that it is about.
    subject_id = models.UUIDField()
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}"


class Edit(models.Model):
    """A member of staff changed a consumer or a card: one row each time. Append-only, chained.

    Written by a trigger with the row that is changed, whatever changes it; who edits is a maker of
    what is pushed there, and does not approve it.
    """

    id = models.BigAutoField(primary_key=True)
    # The consumer, or the card.
    subject_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    edited_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["subject_id", "edited_at"], name="edit_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject_id} by {self.user_id}"


class FormerName(models.Model):
    """What a consumer or a card was named until it was renamed. Append-only (trigger), chained.

    Written by a trigger with the row that is changed. `was` has what changed, and may have what did
    not: `first_name`, `last_name`, `pcid` of a consumer, `cardholder_name` of a card.
    """

    id = models.BigAutoField(primary_key=True)
    # The consumer, or the card.
    subject_id = models.UUIDField()
    was = models.JSONField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "-id"], name="former_name_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject_id} until {self.until}"


class AuditEntry(models.Model):
    """Somebody did something: one row of the audit trail. Append-only (trigger), chained later.

    Written by `consumers.audit` only. The rows that it names are not referenced by constraints:
    every entry would lock them, and an entry outlives whatever it is about.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField()
    verb = models.CharField(max_length=24)
    result = models.CharField(max_length=8)
    actor = models.CharField(max_length=160)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, db_constraint=False,
        db_index=False, related_name="+",
    )  # fmt: skip
    client = models.ForeignKey(
        APIClient, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    ip_address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # `app.model` of a row, or a word where the act is about no row.
    subject_type = models.CharField(max_length=48)
    subject_id = models.CharField(max_length=160, blank=True)
    subject_label = models.CharField(max_length=160, blank=True)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(result__in=["done", "refused", "failed"]), name="audit_known_result"
            ),
        ]
        # What the page filters and searches by; each ends in the key that its pages begin at.
        indexes = [
            models.Index(fields=["created_at", "id"], name="audit_by_time"),
            models.Index(
                fields=["actor", "id"], opclasses=["varchar_pattern_ops", "int8_ops"],
                name="audit_by_actor",
            ),
            models.Index(fields=["verb", "id"], name="audit_by_verb"),
            models.Index(fields=["subject_id", "id"], name="audit_by_subject"),
            models.Index(
                OpClass(Upper(without_accents(F("subject_label"))), name="text_pattern_ops"),
                F("id"),
                name="audit_by_plain_label",
            ),
            models.Index(
                fields=["partner", "id"], condition=Q(partner__isnull=False),
                name="audit_by_partner",
            ),
            models.Index(
                fields=["request_id", "id"], condition=~Q(request_id=""), name="audit_by_request"
            ),
            models.Index(
                fields=["result", "id"], condition=~Q(result="done"), name="audit_not_done"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.actor}: {self.verb} {self.subject_label or self.subject_type}"
