"""What is kept about how staff sign in: sessions, wrong tries, codes that were used, old passwords.

Second factors themselves are rows of django-allauth (`mfa_authenticator`).
"""

from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q


class StaffSession(AbstractBaseSession):
    """A browser that talks to us. `user` is set once somebody has signed in there.

    Deleting the row signs that browser out with its next request. What is known about the place is
    what its newest request has said.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    signed_in_at = models.DateTimeField(null=True)
    ip_address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=120, blank=True)

    @classmethod
    def get_session_store_class(cls) -> Any:
        from payouts.sign_in.sessions import SessionStore

        return SessionStore

    def __str__(self) -> str:
        return f"session of {self.user_id}"


class SignInTries(models.Model):
    """Tries at one account's password or second factor since the last that was right.

    `key` is a digest: it is kept for names that nobody has as well, so that a lock tells nothing.
    """

    key = models.BinaryField(primary_key=True, max_length=32)
    tries = models.PositiveIntegerField()
    tried_at = models.DateTimeField(db_index=True)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tries__gte=1), name="sign_in_tries_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.tries} tries"


class UsedCode(models.Model):
    """The newest time step whose code a person has used. No code of it or before counts again."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    step = models.BigIntegerField()

    def __str__(self) -> str:
        return f"step {self.step} of {self.user_id}"


class FormerPassword(models.Model):
    """A password that a person had, hashed like the one in use, so that it is not taken again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    encoded = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"former password of {self.user_id}"


class FirstPassword(models.Model):
    """The person's password was made by the product and handed over: good for choosing another.

    The row goes when that is done. After `expires_at` the password opens nothing at all.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"first password of {self.user_id}"
