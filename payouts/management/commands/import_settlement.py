"""Imports a settlement file of a network: reads, matches, settles what it settles, opens cases."""

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.management.importing import add_import_arguments, upload_from, work_until_rest
from payouts.management.progress import Progress
from payouts.models import SettlementFile, SettlementFinding
from payouts.operations.reconciliation.brought_files import (
    BringingNotPermitted,
    FileUpload,
    Taken,
)
from payouts.operations.reconciliation.take_settlement import take_settlement
from payouts.reconciliation.settlements import SettlementRefused
from payouts.work.settlement_work import work_on_settlements


class Command(BaseCommand):
    help = (
        "Import a network's settlement file (docs/reconciliation.md). Importing it again changes "
        "nothing; stopped at any line, run it again. Exits with 1 if the file is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser, before="it changes payments", maker="network")

    def handle(self, *args: Any, **options: Any) -> None:
        taken = self._taken(upload_from(options["file"], by=options["by"]))
        self._progress = Progress(self.stderr)
        file = work_until_rest(taken.file, lambda: work_on_settlements(self._told))
        found = Counter(
            SettlementFinding.objects.filter(file=file).values_list("outcome", flat=True)
        )
        told = _told(file, dict(found), is_new=taken.is_new)
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))
        if file.is_refused:
            raise SystemExit(1)

    def _taken(self, upload: FileUpload) -> Taken[SettlementFile]:
        try:
            return take_settlement(upload)
        except BringingNotPermitted as refusal:
            raise CommandError("The file is not taken: not permitted.") from refusal
        except SettlementRefused as refusal:
            details = ", ".join(f"{name} {value}" for name, value in refusal.details.items())
            words = f"{refusal.code.replace('_', ' ')}{f' ({details})' if details else ''}"
            raise CommandError(f"The file is not taken: {words}.") from refusal

    def _told(self, file: SettlementFile) -> None:
        if file.is_being_read:
            self._progress("reading", min(file.records_read, file.lines + 2), file.lines + 2)
        elif file.is_being_judged:
            self._progress("matching", min(file.lines_matched, file.lines), file.lines)
        elif file.is_acting:
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
        "matched": file.lines - lines if not file.is_refused else 0,
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
