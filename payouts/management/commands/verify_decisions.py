"""Says whether every signed decision was signed by whom and about what it says."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payouts.deciding.decision_proofs import Proofs, verify_decisions


class Command(BaseCommand):
    help = (
        "Verify all passkey signatures under decisions again: the signature over the statement, "
        "the statement over verdict, reason and pushes, and whose key it is. Exits with 1 when "
        "something is wrong. Writes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the facts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        proofs = verify_decisions()
        self.stdout.write(json.dumps(asdict(proofs)) if options["json"] else _as_text(proofs))
        if proofs.wrong:
            raise SystemExit(1)


def _as_text(proofs: Proofs) -> str:
    lines = [f"signature {one.signature_id} {one.told}" for one in proofs.findings]
    if proofs.wrong > len(lines):
        lines.append(f"and {proofs.wrong - len(lines):,} more")
    held = "all hold" if not proofs.wrong else f"{proofs.wrong:,} WRONG"
    lines.append(
        f"Signatures: {proofs.signatures:,}, under decisions: {proofs.signed:,}; {held}. "
        f"Decisions that rest on another second factor: {proofs.unsigned:,}."
    )
    return "\n".join(lines)
