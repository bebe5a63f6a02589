"""Takes a partner's money in."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payouts.actors import COMMAND_LINE
from payouts.management.arguments import funding_amount, partner_named
from payouts.operations.partners import fund_partner
from payouts.queries import partner_balance


class Command(BaseCommand):
    help = (
        "Record that money of a partner has arrived at our bank. "
        "Every run is another arrival: do not repeat one that succeeded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("partner", help="name or id of the partner")
        parser.add_argument("amount", help="US dollars, as in 2500.00")
        parser.add_argument("--json", action="store_true", help="print what was booked as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        partner, amount = partner_named(options["partner"]), funding_amount(options["amount"])
        journal_id = fund_partner(partner, amount, actor=COMMAND_LINE)
        balance = partner_balance(partner.pk)
        if options["json"]:
            facts = {
                "partner_id": str(partner.pk),
                "name": partner.name,
                "amount": f"{amount:.2f}",
                "available": f"{balance.available:.2f}",
                "held": f"{balance.held:.2f}",
                "journal_id": str(journal_id),
            }
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(
                f"Booked {amount:.2f} USD for {partner.name!r} (journal {journal_id}). "
                f"Available now: {balance.available:.2f} USD, held: {balance.held:.2f} USD."
            )
