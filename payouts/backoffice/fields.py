"""Form fields of the back office: dollars as people write them, notes without card numbers."""

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
from payouts.money import LARGEST_PUSH, NotAnAmount, parse_amount

if TYPE_CHECKING:
    from django.forms import Textarea as LongText
    from django.forms import TextInput as ShortText
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as LongText
    from unfold.widgets import UnfoldAdminTextInputWidget as ShortText

__all__ = ["AmountField", "LongText", "NoteField", "ShortText", "plain_dollars"]

_DOLLARS: Final = re.compile(
    r"\$?\s*([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+)"
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
