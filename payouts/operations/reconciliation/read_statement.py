"""Reads and judges statements of our bank, a bounded piece at a time.

Each piece is one transaction with how far the file is, so whatever dies is gone on with exactly
there. Nothing is booked here: see `act_on_statement`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, record_act, subject_of
from payouts.models import (
    BEING_JUDGED,
    BankEntry,
    BankStatement,
    FileState,
    StatementContent,
    StatementFile,
)
from payouts.operations.reconciliation.match_statement import (
    judge_entries,
    recognise_strays,
    wants_two_people,
)
from payouts.operations.reconciliation.take_statement import (
    lock_statements,
    refuse_statement,
)
from payouts.reconciliation.bank_statements import Problem, Problems, Statement, StatementRefused
from payouts.reconciliation.statement_files import read_statements

JUDGED_AT_ONCE: Final = 500
# Where our bank is, tomorrow may have begun.
AHEAD: Final = timedelta(days=1)
# Whoever dies of a file begins anew, and the file is set aside if several have.
MOST_TRIES: Final = 5
_ROWS_AT_ONCE: Final = 5_000
_LONGEST_TEXT: Final = 2_000


def read_next_statement() -> StatementFile | None:
    """Do the next piece of the oldest file that is not judged; None if there is none.

    Of any number of workers one at a time does a piece.
    """
    begun = _begun()
    if begun is None:
        return None
    with transaction.atomic():
        lock_statements()
        file = StatementFile.objects.get(pk=begun.pk)
        # Another worker may have been first.
        if file.state == begun.state:
            _STEPS[file.state](file)
    return file


def _begun() -> StatementFile | None:
    """The file that is to be gone on with; that somebody begins to read it is committed before."""
    with transaction.atomic():
        lock_statements()
        file = StatementFile.objects.filter(state__in=BEING_JUDGED).order_by("pk").first()
        if file is not None and file.state == FileState.READING:
            file.tries += 1
            file.save(update_fields=["tries"])
    return file


def _read(file: StatementFile) -> None:
    try:
        with transaction.atomic():
            if file.tries > MOST_TRIES:
                raise StatementRefused(Problem("", "readers_died"))
            content = StatementContent.objects.get(file=file).content
            statements = read_statements(bytes(content))
            _require_ours(statements)
            file.entries = _stage(file, statements)
            file.state = FileState.MATCHING
            file.save(update_fields=["entries", "state"])
    except StatementRefused as refusal:
        refuse_statement(file, refusal)
        record_act(Act(verb=Verb.UPLOAD, subject=subject_of(file)).refused(refusal.code))


def _require_ours(statements: Sequence[Statement]) -> None:
    """Refuse what is not about our accounts, and what does not go on where another one ended."""
    problems = Problems()
    last_day = (timezone.now().astimezone(UTC) + AHEAD).date()
    for number, statement in enumerate(statements, start=1):
        where = f"statement {number}"
        if statement.account not in settings.BANK_ACCOUNTS:
            problems.add(where, "not_our_account", statement.account)
        if statement.currency != "USD":
            problems.add(where, "currency", statement.currency)
        # It would close a day before its money has moved, and what follows it would not.
        if statement.closes_on > last_day:
            problems.add(where, "day_to_come", str(statement.closes_on))
    problems.refuse_if_any()
    known = BankStatement.objects.filter(account__in={one.account for one in statements})
    by_account = attrgetter("account")
    both: Iterable[Statement | BankStatement] = sorted(
        [*known, *statements], key=lambda one: (one.account, one.closes_on)
    )
    for _, lie in groupby(both, by_account):
        for before, after in pairwise(lie):
            if isinstance(before, Statement) or isinstance(after, Statement):
                _require_follows(before, after, problems)
    problems.refuse_if_any()


def _require_follows(
    before: Statement | BankStatement, after: Statement | BankStatement, problems: Problems
) -> None:
    where = after.reference if isinstance(after, Statement) else before.reference
    if before.closes_on == after.closes_on:
        problems.add(where, "day_is_known", str(after.closes_on))
    elif before.closing != after.opening:
        found = f"{before.closes_on}: {before.closing:.2f}, then {after.opening:.2f}"
        problems.add(where, "does_not_follow", found)


def _stage(file: StatementFile, statements: Sequence[Statement]) -> int:
    """Keep statements and entries; return how many entries there are."""
    entries: list[BankEntry] = []
    for told in statements:
        names = ("reference", "account", "currency", "opens_on", "closes_on", "opening", "closing")
        kept = BankStatement.objects.create(
            file=file, **{name: getattr(told, name) for name in names}
        )
        first = len(entries) + 1
        entries.extend(
            BankEntry(
                statement=kept,
                file=file,
                number=number,
                amount=entry.amount,
                booked_on=entry.booked_on,
                bank_reference=entry.bank_reference,
                text=" / ".join(entry.texts)[:_LONGEST_TEXT],
            )
            for number, entry in enumerate(told.entries, start=first)
        )
    BankEntry.objects.bulk_create(entries, batch_size=_ROWS_AT_ONCE)
    return len(entries)


def _match(file: StatementFile) -> None:
    until = min(file.entries_matched + JUDGED_AT_ONCE, file.entries)
    judge_entries(file, after=file.entries_matched, until=until)
    file.entries_matched = until
    if until >= file.entries:
        file.state = FileState.COMPARING
    file.save(update_fields=["entries_matched", "state"])


def _compare(file: StatementFile) -> None:
    recognise_strays(file)
    waits = file.uploaded_by_id is not None and wants_two_people(file)
    file.state = FileState.WAITING if waits else FileState.ACTING
    file.save(update_fields=["state"])


_STEPS: Final = {
    FileState.READING.value: _read,
    FileState.MATCHING.value: _match,
    FileState.COMPARING.value: _compare,
}
