"""Takes a statement of our bank in: quick, whole, and not looked into yet."""

import hashlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Subject, Verb, audited, subject_of
from consumers.ids import new_id_at
from consumers.statements import fetch_rows
from consumers.typed_numbers import held_card_number
from payouts import dispatch
from payouts.models import (
    BankEntry,
    BankStatement,
    FileState,
    SettledAtBank,
    StatementContent,
    StatementFile,
)
from payouts.reconciliation.bank_statements import (
    LARGEST_STATEMENT_BYTES,
    Problem,
    StatementRefused,
)
from payouts.reconciliation.statement_files import format_of
from payouts.staff import RESOLVE_PAYMENT

LONGEST_NAME: Final = 200


class StatementNotPermitted(StatementRefused):
    """This person may not bring statements."""

    def __init__(self) -> None:
        super().__init__(Problem("", "not_permitted"))


@dataclass(frozen=True, slots=True)
class StatementUpload:
    """A file as it came. `by` is whoever brought it; None if it came from the bank itself."""

    name: str
    content: bytes
    by: User | None = None


class TakenStatement(NamedTuple):
    """The file, and whether it is here for the first time."""

    file: StatementFile
    is_new: bool


def take_statement(upload: StatementUpload) -> TakenStatement:
    """Keep the file whole, and have it read; the very same file again is the one that is here.

    One that was refused may come again: the statement before it may be there by then. Two at once
    are taken one after the other.

    :raises StatementRefused: it is empty, too large, or named like a card. Nothing is kept but an
        audit entry.
    """
    digest = hashlib.sha256(upload.content).digest()
    told = {"file": upload.name, "sha256": digest.hex(), "bytes": len(upload.content)}
    act = Act(verb=Verb.UPLOAD, subject=_SUBJECT, after=told)
    if (known := _known(digest)) is not None and _may_bring(upload.by):
        return TakenStatement(known, is_new=False)
    with audited(act, refusals=(StatementRefused,)):
        return _taken(upload, digest)


_SUBJECT: Final = Subject(StatementFile._meta.label_lower, label="bank statement")


def lock_statements() -> None:
    """Let nobody else read or judge statements until the transaction ends."""
    fetch_rows("SELECT pg_advisory_xact_lock(hashtext('payouts bank statements'))", {})


def _known(digest: bytes) -> StatementFile | None:
    kept = StatementFile.objects.exclude(state=FileState.REFUSED)
    return kept.filter(sha256=digest).first()


def _may_bring(by: User | None) -> bool:
    return by is None or (by.is_active and by.has_perm(RESOLVE_PAYMENT))


def _taken(upload: StatementUpload, digest: bytes) -> TakenStatement:
    if not _may_bring(upload.by):
        raise StatementNotPermitted
    if not upload.content:
        raise StatementRefused(Problem("", "empty"))
    if len(upload.content) > LARGEST_STATEMENT_BYTES:
        raise StatementRefused(Problem("", "too_large"))
    if held_card_number(upload.name):
        raise StatementRefused(Problem("", "card_number_in_name"))
    lock_statements()
    if (known := _known(digest)) is not None:
        return TakenStatement(known, is_new=False)
    at = timezone.now()
    file = StatementFile(
        id=new_id_at(at),
        name=upload.name[:LONGEST_NAME],
        format=format_of(upload.content),
        sha256=digest,
        size_bytes=len(upload.content),
        uploaded_by=upload.by,
        created_at=at,
    )
    file.save(force_insert=True)
    StatementContent.objects.create(file=file, content=upload.content)
    dispatch.ring_settlements()
    return TakenStatement(file, is_new=True)


def refuse_statement(file: StatementFile, refusal: StatementRefused) -> None:
    """End a file of which no entry is to count. Runs under `lock_statements`."""
    file.state = FileState.REFUSED
    file.problems = [problem._asdict() for problem in refusal.problems]
    file.finished_at = timezone.now()
    with transaction.atomic():
        file.save(update_fields=["state", "problems", "finished_at", "decided_by", "decided_at"])
        SettledAtBank.objects.filter(entry__file=file).delete()
        for model in (BankEntry, BankStatement, StatementContent):
            model._default_manager.filter(file=file).delete()


def subject_of_statement(file: StatementFile) -> Subject:
    """What the audit trail calls it."""
    return subject_of(file, label=file.name)
