"""Imports a statement of our bank: reads, matches, books what was settled, opens cases."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.management.progress import Progress
from payouts.models import BankEntry, FileState, StatementFile
from payouts.operations.reconciliation.take_statement import (
    StatementUpload,
    TakenStatement,
    take_statement,
)
from payouts.reconciliation.bank_statements import Problem, StatementRefused
from payouts.work.statement_work import work_on_statements

_RESTING: Final = (FileState.WAITING, FileState.DONE, FileState.REFUSED)
_PAUSE_SECONDS: Final = 0.2


class Command(BaseCommand):
    help = (
        "Import a bank's statement, camt.053 or CSV (docs/reconciliation.md). Importing it again "
        "changes nothing; stopped at any entry, run it again. Exits with 1 if the file is refused, "
        "and names everything that is wrong in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--by",
            metavar="USER",
            help="who brings it; then a second person agrees in the back office before anything "
            "is booked. Without, it counts as having come from the bank itself",
        )
        parser.add_argument("--json", action="store_true", help="print what came of it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        taken = self._taken(options["file"], options["by"])
        self._progress = Progress(self.stderr)
        file = self._worked_on(taken.file)
        rows = BankEntry.objects.filter(file=file).values_list("outcome", flat=True)
        told = _told(file, dict(Counter(rows)), is_new=taken.is_new)
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))
        if file.state == FileState.REFUSED:
            raise SystemExit(1)

    def _taken(self, path: Path, username: str | None) -> TakenStatement:
        by = None
        if username is not None:
            by = User.objects.filter(username=username, is_active=True, is_staff=True).first()
            if by is None:
                raise CommandError(f"There is no active member of staff named {username!r}.")
        try:
            return take_statement(StatementUpload(path.name, path.read_bytes(), by))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except StatementRefused as refusal:
            told = "; ".join(map(_problem, refusal.problems))
            raise CommandError(f"The file is not taken: {told}.") from refusal

    def _worked_on(self, file: StatementFile) -> StatementFile:
        """The file when there is nothing left to do; a worker may be at it at the same time."""
        while True:
            work_on_statements(self._told)
            file.refresh_from_db()
            if file.state in _RESTING:
                return file
            time.sleep(_PAUSE_SECONDS)

    def _told(self, file: StatementFile) -> None:
        if file.state in (FileState.MATCHING, FileState.COMPARING):
            self._progress("matching", file.entries_matched, file.entries)
        elif file.state == FileState.ACTING:
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
