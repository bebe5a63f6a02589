"""Fills the tables with many realistic payments."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from consumers.table_owner import as_owner
from payouts.management.progress import Progress
from payouts.seeding.run import seed
from payouts.seeding.write import TriggersCannotSleep

_MOST_PROCESSES = 8
# Below this, starting processes takes longer than it saves.
_WORTH_PROCESSES = 50_000


class Command(BaseCommand):
    help = (
        "Add N made-up payments of made-up people, with attempts, histories and balanced journals, "
        "through COPY. Adds to what is there and may run beside the product; Ctrl-C ends it in "
        "good order. Works as the role that owns the tables, which has to be a superuser here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("payments", metavar="N", type=int, help="how many payments")
        parser.add_argument(
            "--partners",
            type=int,
            default=3,
            metavar="K",
            help="of how many partners, `Seeded partner 1` with the most (default: %(default)s)",
        )
        parser.add_argument(
            "--days",
            type=int,
            default=30,
            metavar="D",
            help="of the last D days (default: %(default)s)",
        )
        parser.add_argument(
            "--processes", type=int, help="how many write at once (default: one per processor)"
        )
        parser.add_argument(
            "--even-in-production",
            action="store_true",
            help="made-up money rows can never be deleted; production refuses them without this",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION and not options["even_in_production"]:
            raise CommandError(
                "This is production: made-up payments could never be removed from its ledger. "
                "Give --even-in-production if that is what you want."
            )
        for name in ("payments", "partners", "days"):
            if options[name] < 1:
                raise CommandError(f"{name} must be at least 1.")
        try:
            with as_owner():
                seed(
                    options["payments"],
                    partners=options["partners"],
                    days=options["days"],
                    processes=_processes(options),
                    told=Progress(self.stderr),
                )
        except TriggersCannotSleep as error:
            raise CommandError(
                "The database role may not set session_replication_role, so nothing was written: "
                f"use a superuser's role. ({error})"
            ) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was written by now is complete.") from None
        self.stdout.write(f"Added {options['payments']:,} payments.")


def _processes(options: dict[str, Any]) -> int:
    wanted: int | None = options["processes"]
    if wanted is None:
        wanted = (os.cpu_count() or 1) if options["payments"] >= _WORTH_PROCESSES else 1
    return max(1, min(wanted, _MOST_PROCESSES))
