"""Django's own `migrate`, as the role that owns the tables; it gives the product's role its rights.

Also when there is nothing to migrate: rights are as config/rights.py says after every run.
"""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from config.rights import TableWithoutRights, grant_rights
from consumers.table_owner import as_owner


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
            if options["plan"] or options["check_unapplied"]:
                return
            try:
                grant_rights()
            except TableWithoutRights as found:
                raise CommandError(
                    f"config/rights.py does not say what may be done to: {found}. "
                    "The rights of the product's role are as before."
                ) from found
