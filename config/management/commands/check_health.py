"""Says whether the installation works, the worker included."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.health import health, workers_alive


class Command(BaseCommand):
    help = (
        "Check the database, its migrations, the broker, the workers, and whether payments are "
        "late. Exits with 1 when something is wrong."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the facts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = health()
        workers = workers_alive() if found.broker else []
        is_well = found.is_ready and found.broker and bool(workers) and not found.is_late
        facts = {"status": "ok" if is_well else "unwell", **asdict(found), "workers": workers}
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
