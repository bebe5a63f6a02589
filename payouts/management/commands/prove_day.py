"""Proves that payments, ledger and the network's files say the same about a day."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.models import DayProof
from payouts.operations.reconciliation.prove_day import prove_day
from payouts.reconciliation.day_proofs import Verdict


class Command(BaseCommand):
    help = (
        "Prove a day (UTC; yesterday unless told): payments = ledger = network file. Keeps what "
        "was found. Exits with 1 when something differs that nobody has found."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("day", nargs="?", metavar="YYYY-MM-DD")
        parser.add_argument("--json", action="store_true", help="print the proof as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        proof = prove_day(_day(options["day"]))
        told = {**proof.figures, "sha256": proof.digest}
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(proof))
        if proof.verdict == Verdict.BROKEN:
            raise SystemExit(1)


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date() - timedelta(days=1)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no day; write it like 2026-11-21.") from None
    if day > datetime.now(UTC).date():
        raise CommandError(f"{day} has not begun yet, in UTC.")
    return day


def _as_text(proof: DayProof) -> str:
    sums = {name: one for name, one in proof.figures.items() if isinstance(one, dict)}
    return "\n".join(
        [
            f"{proof.day}: {proof.verdict.replace('_', ' ')}",
            *(
                f"{name.replace('_', ' '):20} {one['number']:12,} {one['amount']:>20}"
                for name, one in sums.items()
            ),
            f"unexplained {proof.figures['unexplained']}",
            f"SHA-256 {proof.digest}",
        ]
    )
