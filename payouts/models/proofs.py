"""The daily three-way proof: what payments, ledger and the network's files say about one day."""

from django.db import models

from payouts.reconciliation.day_proofs import Verdict


class DayProof(models.Model):
    """What was found about one day of one network, when it was asked. Append-only (trigger).

    A day is proved again when a file about it has come; the newest counts. `sha256` is of `figures`
    as canonical JSON.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    network = models.CharField(max_length=24)
    acquiring_bin = models.CharField(max_length=11)
    card_acceptor_id = models.CharField(max_length=15)
    verdict = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Verdict])
    figures = models.JSONField()
    sha256 = models.BinaryField(max_length=32)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = "proof of a day"
        verbose_name_plural = "proofs of days"
        indexes = [models.Index(fields=["-day", "-id"], name="day_proof_newest")]

    def __str__(self) -> str:
        return f"{self.day}"

    @property
    def digest(self) -> str:
        """The SHA-256 of the figures, in hexadecimal digits."""
        return bytes(self.sha256).hex()
