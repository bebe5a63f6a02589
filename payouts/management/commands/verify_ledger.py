"""Says whether the money and the histories are right."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.checks import NAMED_AT_MOST, WORK_MEMORY_MB, Finding, examine, snapshot
from payouts.invariants import INVARIANTS
from payouts.networks.sandbox.book_reading import BookUnreadable, read_book_at, read_book_in
from payouts.networks.sandbox.entries import Entry
from payouts.reconciliation.book_comparison import compare_book

# Called only inside the snapshot: the book is to be read after it was taken.
Book = Callable[[], Iterator[Entry]]


class Command(BaseCommand):
    help = (
        "Check every invariant of ledger and histories over the whole database, on one snapshot. "
        "Exits with 1 when one does not hold. Reads only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        book = parser.add_mutually_exclusive_group()
        book.add_argument(
            "--sandbox",
            metavar="URL",
            help="also compare with the book of the sandbox network at this address",
        )
        book.add_argument(
            "--sandbox-book",
            metavar="PATH",
            type=Path,
            help="the same with the book's file, which may be in use",
        )
        parser.add_argument(
            "--work-memory-mb",
            type=int,
            default=WORK_MEMORY_MB,
            help="memory for each sort or hash of PostgreSQL (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            with snapshot(work_memory_mb=options["work_memory_mb"]):
                findings = [*self._ledger(), *self._comparison(_book(options))]
        except BookUnreadable as error:
            raise CommandError(f"The sandbox network's book cannot be read: {error}") from error
        holds = all(finding.holds for finding in findings)
        if options["json"]:
            self.stdout.write(_as_json(findings, holds=holds))
        else:
            self.stdout.write(_as_table(findings, seconds=time.monotonic() - began))
        if not holds:
            raise SystemExit(1)

    def _ledger(self) -> Iterator[Finding]:
        for number, invariant in enumerate(INVARIANTS, start=1):
            self._say(f"{number}/{len(INVARIANTS)} {invariant.name} …")
            yield examine(invariant)

    def _comparison(self, book: Book | None) -> Sequence[Finding]:
        if book is None:
            return ()
        self._say("The sandbox network's book …")
        return compare_book(book())

    def _say(self, line: str) -> None:
        # Standard error, but no error: not in its colour.
        self.stderr.write(line, style_func=str)


def _book(options: dict[str, Any]) -> Book | None:
    if address := options["sandbox"]:
        return lambda: read_book_at(address)
    if path := options["sandbox_book"]:
        return lambda: read_book_in(path)
    return None


def _as_json(findings: Sequence[Finding], *, holds: bool) -> str:
    checks = [
        {**asdict(finding), "holds": finding.holds, "seconds": round(finding.seconds, 3)}
        for finding in findings
    ]
    return json.dumps({"holds": holds, "checks": checks})


def _as_table(findings: Sequence[Finding], *, seconds: float) -> str:
    width = max(len(finding.name) for finding in findings)
    lines = [f"{'':6} {'':{width}} {'examined':>12} {'broken':>9} {'seconds':>8}"]
    for finding in findings:
        lines.append(
            f"{'holds' if finding.holds else 'BROKEN':6} {finding.name:{width}} "
            f"{finding.examined:12,} {finding.broken:9,} {finding.seconds:8.2f}"
        )
    for finding in findings:
        lines += _told(finding)
    broken = sum(not finding.holds for finding in findings)
    verdict = "Everything holds." if not broken else f"{broken} of {len(findings)} do NOT hold."
    return "\n".join([*lines, f"{verdict} {seconds:.1f} s."])


def _told(finding: Finding) -> list[str]:
    lines = []
    if finding.violations:
        lines += ["", f"NOT TRUE: {finding.name}", *(f"  {told}" for told in finding.violations)]
    if finding.broken > NAMED_AT_MOST:
        lines.append(f"  and {finding.broken - NAMED_AT_MOST:,} more")
    if finding.remarks:
        lines += ["", "Worth a look, and no fault:", *(f"  {told}" for told in finding.remarks)]
    return lines
