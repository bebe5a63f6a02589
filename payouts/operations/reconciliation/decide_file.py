"""What the second person says to a file that would change or book something: yes, or no."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from consumers.audit import Act, Verb, audited, subject_of
from payouts import dispatch
from payouts.models import FileState, SettlementFile, StatementFile
from payouts.operations.reconciliation.brought_files import File
from payouts.operations.reconciliation.take_settlement import lock_settlements, refuse_settlement
from payouts.operations.reconciliation.take_statement import lock_statements, refuse_statement
from payouts.reconciliation.bank_statements import Problem, StatementRefused
from payouts.reconciliation.settlements import SettlementRefused
from payouts.staff import RESOLVE_PAYMENT

_LONGEST_REASON: Final = 500


class FileNotWaiting(Exception):
    """It does not wait for a second person, or not any more."""


class FileByUploader(Exception):
    """Whoever brought the file does not decide about it."""


class FileDecisionNotPermitted(Exception):
    """This person may not decide about files."""


_REFUSALS: Final = (FileNotWaiting, FileByUploader, FileDecisionNotPermitted)


@dataclass(frozen=True, slots=True)
class FileKind(Generic[File]):
    """A kind of files: what keeps others from working on them, and how one ends for a reason."""

    model: type[File]
    lock: Callable[[], None]
    end: Callable[[File, str], None]


def apply_file(kind: FileKind[File], file_id: UUID, *, by: User) -> File:
    """Say yes to what a file would do, as the second person; a worker then carries it out.

    Of two at once the first decides, and the other is told that it does not wait any more.

    :raises FileNotWaiting, FileByUploader, FileDecisionNotPermitted:
    """
    file = kind.model._default_manager.get(pk=file_id)
    act = Act(verb=Verb.APPROVE, subject=subject_of(file), after={"sha256": file.digest})
    with audited(act, refusals=_REFUSALS):
        file = _decidable(kind, file_id, by)
        file.state, file.decided_by, file.decided_at = FileState.ACTING, by, timezone.now()
        file.save(update_fields=["state", "decided_by", "decided_at"])
        dispatch.ring_settlements()
    return file


def reject_file(kind: FileKind[File], file_id: UUID, *, by: User, reason: str) -> File:
    """Say no to a file, as the second person: nothing in it counts.

    Of two at once the first decides, and the other is told that it does not wait any more.

    :raises FileNotWaiting, FileByUploader, FileDecisionNotPermitted:
    """
    file = kind.model._default_manager.get(pk=file_id)
    act = Act(verb=Verb.REJECT, subject=subject_of(file), reason=reason)
    with audited(act, refusals=_REFUSALS):
        file = _decidable(kind, file_id, by)
        file.decided_by, file.decided_at = by, timezone.now()
        kind.end(file, reason[:_LONGEST_REASON])
    return file


def _decidable(kind: FileKind[File], file_id: UUID, by: User) -> File:
    kind.lock()
    file = kind.model._default_manager.get(pk=file_id)
    if not (by.is_active and by.has_perm(RESOLVE_PAYMENT)):
        raise FileDecisionNotPermitted
    if not file.is_waiting:
        raise FileNotWaiting
    if file.uploaded_by_id == by.pk:
        raise FileByUploader
    return file


def _end_settlement(file: SettlementFile, reason: str) -> None:
    refuse_settlement(file, SettlementRefused("rejected", reason=reason))


def _end_statement(file: StatementFile, reason: str) -> None:
    refuse_statement(file, StatementRefused(Problem("", "rejected", reason)))


SETTLEMENTS: Final = FileKind(SettlementFile, lock_settlements, _end_settlement)
STATEMENTS: Final = FileKind(StatementFile, lock_statements, _end_statement)
