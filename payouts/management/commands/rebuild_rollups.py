"""Writes the sums behind the first page anew, or says whether they are right."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payouts.checks import examine, snapshot
from payouts.operations.follow_events import rebuild_rollups
from payouts.rollups.invariants import ROLLUP_INVARIANTS


class Command(BaseCommand):
    help = (
        "Write the rollups (sums of pushes by time, status, reason and partner) anew from the "
        "payments. Can run while everything else does. With --check, compare them with the "
        "payments and change nothing; exits with 1 when they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
            return
        began = time.monotonic()
        payments = rebuild_rollups()
        seconds = time.monotonic() - began
        self.stdout.write(f"The rollups count {payments:,} pushes. {seconds:.1f} s.")

    def _check(self) -> None:
        with snapshot():
            findings = [examine(invariant) for invariant in ROLLUP_INVARIANTS]
        for finding in findings:
            verdict = "holds" if finding.holds else "BROKEN"
            self.stdout.write(f"{verdict:6} {finding.name}: {finding.examined:,} examined")
            for told in finding.violations:
                self.stdout.write(f"  {told}")
        if not all(finding.holds for finding in findings):
            raise SystemExit(1)
