"""What tests of signing in share: people with passwords and second factors, and the doors."""

from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.test import Client

from payouts.models import UsedCode
from payouts.operations.check_factor import usable_code
from tests.pushes import make_staff

SIGN_IN: Final = "/admin/sign-in/"
SECOND_FACTOR: Final = "/admin/sign-in/second-factor/"
SET_UP: Final = "/admin/security/set-up/"
SECURITY: Final = "/admin/security/"
HOME: Final = "/admin/"

PASSWORD: Final = "correct horse battery staple 1"
WRONG_CODE: Final = "000000"


def make_member(username: str = "grace", *roles: str) -> User:
    """A member of staff with a password, and no second factor yet."""
    member = make_staff(username, *(roles or ("viewer",)))
    member.set_password(PASSWORD)
    member.save()
    return member


def give_app(user: User) -> Authenticator:
    """An authenticator app, as if set up long ago."""
    app: Authenticator = TOTP.activate(user, generate_totp_secret()).instance
    RecoveryCodes.activate(user)
    return app


def code_of(user: User) -> str:
    """The code that the person's app shows now; may be used, even if one was just used."""
    UsedCode.objects.filter(user=user).delete()
    return usable_code(Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP))


def recovery_codes_of(user: User) -> list[str]:
    codes: Any = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    return list(codes.wrap().get_unused_codes())


def give_password(client: Client, username: str = "grace", password: str = PASSWORD) -> Any:
    return client.post(SIGN_IN, {"login": username, "password": password})


def give_code(client: Client, code: str) -> Any:
    return client.post(SECOND_FACTOR, {"code": code})


def is_in(client: Client) -> bool:
    """Whether this browser reaches the product."""
    return client.get(HOME).status_code == 200
