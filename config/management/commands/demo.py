"""Runs the whole product on this machine: `make demo`."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo.children import ChildEnded
from config.demo.run import DemoCannotStart, run_demo

DEFAULT_PORT = "8000"


class Command(BaseCommand):
    help = (
        "Run PostgreSQL, the web server, a worker, beat and the sandbox network, with people and "
        "cards to try them with, until Ctrl-C. Scripts find the facts in var/demo.json."
    )
    # Checks need no database, but a demo that starts must say so itself, in its own words.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port",
            default=os.environ.get("PORT") or DEFAULT_PORT,
            help="of the web server; 0 takes a free one (default: $PORT, else 8000)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run_demo(port=_port(options["port"]), say=self._say)
        except (DemoCannotStart, ChildEnded) as problem:
            raise CommandError(str(problem)) from problem

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 2**16:
        return int(text)
    raise CommandError(f"PORT must be a number from 0 to 65535, not {text!r}.")
