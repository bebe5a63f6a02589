"""The shapes of requests: a base and strict fields that name everything that is wrong, at once.

A shape says what a well-formed request looks like. Whether it can be done is for operations to say.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from consumers.api.problems import shown_name
from consumers.typed_numbers import held_card_number

EARLIEST_BIRTH = date(1900, 1, 1)

# For the schema: no control character of Unicode (category Cc), and not empty; where emptiness is
# allowed, the schema says so beside the form.
ONE_LINE = r"^[^\u0000-\u001f\u007f-\u009f]+$"
SOME_LINES = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]+$"

# Control characters and halves of surrogate pairs.
_NEVER_TEXT = frozenset({"Cc", "Cs"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


Problems = dict[str, Any]


class Shape(serializers.Serializer[Any]):
    """A request body. Refuses what it does not know, and reports all problems of all fields.

    `read_only_names` are members of the answer that a client may send back unchanged (`unchanged`
    holds their present values), but never change.
    """

    read_only_names: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls,
        document: Mapping[str, Any],
        *,
        partial: bool = False,
        unchanged: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the validated members of `document`.

        With `partial` a missing required field is not a problem, and defaults are not filled in.

        Raises:
            ValidationError: with every problem of every field, known or unknown.
        """
        names = cls.read_only_names
        if names and not names.isdisjoint(document):
            shown = unchanged or {}
            document = {
                name: value
                for name, value in document.items()
                if name not in names or name not in shown or shown[name] != value
            }
        members: dict[str, Any] = _shape_of(cls, partial=partial).run_validation(document)
        return members

    def problems_across(self, document: Mapping[str, Any]) -> Problems:
        """What is wrong with fields together, though each may be right; for subclasses.

        Called with the document as sent, so that these problems are named beside all others.
        """
        return {}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        errors: Problems = {
            shown_name(name): [self._problem_with_name(name)]
            for name in sorted(data.keys() - self.fields.keys())
        }
        errors = {**self.problems_across(data), **errors}
        try:
            members = super().to_internal_value(data)
        except ValidationError as error:
            own = error.detail if isinstance(error.detail, dict) else {}
            raise ValidationError({**errors, **own}) from None
        if errors:
            raise ValidationError(errors)
        return members

    def _problem_with_name(self, name: str) -> ErrorDetail:
        if name in self.read_only_names:
            return ErrorDetail("This field cannot be changed by a request.", "read_only")
        return ErrorDetail("There is no such field.", "unknown_field")


@cache
def _shape_of(cls: type[Shape], *, partial: bool) -> Shape:
    # A shape keeps nothing between two calls of run_validation, so that one instance serves all
    # requests; making one copies every field and costs more than the validation itself.
    return cls(partial=partial)


class Text(serializers.CharField):
    """A string, taken exactly as sent: no numbers, no trimming, no control characters.

    Args:
        lines: allow line breaks and tabs.
    """

    default_error_messages = {
        "invalid": "A string is required.",
        "control_characters": "Control characters are not allowed here.",
    }

    def __init__(self, *, lines: bool = False, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)
        # `to_internal_value` refuses what these two refuse, and more, in one look.
        self.validators = [
            validator
            for validator in self.validators
            if not isinstance(
                validator, ProhibitNullCharactersValidator | ProhibitSurrogateCharactersValidator
            )
        ]
        self.lines = lines
        self.pattern = SOME_LINES if lines else ONE_LINE

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # The parent compares with "" before it looks at the type.
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)

    def to_internal_value(self, data: str) -> str:
        if not data.isprintable() and self._has_control_characters(data):
            self.fail("control_characters")
        return data

    def _has_control_characters(self, text: str) -> bool:
        allowed = "\n\t" if self.lines else ""
        return any(
            unicodedata.category(character) in _NEVER_TEXT and character not in allowed
            for character in text
        )


class Note(Text):
    """A string that is kept and shown as it is for years, so a card number may not hide in it."""

    default_error_messages = {"card_number": "A card number does not belong here."}

    def to_internal_value(self, data: str) -> str:
        value = super().to_internal_value(data)
        if held_card_number(value):
            self.fail("card_number")
        return value


class PatternText(Text):
    """A string of one form. `message` says which, for people; `pattern` for machines."""

    default_error_messages = {"invalid_format": "{message}"}

    def __init__(self, pattern: str, *, message: str, **options: Any) -> None:
        super().__init__(**options)
        self.pattern = pattern
        self.message = message
        self.matches = re.compile(pattern).search

    def to_internal_value(self, data: str) -> str:
        value = super().to_internal_value(data)
        # `$` alone would let a line break pass at the end; control characters are refused above.
        if self.matches(value) is None:
            self.fail("invalid_format", message=self.message)
        return value


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class Email(Text):
    """An e-mail address, checked for its form only."""

    default_error_messages = {"invalid_email": "This is not an e-mail address."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self._form = serializers.EmailField()

    def to_internal_value(self, data: str) -> str:
        value = super().to_internal_value(data)
        try:
            self._form.run_validation(value)
        except ValidationError:
            self.fail("invalid_email")
        return value


class Whole(serializers.IntegerField):
    """A whole number; no booleans, no fractions.

    Args:
        as_text: the form of strings that are taken for a number too, for what people also write as
            text (`"04"` for April); without it no string is.
    """

    default_error_messages = {"invalid": "A whole number is required."}

    def __init__(self, *, as_text: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.as_text = as_text

    def to_internal_value(self, data: Any) -> int:
        if self.as_text and isinstance(data, str) and re.fullmatch(self.as_text, data):
            return int(data)
        if isinstance(data, Decimal) and data == data.to_integral_value():
            # To JSON 8.0 is a whole number too.
            return int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class Birthday(serializers.Field[date, Any, str, Any]):
    """A day on which somebody alive may have been born, as `YYYY-MM-DD`."""

    default_error_messages = {
        "invalid": "A date as YYYY-MM-DD is required.",
        "out_of_range": "The date must be from {earliest} to {latest}.",
    }

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not _DAY.fullmatch(data):
            self.fail("invalid")
        try:
            day = date.fromisoformat(data)
        except ValueError:
            self.fail("invalid")
        today = timezone.now().date()
        if not EARLIEST_BIRTH <= day <= today:
            self.fail("out_of_range", earliest=EARLIEST_BIRTH, latest=today)
        return day

    def to_representation(self, value: date) -> str:
        return value.isoformat()


@extend_schema_field({"type": "string", "format": "uuid"})
class Id(serializers.Field[UUID, Any, str, Any]):
    """A UUID in its usual form with hyphens."""

    default_error_messages = {"invalid": "A UUID is required."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid")
        return UUID(data)

    def to_representation(self, value: UUID) -> str:
        return str(value)
