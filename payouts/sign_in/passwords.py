"""Rules for passwords beyond Django's own.

Fifteen characters or more (ASVS 6.2.1's advice, above PCI's twelve), letters and digits (PCI DSS
8.3.6; ASVS 6.2.5 would not have it, see the decision record), none of the last four (8.3.7).
Nobody has to change a password by the calendar: there is always a second factor (8.3.9).
"""

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from payouts.models import FormerPassword


class LettersAndDigits:
    """At least one letter and one digit."""

    def validate(self, password: str, user: User | None = None) -> None:
        has_letter = any(one.isalpha() for one in password)
        if not has_letter or not any(one.isdigit() for one in password):
            raise ValidationError(self.get_help_text(), code="password_letters_and_digits")

    def get_help_text(self) -> str:
        return "Your password must contain a letter and a digit."


class NotOneOfTheLast:
    """None of the last `passwords`, the one in use included."""

    def __init__(self, passwords: int = 4) -> None:
        self.passwords = passwords

    def validate(self, password: str, user: User | None = None) -> None:
        if user is None or user.pk is None:
            return
        former = FormerPassword.objects.filter(user=user).order_by("-pk")
        kept = former.values_list("encoded", flat=True)[: self.passwords]
        if any(check_password(password, encoded) for encoded in {user.password, *kept}):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Django says so after a new password was stored: keep it to compare with."""
        if user is None:
            return
        FormerPassword.objects.create(user=user, encoded=user.password)
        kept = FormerPassword.objects.filter(user=user).order_by("-pk")[: self.passwords]
        FormerPassword.objects.filter(user=user).exclude(pk__in=[one.pk for one in kept]).delete()

    def get_help_text(self) -> str:
        return f"Your password must be none of your last {self.passwords}."
