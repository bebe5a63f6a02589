"""Imports a statement of our bank: reads, matches, books what was settled, opens cases."""

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.management.importing import add_import_arguments, upload_from, work_until_rest
from payouts.management.progress import Progress
from payouts.models import BankEntry, StatementFile
from payouts.operations.reconciliation.brought_files import (
    BringingNotPermitted,
    FileUpload,
    Taken,
)
from payouts.operations.reconciliation.take_statement import take_statement
from payouts.reconciliation.bank_statements import Problem, StatementRefused
from payouts.work.statement_work import work_on_statements


class Command(BaseCommand):
    help = (
        "Import a bank's statement, camt.053 or CSV (docs/reconciliation.md). Importing it again "
        "changes nothing; stopped at any entry, run it again. Exits with 1 if the file is refused, "
        "and names everything that is wrong in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser, before="anything is booked", maker="bank")

    def handle(self, *args: Any, **options: Any) -> None:
        taken = self._taken(upload_from(options["file"], by=options["by"]))
        self._progress = Progress(self.stderr)
        file = work_until_rest(taken.file, lambda: work_on_statements(self._told))
        rows = BankEntry.objects.filter(file=file).values_list("outcome", flat=True)
        told = _told(file, dict(Counter(rows)), is_new=taken.is_new)
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))
        if file.is_refused:
            raise SystemExit(1)

    def _taken(self, upload: FileUpload) -> Taken[StatementFile]:
        try:
            return take_statement(upload)
        except BringingNotPermitted as refusal:
            raise CommandError("The file is not taken: not permitted.") from refusal
        except StatementRefused as refusal:
            told = "; ".join(map(_problem, refusal.problems))
            raise CommandError(f"The file is not taken: {told}.") from refusal

    def _told(self, file: StatementFile) -> None:
        if file.is_being_judged:
            self._progress("matching", file.entries_matched, file.entries)
        elif file.is_acting:
            entries = BankEntry.objects.filter(file=file)
            done = entries.filter(acted_at__isnull=False)
            self._progress("entries", done.count(), max(file.entries, 1))


def _told(file: StatementFile, outcomes: dict[str, int], *, is_new: bool) -> dict[str, Any]:
    return {
        "file": str(file.pk),
        "name": file.name,
        "format": file.format,
        "sha256": file.digest,
        "is_new": is_new,
        "state": file.state,
        "statements": [str(one) for one in file.statements.order_by("pk")],
        "entries": file.entries,
        "outcomes": outcomes,
        "problems": file.problems,
    }


def _as_text(told: dict[str, Any]) -> str:
    news = "" if told["is_new"] else " It was imported before, and nothing has changed."
    return "\n".join(
        [
            f"{told['name']}: {told['state']}.{news}",
            f"SHA-256 {told['sha256']}",
            f"{told['entries']:,} entries, {told['format']}",
            *(f"  {name.replace('_', ' ')}: {n:,}" for name, n in sorted(told["outcomes"].items())),
            *(f"  {_problem(Problem(**one))}" for one in told["problems"]),
        ]
    )


def _problem(problem: Problem) -> str:
    where = f"{problem.where}: " if problem.where else ""
    found = f" ({problem.found})" if problem.found else ""
    return f"{where}{problem.code.replace('_', ' ')}{found}"
