"""Takes a partner on."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.management.arguments import partner_name
from payouts.operations.partners import PartnerExists, create_partner


class Command(BaseCommand):
    help = "Create a partner with its ledger accounts. It has no money and nobody who may sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what staff call the partner; unique")
        parser.add_argument("--json", action="store_true", help="print the partner as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            partner = create_partner(partner_name(options["name"]))
        except PartnerExists as error:
            raise CommandError(f"There is a partner named {str(error)!r} already.") from error
        if options["json"]:
            self.stdout.write(json.dumps({"partner_id": str(partner.pk), "name": partner.name}))
        else:
            self.stdout.write(f"Created the partner {partner.name!r}, id {partner.pk}.")
