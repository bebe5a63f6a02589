"""The demo shows the codes that elsewhere a phone shows, so that anybody can sign in at once."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User

from payouts.operations.check_factor import usable_code


def shown_code(user: User) -> str:
    """The code of the person's app in the demo; nothing anywhere else, whatever is set."""
    if settings.PRODUCTION or not settings.DEMO_SHOWS_CODES:
        return ""
    app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    return "" if app is None else usable_code(app)
