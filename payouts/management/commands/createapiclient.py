"""Lets a partner's server in."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consumers.models import APIClient
from consumers.operations.api_clients import ALL_SCOPES, NewClient, UnknownScope, create_api_client
from payouts.management.arguments import partner_named

_LONGEST_NAME = APIClient._meta.get_field("name").max_length


class Command(BaseCommand):
    help = "Create an API client of a partner and print its secret, which is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("partner", help="name or id of the partner")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            metavar="SCOPE",
            help=f"{' or '.join(ALL_SCOPES)}; may be given twice; all when left out",
        )
        parser.add_argument("--name", default="API client", help="what staff call the client")
        parser.add_argument("--json", action="store_true", help="print the client as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        partner = partner_named(options["partner"])
        name = _client_name(options["name"])
        try:
            made = create_api_client(partner, name=name, scopes=options["scopes"] or ALL_SCOPES)
        except UnknownScope as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(_facts(made)) if options["json"] else _sentence(made))


def _client_name(word: str) -> str:
    name = word.strip()
    if not name or not name.isprintable() or len(name) > (_LONGEST_NAME or 0):
        raise CommandError(
            f"A client's name has 1 to {_LONGEST_NAME} characters that can be printed."
        )
    return name


def _facts(made: NewClient) -> dict[str, object]:
    return {
        "client_id": made.client.client_id,
        "client_secret": made.secret,
        "name": made.client.name,
        "scopes": made.client.scopes,
        "partner_id": str(made.client.partner_id),
    }


def _sentence(made: NewClient) -> str:
    return (
        f"Created {made.client.name!r} of {made.client.partner.name!r} with {made.client.scopes}.\n"
        f"client_id      {made.client.client_id}\n"
        f"client_secret  {made.secret}\n"
        "The secret is kept nowhere and is not shown again."
    )
