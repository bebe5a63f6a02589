"""The form that issues a push. It reads what was typed; whether that can be done it cannot say."""

from typing import Any

from django import forms

from payouts.backoffice.fields import AmountField, LongText, NoteField, ShortText


class PushForm(forms.Form):
    """Whom, to which card, how much, and what for."""

    consumer = forms.UUIDField(widget=forms.HiddenInput)
    card = forms.UUIDField(error_messages={"required": "Choose a card."})
    amount = AmountField(
        widget=ShortText(
            attrs={"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"}
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

    def values(self) -> dict[str, Any]:
        """What is filled in, for an address that opens the form like this."""
        return {name: self[name].value() for name in self.fields if self[name].value()}
