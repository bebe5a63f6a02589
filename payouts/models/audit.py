"""The chain over everything that is written once: audit entries, histories, the ledger."""

from django.db import models
from django.db.models import F, Q


class AuditBlock(models.Model):
    """One link of the chain: the SHA-256 over all rows of one table whose ids lie in a range.

    Written by `payouts.operations.link_audit` only, append-only (trigger). Numbers have no gap, the
    ranges of a source have none either, and `hash` covers all other columns with the `hash` of the
    block before. What `digest` is taken over says `payouts.audit.sources`.
    """

    number = models.BigIntegerField(primary_key=True)
    source = models.CharField(max_length=16)
    format = models.PositiveSmallIntegerField()
    # Both ends belong to the range. The first range of a source begins at the smallest bigint.
    from_id = models.BigIntegerField()
    to_id = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)
    # Twelve bytes per row: its id, and the first four of its digest. They prove nothing, `digest`
    # does; they say which row it was.
    marks = models.BinaryField()
    previous_hash = models.BinaryField(max_length=32, unique=True)
    hash = models.BinaryField(max_length=32)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "to_id"], name="audit_block_one_range"),
            models.CheckConstraint(
                condition=Q(number__gte=1, rows__gte=1, from_id__lte=F("to_id")),
                name="audit_block_holds_rows",
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.number}"
