"""The row that keeps what somebody was named; a part of `consumers.models`, which gives it out."""

from django.db import models


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
