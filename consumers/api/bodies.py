"""The shapes of requests about consumers and cards."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone
from rest_framework.exceptions import ErrorDetail, ValidationError

from consumers.api.shapes import Birthday, Email, Note, PatternText, Problems, Shape, Text, Whole
from consumers.cards import CARD_EXPIRED, CardProblem, problems_with_expiry, problems_with_number

# Printable, and neither the first nor the last character is a blank: it stands in addresses.
PCID_PATTERN: Final = (
    r"^[^\s\u0000-\u001f\u007f-\u009f]"
    r"([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$"
)
PHONE_PATTERN: Final = r"^\+[1-9][0-9]{1,14}$"
TAX_IDENTIFIER_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z -]{2,18}[0-9A-Za-z]$"
# The usual ways to write a number; more blanks and dashes are understood (`consumers/cards.py`).
CARD_NUMBER_PATTERN: Final = r"^[0-9]([ -]?[0-9]){12,18}$"
MONTH_AS_TEXT: Final = r"^(0?[1-9]|1[0-2])$"
YEAR_AS_TEXT: Final = r"^[2-9][0-9]{3}$"


def _optional(longest: int, **options: Any) -> Note:
    return Note(required=False, allow_blank=True, default="", max_length=longest, **options)


class PartnersOwnId(PatternText, Note):
    """What a partner calls a person; it stands in addresses, files and webhooks."""


class ConsumerBody(Shape):
    """A consumer as the partner writes it."""

    read_only_names = frozenset({"id", "kyc_status", "is_active", "created_at"})

    pcid = PartnersOwnId(
        PCID_PATTERN,
        message="Blanks around it and control characters are not allowed.",
        max_length=128,
        help_text="Your own id for this person, unique among your consumers.",
    )
    first_name = _optional(100)
    last_name = _optional(100)
    email = Email(required=False, allow_blank=True, default="")
    phone_number = PatternText(
        PHONE_PATTERN,
        message="A phone number in E.164 form is required: + and 2 to 15 digits.",
        required=False,
        allow_blank=True,
        default="",
        max_length=16,
        help_text="E.164, e.g. +14155550123.",
    )
    date_of_birth = Birthday(required=False, allow_null=True, default=None)
    tax_id_type = _optional(16, help_text="E.g. SSN, ITIN or EIN.")
    tax_identifier = PatternText(
        TAX_IDENTIFIER_PATTERN,
        message="4 to 20 letters, digits, blanks and hyphens are required.",
        required=False,
        allow_blank=True,
        default="",
        max_length=20,
        help_text="Written whole; read masked, e.g. ***-**-1234.",
    )
    address_line1 = _optional(120)
    address_line2 = _optional(120)
    address_city = _optional(80)
    address_state = _optional(40)
    address_zip = _optional(16)


class CancelAccount(Shape):
    """Why a consumer's account is closed, if the caller says so."""

    cancellation_reason = _optional(200)
    details = _optional(2000, lines=True)


class CardNumber(Text):
    """A card number as a person types it. No message of this field repeats any of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pattern = CARD_NUMBER_PATTERN

    def to_internal_value(self, data: str) -> str:
        problems = problems_with_number(super().to_internal_value(data))
        if problems:
            raise ValidationError([_detail_of(problem) for problem in problems])
        return data


_NO_MONTH: Final = "The month is a number from 1 to 12."
_NO_YEAR: Final = "The year has four digits, such as 2039."


class CardEdit(Shape):
    """What may be changed about a card."""

    read_only_names = frozenset(
        {"id", "consumer_id", "number", "network", "card_type", "bin", "last4", "status", "push"}
        | {"created_at"}
    )

    expiration_month = Whole(
        as_text=MONTH_AS_TEXT,
        min_value=1,
        max_value=12,
        error_messages=dict.fromkeys(("min_value", "max_value"), _NO_MONTH),
    )
    expiration_year = Whole(
        as_text=YEAR_AS_TEXT,
        min_value=2000,
        max_value=9999,
        error_messages=dict.fromkeys(("min_value", "max_value"), _NO_YEAR),
    )
    cardholder_name = _optional(120)
    postal_code = _optional(16)
    nickname = _optional(60)


class CardBody(CardEdit):
    """A card as the partner writes it."""

    read_only_names = frozenset()

    number = CardNumber(max_length=40, write_only=True, help_text="13 to 19 digits.")

    def problems_across(self, document: Mapping[str, Any]) -> Problems:
        month = _number_in(self.fields["expiration_month"], document)
        year = _number_in(self.fields["expiration_year"], document)
        if month is None or year is None:
            return {}
        problems = problems_with_expiry(month, year, timezone.now().date())
        # That a card has expired is no fault of the request's shape: adding it is refused.
        return {
            problem.field: [_detail_of(problem)]
            for problem in problems
            if problem.code != CARD_EXPIRED
        }


class NoBody(Shape):
    """A request that says everything by its address."""


def _number_in(field: Any, document: Mapping[str, Any]) -> int | None:
    """The number in the document if the field alone finds nothing wrong with it."""
    try:
        number: int = field.run_validation(document.get(field.field_name))
    except ValidationError:
        return None
    return number


def _detail_of(problem: CardProblem) -> ErrorDetail:
    return ErrorDetail(problem.message, problem.code)
