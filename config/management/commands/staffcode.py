"""Prints the code that a member of staff's authenticator app would show: in development only."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from payouts.operations.check_factor import usable_code


class Command(BaseCommand):
    help = "Print the current code of a person's authenticator app. Not in production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("In production codes are shown by people's own devices only.")
        apps = Authenticator.objects.filter(type=Authenticator.Type.TOTP)
        app = apps.filter(user__username=options["username"]).first()
        if app is None:
            raise CommandError(f"{options['username']} has no authenticator app.")
        self.stdout.write(usable_code(app))
