"""Form fields of the back office: dollars and shares as people write them, notes without card
numbers."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError

from consumers.cards import (
    BLANKS_AND_DASHES,
    SHORTEST_NUMBER,
    is_plausible_number,
    normalise_number,
)
from consumers.typed_numbers import held_card_number
from payouts.backoffice.words import share_words
from payouts.fees import BASIS_POINTS_PER_ONE
from payouts.money import LARGEST_PUSH, NotAnAmount, parse_amount

if TYPE_CHECKING:
    from django.forms import Textarea as LongText
    from django.forms import TextInput as ShortText
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as LongText
    from unfold.widgets import UnfoldAdminTextInputWidget as ShortText

__all__ = ["AmountField", "LongText", "NoteField", "ShareField", "ShortText", "plain_dollars"]

_DOLLARS: Final = re.compile(
    r"\$?\s*([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+)"
)
_SHARE: Final = re.compile(
    r"([0-9]{1,5}(?:\.[0-9]{1,6})?)\s*(?:(%|percent|per cent)|(bps?|basis points?))?", re.IGNORECASE
)
# Where people read money otherwise than programs do.
_PEOPLE_S_WORDS: Final = {"too_large": f"Must be at most ${LARGEST_PUSH:,.2f}."}
_ROW_OF_DIGITS: Final = re.compile(rf"[0-9](?:[0-9{BLANKS_AND_DASHES}]*[0-9])?")


def plain_dollars(text: str) -> str:
    """The number in dollars that people have written; any other text as it is."""
    written = _DOLLARS.fullmatch(text.strip())
    return text if written is None else written[1].replace(",", "")


class AmountField(forms.CharField):
    """US dollars as people write them: `1250`, `1,250.00`, `$1,250.00`. Exact to the cent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=20, **options)

    def clean(self, value: Any) -> Decimal:
        text: str = super().clean(value)
        if _DOLLARS.fullmatch(text) is None:
            raise ValidationError("Write dollars and cents, like 1250.00.", code="invalid")
        try:
            return parse_amount(plain_dollars(text))
        except NotAnAmount as error:
            words = _PEOPLE_S_WORDS.get(error.code, str(error))
            raise ValidationError(words, code=error.code) from error


class ShareField(forms.CharField):
    """A share of an amount, as `1.25 %` or `125 bp`; cleaned it is basis points, 10,000 at most.

    A bare number is not taken, because 25 could be either; nothing is nothing in both.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=30, **options)

    def prepare_value(self, value: Any) -> Any:
        return share_words(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        text: str = super().clean(value)
        written = _SHARE.fullmatch(text)
        if written is None:
            raise ValidationError("Write a share like 1.25 % or 125 bp.", code="invalid")
        number, percent, points = Decimal(written[1]), written[2], written[3]
        if number and not (percent or points):
            raise ValidationError(f"Say which: {text} % or {text} bp.", code="ambiguous")
        shares = number * 100 if percent else number
        if shares % 1:
            raise ValidationError("The smallest step is 0.01 %, one basis point.", code="too_fine")
        if shares > BASIS_POINTS_PER_ONE:
            raise ValidationError("Must be at most 100 %.", code="too_large")
        return int(shares)


class NoteField(forms.CharField):
    """A text that is kept and shown for years, so a card number may not hide in it."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        rows = _ROW_OF_DIGITS.findall(text)
        if held_card_number(text) or any(_is_card_number(row) for row in rows):
            raise ValidationError("Leave the card number out: this is kept.", code="card_number")
        return text


def _is_card_number(row: str) -> bool:
    digits = normalise_number(row)
    return len(digits) >= SHORTEST_NUMBER and is_plausible_number(digits)
