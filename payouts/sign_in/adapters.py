"""What django-allauth asks us while it signs somebody in: who may, how often, under which key."""

from base64 import b64decode, b64encode
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from consumers.audit import Act, Subject, Verb, record_act, subject_of
from consumers.vault import key_ring_from_settings, seal_text, unseal_text
from payouts.operations.count_tries import (
    LockedOut,
    count_try,
    forget_tries,
    lock_if_last,
    password_key,
)
from payouts.operations.members import first_password_of
from payouts.operations.second_factors import SEALED_FOR, has_other_factor
from payouts.sign_in.state import note_first_password
from payouts.sign_in.words import (
    FIRST_IS_OVER,
    ONLY_FACTOR,
    WRONG_FACTOR,
    WRONG_PASSWORD,
    locked_words,
)

# Whoever comes or goes sees it, and the page of new codes says itself that they are shown once.
_NEEDLESS: Final = frozenset(
    {
        "account/messages/logged_in.txt",
        "account/messages/logged_out.txt",
        "mfa/messages/recovery_codes_generated.txt",
    }
)


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Only staff come in, nobody signs up, and tries are counted in the database."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG_PASSWORD,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        username = str(credentials.get("username", ""))
        key, tried = password_key(username), User.objects.filter(username=username).first()
        # A name that nobody has is counted and locked alike, and told alike.
        subject = Subject("auth.user") if tried is None else subject_of(tried)
        try:
            count_try(key, subject=subject)
            user = authenticate(request, **credentials)
            if isinstance(user, User) and user.is_staff:
                forget_tries(key)
                _require_time_left(user)
                return user
            lock_if_last(key, subject=subject)
        except LockedOut as lock:
            raise ValidationError(locked_words(lock.until), code="locked") from lock
        return None

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        # A passkey brings a person here without a password.
        if user.is_active and user.is_staff:
            if first_password_of(user) is not None:
                note_first_password(request, user.pk)
            return None
        messages.error(request, WRONG_FACTOR)
        return HttpResponseRedirect(reverse("account_login"))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *more: Any,
        **named: Any,
    ) -> None:
        if message_template not in _NEEDLESS:
            super().add_message(request, level, message_template, *more, **named)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        # Its own question takes a password for an answer. Ours is `fresh_second_factor`.
        return False


def _require_time_left(user: User) -> None:
    """Whoever gives the right password may learn that it is too old."""
    first = first_password_of(user)
    if first is not None and first.expires_at <= timezone.now():
        act = Act(verb=Verb.SIGN_IN, subject=subject_of(user))
        record_act(act.refused("first password has expired"))
        raise ValidationError(FIRST_IS_OVER, code="expired")


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors lie sealed under the vault's key, and the last one stays."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG_FACTOR,
        "cannot_delete_authenticator": ONLY_FACTOR,
    }

    def get_totp_issuer(self) -> str:
        return "Payouts"

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        sealed = seal_text(text, bound_to=SEALED_FOR, ring=key_ring_from_settings())
        return b64encode(sealed).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        sealed = b64decode(encrypted_text)
        return unseal_text(sealed, bound_to=SEALED_FOR, ring=key_ring_from_settings())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return has_other_factor(authenticator)

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002
        passkeys = Authenticator.objects.filter(user=user, type=type).count()
        return "My passkey" if not passkeys else f"My passkey {passkeys + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Payouts"}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        whole = super().get_public_key_credential_user_entity(user)
        return {**whole, "name": user.get_username()}
