"""Files of pushes that staff asked for, and what a person keeps of the list: views and columns.

A file stands in the database in pieces, because any web server may be asked for it. Nothing here is
money: files are deleted after some days, the row that says who took what stays.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from consumers.ids import new_id


class ExportKind(models.TextChoices):
    """The form of the file."""

    CSV = "csv"
    XLSX = "xlsx"


class ExportState(models.TextChoices):
    """How far the file is."""

    WAITING = "waiting"  # nobody writes it; also after whoever did has died
    DONE = "done"
    REFUSED = "refused"  # more rows than a file may have
    EXPIRED = "expired"  # its pieces are deleted


class Export(models.Model):
    """A file of the pushes that a query finds, up to the instant when it was asked for.

    `claim` names whoever writes it, until `claimed_until` at most; then anybody may go on.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    # What stands behind the question mark of the list's address; see `payouts.finding.push_query`.
    query = models.TextField(blank=True)
    columns = ArrayField(models.CharField(max_length=32))
    # The IANA name of the zone in which whoever asked was shown instants.
    zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    kind = models.CharField(max_length=4, choices=ExportKind)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    rows_written = models.PositiveIntegerField(default=0)
    # About how many there will be, for the progress; null if nobody counted so far.
    rows_expected = models.PositiveIntegerField(null=True)
    last_id = models.UUIDField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "export"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ExportKind.values), name="export_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values), name="export_known_state"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[ExportState.DONE, ExportState.EXPIRED],
                    sha256__isnull=False,
                    finished_at__isnull=False,
                    expires_at__isnull=False,
                )
                | Q(state__in=[ExportState.WAITING, ExportState.REFUSED], sha256__isnull=True),
                name="export_done_has_digest",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_by", "-id"], name="export_of_person"),
            models.Index(
                fields=["claimed_until"], condition=Q(state="waiting"), name="export_waiting"
            ),
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="export_expiring"),
        ]

    def __str__(self) -> str:
        return f"pushes as {self.kind.upper()}"

    @property
    def is_waiting(self) -> bool:
        return self.state == ExportState.WAITING

    @property
    def is_done(self) -> bool:
        return self.state == ExportState.DONE

    @property
    def is_refused(self) -> bool:
        return self.state == ExportState.REFUSED

    @property
    def digest(self) -> str:
        """The SHA-256 of the finished file, in hexadecimal digits."""
        return bytes(self.sha256 or b"").hex()


class ExportPiece(models.Model):
    """A part of an export's file; in the order of their numbers they are the file."""

    pk = models.CompositePrimaryKey("export_id", "number")
    export = models.ForeignKey(
        Export, on_delete=models.PROTECT, db_index=False, related_name="pieces"
    )
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"piece {self.number}"


class PushView(models.Model):
    """A query for the list of pushes that somebody gave a name; shared, everybody is offered it."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    name = models.CharField(max_length=60)
    query = models.TextField()
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "view of pushes"
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="push_view_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="push_view_has_name"),
        ]
        indexes = [
            models.Index(fields=["name"], condition=Q(is_shared=True), name="push_view_shared")
        ]

    def __str__(self) -> str:
        return self.name


class PushListChoice(models.Model):
    """What a person wants the list of pushes to look like. No row: as it comes."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    columns = ArrayField(models.CharField(max_length=32), default=list)
    default_view = models.ForeignKey(
        PushView, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )

    def __str__(self) -> str:
        return f"list of {self.user_id}"
