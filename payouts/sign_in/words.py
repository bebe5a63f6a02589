"""The sentences that a person reads when signing in does not work."""

from datetime import datetime
from typing import Final

from django.conf import settings

WRONG_PASSWORD: Final = "User name or password is wrong."  # noqa: S105
WRONG_FACTOR: Final = (
    "That is not right, or was used before. Take the code that the app shows now, or a recovery "
    "code that was never used."
)

FIRST_IS_OVER: Final = (
    "This password was for the first time only, and its time is over. Ask an admin for another one."
)

ONLY_FACTOR: Final = "Set up another second factor first: this is the only one."


def locked_words(until: datetime) -> str:
    """For an account that is locked: true for names that nobody has as well."""
    return (
        f"{settings.SIGN_IN_TRIES} wrong tries. Nothing is looked at until {until:%H:%M} UTC, "
        "right or wrong. Come back then, or ask an admin."
    )
