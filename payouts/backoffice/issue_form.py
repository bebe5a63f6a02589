"""The form that issues a push. It reads what was typed; whether that can be done it cannot say."""

from typing import Final

from django import forms

from consumers.typed_numbers import held_card_number
from payouts.backoffice.fields import AmountField, LongText, NoteField, ShortText

TYPED: Final = ("consumer", "card", "amount", "description", "reference")


class PushForm(forms.Form):
    """Whom, to which card, how much, and what for."""

    consumer = forms.UUIDField(widget=forms.HiddenInput)
    card = forms.UUIDField(error_messages={"required": "Choose a card."})
    amount = AmountField(
        widget=ShortText(
            attrs={
                "inputmode": "decimal",
                "autocomplete": "off",
                "placeholder": "0.00",
                # What is wrong with it comes and goes while it is typed.
                "aria-describedby": "id_amount_error",
            }
        ),
        error_messages={"required": "Say how much."},
    )
    description = NoteField(
        max_length=500,
        required=False,
        widget=LongText(attrs={"rows": 2}),
        help_text="What the push is for. Optional.",
    )
    reference = NoteField(
        max_length=64,
        required=False,
        widget=ShortText(attrs={"autocomplete": "off"}),
        help_text="The partner's own number, such as an invoice. Optional.",
    )

    @property
    def chosen_card(self) -> str:
        """The card as the page has to check it again, valid or not."""
        return str(self["card"].value() or "")

    @property
    def holds_a_card_number(self) -> bool:
        """Whether one was typed somewhere: then what was typed may not stand in an address."""
        return any(held_card_number(value) for value in self._typed().values())

    def values(self) -> dict[str, str]:
        """What is filled in, right or wrong, for an address that opens the form like this.

        A text that holds a card number is left out: addresses are kept by browsers and logs.
        """
        typed = self._typed()
        return {name: "" if held_card_number(text) else text for name, text in typed.items()}

    def cleaned_values(self) -> dict[str, str]:
        """The same as a valid form understands it: always alike for the same push."""
        return {name: str(self.cleaned_data[name]) for name in TYPED}

    def _typed(self) -> dict[str, str]:
        return {name: str(self[name].value() or "") for name in TYPED}
