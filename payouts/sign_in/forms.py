"""The forms of signing in: django-allauth's, with our way to look at a second factor."""

import struct
from typing import Any, Final

from allauth.account.forms import LoginForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from payouts.operations.check_factor import WrongFactor, check_code, checked
from payouts.operations.count_tries import LockedOut
from payouts.sign_in.words import WRONG_FACTOR, locked_words

# What reading bytes that anybody may have sent can end in.
_UNREADABLE: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error)

CODE_FIELD: Final = {
    "autofocus": True,
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "maxlength": "32",
}


class EnterForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "User name"
        self.fields["login"].widget.attrs = {"autocomplete": "username webauthn", "autofocus": True}
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}
        self.fields["password"].help_text = ""


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of the app, or a recovery code, while signing in."""

    code = forms.CharField(label="Code", widget=forms.TextInput(attrs=CODE_FIELD))

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        self.authenticator = code_shown(self.user, code)
        return code


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey, while signing in."""

    def clean_credential(self) -> Authenticator:
        return passkey_shown(self.user, self.cleaned_data["credential"])


class ActivateAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new app shows that it has the secret."""

    code = forms.CharField(
        label="Code that the app shows", widget=forms.TextInput(attrs=CODE_FIELD)
    )

    def clean_code(self) -> str:
        code = "".join(str(self.cleaned_data["code"]).split())
        if not totp.validate_totp_code(self.secret, code):
            raise ValidationError("That is not the code. Wait for the next one and type it.")
        return code


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey under a name; it always asks who holds it, and can sign in by itself."""

    name = forms.CharField(label="Name", max_length=60, required=False)
    passwordless = forms.BooleanField(initial=True, widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        return _readable(RegistrationResponse, self.cleaned_data["credential"])


class EnterByPasskeyForm(LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of name and password: it names its person itself."""

    def clean_credential(self) -> Authenticator:
        _readable(AuthenticationResponse, self.cleaned_data["credential"])
        return super().clean_credential()


class RenamePasskeyForm(forms.Form):
    name = forms.CharField(label="Name", max_length=60)


class OwnPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not one at run time
    """The password that a person chooses instead of the one that was handed over."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].widget.attrs["autofocus"] = True
        self.fields["new_password2"].label = "The same again"


def code_shown(user: User, code: str) -> Authenticator:
    """Whose code it is.

    :raises ValidationError: in words for the person; the try counts.
    """
    try:
        return check_code(user, code=code)
    except WrongFactor as wrong:
        raise ValidationError(WRONG_FACTOR, code="wrong") from wrong
    except LockedOut as lock:
        raise ValidationError(locked_words(lock.until), code="locked") from lock


def _readable(
    kind: type[AuthenticationResponse] | type[RegistrationResponse], credential: Any
) -> Any:
    """The browser's answer, if it is made like one. What it says is looked at by others.

    :raises ValidationError: for anything else.
    """
    try:
        kind.from_dict(credential)
        credential["response"]["clientDataJSON"]
    except _UNREADABLE as error:
        told = "The browser's answer cannot be read. Try again."
        raise ValidationError(told, code="unreadable") from error
    return credential


def passkey_shown(user: User, credential: Any) -> Authenticator:
    """The passkey that answered the challenge of this session. Raises like `code_shown`."""

    def look() -> Authenticator | None:
        try:
            webauthn.parse_authentication_response(_readable(AuthenticationResponse, credential))
            return webauthn.complete_authentication(user, credential)
        except ValidationError:
            return None

    try:
        return checked(user, look=look)
    except WrongFactor as wrong:
        raise ValidationError("This passkey was not accepted. Try again.", code="wrong") from wrong
    except LockedOut as lock:
        raise ValidationError(locked_words(lock.until), code="locked") from lock
