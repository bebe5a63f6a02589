"""Takes a statement of our bank in: quick, whole, and not looked into yet."""

from django.db import transaction
from django.utils import timezone

from consumers.audit import audited
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
from payouts.operations.reconciliation.brought_files import (
    LONGEST_NAME,
    BringingNotPermitted,
    FileUpload,
    Taken,
    may_bring,
    same_file,
    upload_act,
)
from payouts.reconciliation.bank_statements import (
    LARGEST_STATEMENT_BYTES,
    Problem,
    StatementRefused,
)
from payouts.reconciliation.statement_files import format_of


def take_statement(upload: FileUpload) -> Taken[StatementFile]:
    """Keep the file whole, and have it read; the very same file again is the one that is here.

    One that was refused may come again: the statement before it may be there by then. Two at once
    are taken one after the other.

    :raises BringingNotPermitted: nothing is kept but an audit entry.
    :raises StatementRefused: it is empty, too large, or named like a card. Nothing is kept but an
        audit entry.
    """
    known = same_file(upload, StatementFile)
    if known is not None and may_bring(upload.by):
        return Taken(known, is_new=False)
    act = upload_act(upload, StatementFile)
    with audited(act, refusals=(BringingNotPermitted, StatementRefused)):
        return _taken(upload)


def lock_statements() -> None:
    """Let nobody else read or judge statements until the transaction ends."""
    fetch_rows("SELECT pg_advisory_xact_lock(hashtext('payouts bank statements'))", {})


def _taken(upload: FileUpload) -> Taken[StatementFile]:
    if not may_bring(upload.by):
        raise BringingNotPermitted
    if not upload.content:
        raise StatementRefused(Problem("", "empty"))
    if len(upload.content) > LARGEST_STATEMENT_BYTES:
        raise StatementRefused(Problem("", "too_large"))
    if held_card_number(upload.name):
        raise StatementRefused(Problem("", "card_number_in_name"))
    lock_statements()
    if (known := same_file(upload, StatementFile)) is not None:
        return Taken(known, is_new=False)
    at = timezone.now()
    file = StatementFile(
        id=new_id_at(at),
        name=upload.name[:LONGEST_NAME],
        format=format_of(upload.content),
        sha256=upload.sha256,
        size_bytes=len(upload.content),
        uploaded_by=upload.by,
        created_at=at,
    )
    file.save(force_insert=True)
    StatementContent.objects.create(file=file, content=upload.content)
    dispatch.ring_settlements()
    return Taken(file, is_new=True)


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
