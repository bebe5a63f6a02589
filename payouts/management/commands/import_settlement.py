"""Imports a settlement file of a network: reads, matches, settles what it settles, opens cases."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.management.progress import Progress
from payouts.models import FileState, SettlementFile, SettlementFinding
from payouts.operations.reconciliation.take_settlement import (
    SettlementUpload,
    Taken,
    take_settlement,
)
from payouts.reconciliation.settlements import SettlementRefused
from payouts.work.settlement_work import work_on_settlements

_RESTING: Final = (FileState.WAITING, FileState.DONE, FileState.REFUSED)
_PAUSE_SECONDS: Final = 0.2


class Command(BaseCommand):
    help = (
        "Import a network's settlement file (docs/reconciliation.md). Importing it again changes "
        "nothing; stopped at any line, run it again. Exits with 1 if the file is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--by",
            metavar="USER",
            help="who brings it; then a second person agrees in the back office before it changes "
            "payments. Without, it counts as having come from the network itself",
        )
        parser.add_argument("--json", action="store_true", help="print what came of it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        taken = self._taken(options["file"], options["by"])
        self._progress = Progress(self.stderr)
        file = self._worked_on(taken.file)
        found = Counter(
            SettlementFinding.objects.filter(file=file).values_list("outcome", flat=True)
        )
        told = _told(file, dict(found), is_new=taken.is_new)
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))
        if file.state == FileState.REFUSED:
            raise SystemExit(1)

    def _taken(self, path: Path, username: str | None) -> Taken:
        by = None
        if username is not None:
            by = User.objects.filter(username=username, is_active=True, is_staff=True).first()
            if by is None:
                raise CommandError(f"There is no active member of staff named {username!r}.")
        try:
            return take_settlement(SettlementUpload(path.name, path.read_bytes(), by))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except SettlementRefused as refusal:
            details = ", ".join(f"{name} {value}" for name, value in refusal.details.items())
            words = f"{refusal.code.replace('_', ' ')}{f' ({details})' if details else ''}"
            raise CommandError(f"The file is not taken: {words}.") from refusal

    def _worked_on(self, file: SettlementFile) -> SettlementFile:
        """The file when there is nothing left to do; a worker may be at it at the same time."""
        while True:
            work_on_settlements(self._told)
            file.refresh_from_db()
            if file.state in _RESTING:
                return file
            time.sleep(_PAUSE_SECONDS)

    def _told(self, file: SettlementFile) -> None:
        if file.state == FileState.READING:
            self._progress("reading", min(file.records_read, file.lines + 2), file.lines + 2)
        elif file.state in (FileState.MATCHING, FileState.COMPARING):
            self._progress("matching", min(file.lines_matched, file.lines), file.lines)
        elif file.state == FileState.ACTING:
            findings = SettlementFinding.objects.filter(file=file)
            done = findings.filter(acted_at__isnull=False)
            self._progress("findings", done.count(), max(findings.count(), 1))


def _told(file: SettlementFile, found: dict[str, int], *, is_new: bool) -> dict[str, Any]:
    lines = sum(number for outcome, number in found.items() if outcome != "missing_there")
    return {
        "file": str(file.pk),
        "reference": file.reference,
        "sha256": file.digest,
        "is_new": is_new,
        "state": file.state,
        "refusal": file.refusal,
        "lines": file.lines,
        "matched": file.lines - lines if file.state != FileState.REFUSED else 0,
        "findings": found,
    }


def _as_text(told: dict[str, Any]) -> str:
    news = "" if told["is_new"] else " It was imported before, and nothing has changed."
    lines = [
        f"{told['reference']}: {told['state']}.{news}",
        f"SHA-256 {told['sha256']}",
        f"{told['lines']:,} lines, {told['matched']:,} matched",
        *(f"  {name.replace('_', ' ')}: {n:,}" for name, n in sorted(told["findings"].items())),
    ]
    if told["refusal"]:
        lines.append(f"Refused: {told['refusal']}")
    return "\n".join(lines)
