"""What the addresses of pages say, read exactly: what makes no sense is not found (404)."""

from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from django.http import Http404

# What any number of a row is below.
_MOST_DIGITS: Final = 18

Choice = TypeVar("Choice", bound=StrEnum)


def uuid_or_404(text: str | None) -> UUID | None:
    """The id that an address names; None if it names none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None


def number_or_404(text: str | None) -> int:
    """The number that an address names; 0 if it names none."""
    if not text:
        return 0
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise Http404
    return int(text)


def choice_or_404(kind: type[Choice], text: str | None) -> Choice | None:
    """Which of these an address names; None if it names none."""
    try:
        return kind(text) if text else None
    except ValueError:
        raise Http404 from None
