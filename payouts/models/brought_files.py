"""What is true of every file that one person brings and another agrees to, whoever made it."""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from consumers.ids import new_id


class FileState(models.TextChoices):
    """How far a file is. A trigger lets it go forward only."""

    READING = "reading"  # stored whole; what is in it is being staged
    MATCHING = "matching"
    COMPARING = "comparing"  # all that is in it is judged; what is missing in it is looked for
    WAITING = "waiting"  # it would change or book something, and wants a second person
    ACTING = "acting"
    DONE = "done"
    REFUSED = "refused"  # nothing in it counts


BEING_JUDGED: Final = (FileState.READING, FileState.MATCHING, FileState.COMPARING)
# A worker goes on with these by itself.
AT_WORK: Final = (*BEING_JUDGED, FileState.ACTING)
# Nothing of these is taken back any more, so what they are about is covered.
COUNTED_STATES: Final = (
    FileState.COMPARING,
    FileState.WAITING,
    FileState.ACTING,
    FileState.DONE,
)


class BroughtFile(models.Model):
    """A file from outside. What it says is frozen by a trigger; what changes is how far it is.

    The very same file again is this one, unless this one is refused: what was missing then may be
    there now, and a person can have said no by mistake.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    sha256 = models.BinaryField(max_length=32)
    state = models.CharField(max_length=10, choices=FileState, default=FileState.READING)
    # Null: it came from its maker itself, or by somebody at the machine.
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    @property
    def is_being_read(self) -> bool:
        return self.state == FileState.READING

    @property
    def is_being_judged(self) -> bool:
        return self.state in (FileState.MATCHING, FileState.COMPARING)

    @property
    def is_waiting(self) -> bool:
        return self.state == FileState.WAITING

    @property
    def is_acting(self) -> bool:
        return self.state == FileState.ACTING

    @property
    def is_done(self) -> bool:
        return self.state == FileState.DONE

    @property
    def is_refused(self) -> bool:
        return self.state == FileState.REFUSED

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, in hexadecimal digits."""
        return bytes(self.sha256).hex()


def known_state(name: str) -> CheckConstraint:
    """The state is one of those above."""
    return CheckConstraint(condition=Q(state__in=FileState.values), name=name)


def taken_once(name: str) -> UniqueConstraint:
    """No two files that count hold the same bytes."""
    return UniqueConstraint(fields=["sha256"], condition=~Q(state=FileState.REFUSED), name=name)


def four_eyes(name: str) -> CheckConstraint:
    """Whoever brought it does not decide about it."""
    return CheckConstraint(
        condition=Q(decided_by__isnull=True)
        | Q(uploaded_by__isnull=True)
        | ~Q(decided_by=F("uploaded_by")),
        name=name,
    )
