"""Says whether the installation works, the worker included."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.health import health, workers_alive
from config.rights import role_findings


class Command(BaseCommand):
    help = (
        "Check the database, its migrations, the broker, the workers, and whether payments are "
        "late. Exits with 1 when something is wrong. What the database role may do too much is "
        "told, and does not count."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the facts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = health()
        workers = workers_alive() if found.broker else []
        is_well = found.is_ready and found.broker and bool(workers) and not found.is_late
        facts = {"status": "ok" if is_well else "unwell", **asdict(found), "workers": workers}
        if found.migrations:
            role = role_findings()
            facts |= {
                "role": role.role,
                "role_may_too_much": list(role.too_much),
                "role_lacks": list(role.too_little),
            }
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            for name, fact in facts.items():
                self.stdout.write(f"{name:20} {_in_words(fact)}")
        if not is_well:
            raise SystemExit(1)


def _in_words(fact: object) -> str:
    match fact:
        case True:
            return "yes"
        case False:
            return "no"
        case None | []:
            return "none"
        case list():
            return ", ".join(fact)
        case _:
            return str(fact)
