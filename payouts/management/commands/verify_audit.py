"""Says whether the audit trail, the histories and the ledger are as they were written."""

import json
import os
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payouts.audit.chain import Head, head_of
from payouts.audit.verify import Verdict, verify_audit_trail
from payouts.management.progress import Progress
from payouts.operations.verify_audit import record_verdict

_MOST_WORKERS = 4


class Command(BaseCommand):
    help = (
        "Follow the chain over audit entries, payments' events, decisions, journals and postings, "
        "and find every row that was edited, deleted, inserted or moved after its linking. Prints "
        "the head of the chain: keep it outside of this database, and give it with --expect next "
        "time. Exits with 1 when something was found. Leaves an entry in the trail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
        parser.add_argument(
            "--from",
            dest="first",
            type=int,
            default=1,
            metavar="N",
            help="begin at block N and believe those below (default: everything)",
        )
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="N:HASH",
            help="a head that was printed before and kept elsewhere; may be given several times",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=max(1, min(_MOST_WORKERS, os.cpu_count() or 1)),
            help="how many statements hash at once (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        first = options["first"]
        if first < 1 or options["workers"] < 1:
            raise CommandError("--from and --workers are at least 1.")
        if first > 1 and head_of(first - 1) is None:
            raise CommandError(f"There is no block {first - 1} to begin after.")
        verdict = verify_audit_trail(
            first=first,
            kept=[_head(word) for word in options["expect"]],
            workers=options["workers"],
            told=Progress(self.stderr),
        )
        record_verdict(verdict)
        self.stdout.write(_as_json(verdict) if options["json"] else _as_text(verdict))
        if not verdict.holds:
            raise SystemExit(1)


def _head(word: str) -> Head:
    try:
        return Head.read(word)
    except ValueError as error:
        raise CommandError(f"{word!r} is not a head as this command prints it.") from error


def _as_json(verdict: Verdict) -> str:
    waiting = verdict.waiting
    facts = {
        "holds": verdict.holds,
        "head": None if verdict.head is None else str(verdict.head),
        "first_block": verdict.first,
        "blocks": verdict.blocks,
        "rows": verdict.rows,
        "tampered": verdict.tampered,
        "findings": [{**asdict(finding), "told": str(finding)} for finding in verdict.findings],
        "waiting_rows": waiting.rows,
        "waiting_since": waiting.oldest_at and waiting.oldest_at.isoformat(),
        "seconds": round(verdict.seconds, 3),
    }
    return json.dumps(facts)


def _as_text(verdict: Verdict) -> str:
    lines = [str(finding) for finding in verdict.findings]
    if verdict.tampered > len(lines):
        lines.append(f"and {verdict.tampered - len(lines):,} more")
    if verdict.waiting.is_late(now=timezone.now()):
        lines.append(
            f"{verdict.waiting.rows:,} rows wait to be linked, the oldest since "
            f"{verdict.waiting.oldest_at}: is the worker running, and beat?"
        )
    found = (
        "is as it was written" if verdict.holds else f"was TAMPERED WITH {verdict.tampered:,} times"
    )
    lines += [
        f"{verdict.rows:,} rows in {verdict.blocks:,} blocks: what is linked {found}. "
        f"{verdict.seconds:.1f} s, {verdict.waiting.rows:,} rows are not linked yet.",
        f"audit_head {verdict.head or 'none'}",
    ]
    return "\n".join(lines)
