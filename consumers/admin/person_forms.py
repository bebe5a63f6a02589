"""Forms about consumers and cards. What is well-formed they ask the shapes of the API.

A card number that somebody typed never goes back to the browser, whichever field it was typed into
and whatever else was wrong. Browsers are told to keep nothing: these are other people's numbers, so
`cc-number`, which offers to remember them, is not what the fields say.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from rest_framework.exceptions import ValidationError as ShapeError

from consumers.api.bodies import CardBody, CardEdit, ConsumerBody
from consumers.api.shapes import Shape
from consumers.audit.masking import masked_text
from consumers.cards import CardProblem
from consumers.models import Consumer, Partner, PaymentCard

# What browsers and the usual password managers understand as "keep out".
_KEEP_NOTHING: Final = {
    "autocomplete": "off",
    "autocapitalize": "off",
    "spellcheck": "false",
    "data-1p-ignore": "true",
    "data-bwignore": "true",
    "data-lpignore": "true",
}
_CARD_NUMBER: Final = "Leave the card number out: this is kept and shown."


class PlainText(forms.TextInput):
    """Shows again what was typed, unless a card number is in it."""

    def __init__(self, **attrs: str) -> None:
        super().__init__({"class": "po-input", **_KEEP_NOTHING, **attrs})

    def format_value(self, value: Any) -> str | None:
        return _without_card_number(super().format_value(value))


class PlainLines(forms.Textarea):
    """The same, over several lines."""

    def __init__(self) -> None:
        super().__init__({"class": "po-input", "rows": 3, **_KEEP_NOTHING})

    def format_value(self, value: Any) -> str | None:
        return _without_card_number(super().format_value(value))


class NeverShown(PlainText):
    """Shows nothing again, right or wrong."""

    def format_value(self, value: Any) -> None:
        return None


class ShapedForm(forms.Form):
    """A form whose fields are members of a shape; `members` holds them once the form is valid.

    `kept`: fields that mean "as it was" when they are empty.
    """

    shape: ClassVar[type[Shape]]
    is_partial: ClassVar[bool] = False
    kept: ClassVar[frozenset[str]] = frozenset()
    sections: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.members: dict[str, Any] = {}

    def typed(self) -> Mapping[str, Any]:
        """The members as they were typed."""
        names = self.shape().fields.keys() & self.cleaned_data.keys()
        return {
            name: self.cleaned_data[name]
            for name in names
            if self.cleaned_data[name] or name not in self.kept
        }

    def clean(self) -> dict[str, Any]:
        typed = {**self.typed()}
        if typed.get("date_of_birth") == "":
            typed["date_of_birth"] = None
        for name, value in typed.items():
            if name != "number" and value and _holds_card_number(str(value)):
                self.add_error(name, _CARD_NUMBER)
        try:
            self.members = self.shape.read(typed, partial=self.is_partial)
        except ShapeError as error:
            found: Any = error.detail
            for name, details in found.items():
                if name not in self.errors:
                    self.add_error(name, [str(detail) for detail in details])
        return self.cleaned_data

    def laid_out(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The visible fields, in sections with titles."""
        return [
            (title, [self[name] for name in names if name in self.fields])
            for title, names in self.sections
        ]

    def add_problems(self, problems: tuple[CardProblem, ...]) -> None:
        """Show what an operation found wrong."""
        for problem in problems:
            self.add_error(problem.field, problem.message)


def _text(label: str, help_text: str = "", **attrs: str) -> forms.CharField:
    widget = PlainText(**attrs)
    return forms.CharField(label=label, required=False, help_text=help_text, widget=widget)


class ConsumerForm(ShapedForm):
    """What is known about a person."""

    shape = ConsumerBody

    pcid = _text("pcid", "The partner's own id for this person.")
    first_name = _text("First name")
    last_name = _text("Last name")
    email = _text("E-mail", inputmode="email")
    phone_number = _text("Phone", "With country code, e.g. +14155550123.", inputmode="tel")
    address_line1 = _text("Address")
    address_line2 = _text("Address, second line")
    address_city = _text("City")
    address_state = _text("State")
    address_zip = _text("ZIP")
    date_of_birth = _text("Date of birth", "As 1990-12-31.", placeholder="YYYY-MM-DD")
    tax_id_type = _text("Kind of tax id", "E.g. SSN, ITIN or EIN.")
    tax_identifier = forms.CharField(
        label="Tax id",
        required=False,
        widget=NeverShown(),
        help_text="Sealed; only its last four characters are shown afterwards.",
    )

    sections = (
        ("Person", ("partner", "pcid", "first_name", "last_name")),
        ("Contact", ("email", "phone_number", "address_line1", "address_line2", "address_city",
                     "address_state", "address_zip")),
        ("Identity", ("date_of_birth", "tax_id_type", "tax_identifier")),
    )  # fmt: skip


class NewConsumerForm(ConsumerForm):
    partner = forms.ModelChoiceField(
        Partner.objects.filter(is_active=True).order_by("name"),
        widget=forms.Select(attrs={"class": "po-input"}),
        error_messages={"required": "Choose whose consumer this is."},
    )


class ConsumerEditForm(ConsumerForm):
    """Only what was changed is read: what stood there before may be older than today's rules."""

    is_partial = True
    kept = frozenset({"date_of_birth", "tax_identifier"})

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, consumer: Consumer, *args: Any, **options: Any) -> None:
        shown = {
            name: getattr(consumer, name)
            for name in ConsumerBody().fields.keys()  # noqa: SIM118  # its stubs say otherwise
            if name not in self.kept and name not in ConsumerBody.read_only_names
        }
        self.shown = shown
        initial = {**shown, "seen": seen_mark(consumer)}
        super().__init__(*args, initial=initial, **options)
        for name, is_known in (
            ("date_of_birth", consumer.date_of_birth is not None),
            ("tax_identifier", bool(consumer.tax_identifier_last4)),
        ):
            if is_known:
                self.fields[name].help_text = "On file. Leave it empty to keep what is there."

    def typed(self) -> Mapping[str, Any]:
        typed = super().typed()
        return {name: text for name, text in typed.items() if self.shown.get(name) != text}


def seen_mark(consumer: Consumer) -> str:
    """Says which state of the consumer a form showed."""
    return consumer.updated_at.isoformat()


class CardNotesForm(ShapedForm):
    """What is noted with a card."""

    shape = CardEdit
    is_partial = True

    expiration_month = _text("Expiry month", inputmode="numeric", placeholder="MM")
    expiration_year = _text("Expiry year", inputmode="numeric", placeholder="YYYY")
    cardholder_name = _text("Name on the card")
    postal_code = _text("ZIP of the card")
    nickname = _text("Nickname", "For people to tell cards apart.")

    def typed(self) -> Mapping[str, Any]:
        """Months and years as numbers, so that one that is too large is called that."""
        typed = {**super().typed()}
        for name in ("expiration_month", "expiration_year"):
            text = typed.get(name, "")
            if text.isascii() and text.isdigit() and len(text) <= 4:
                typed[name] = int(text)
        return typed

    sections = (
        ("Card", ("number", "expiration_month", "expiration_year")),
        ("Notes", ("cardholder_name", "postal_code", "nickname")),
    )


class CardEditForm(CardNotesForm):
    def __init__(self, card: PaymentCard, *args: Any, **options: Any) -> None:
        self.shown = {name: getattr(card, name) for name in CardEdit().fields.keys()}  # noqa: SIM118
        super().__init__(*args, initial=self.shown, **options)

    def typed(self) -> Mapping[str, Any]:
        typed = super().typed()
        return {name: text for name, text in typed.items() if self.shown[name] != text}


class NewCardForm(CardNotesForm):
    """A card with its number, which goes from here to the vault and nowhere else."""

    shape = CardBody
    is_partial = False

    number = forms.CharField(
        label="Number",
        required=False,
        strip=True,
        widget=NeverShown(inputmode="numeric"),
        help_text="Goes straight to the vault. It is never shown again, not even if something is "
        "wrong. Never write down the security code.",
    )
    field_order = ("number",)


class CloseForm(forms.Form):
    """Why an account is closed. Kept with the consumer and shown to staff."""

    reason = forms.CharField(max_length=200, widget=PlainText(), help_text="Kept and shown.")
    details = forms.CharField(
        max_length=2000,
        required=False,
        widget=PlainLines(),
        help_text="Optional. Never write a card number here.",
    )

    def clean(self) -> dict[str, Any]:
        for name, value in [*self.cleaned_data.items()]:
            if _holds_card_number(value):
                self.add_error(name, _CARD_NUMBER)
        return self.cleaned_data


class WhyForm(forms.Form):
    """Why. Stays in the audit trail."""

    reason = forms.CharField(
        max_length=200, widget=PlainText(), help_text="Stays in the audit trail."
    )


def _without_card_number(text: str | None) -> str | None:
    return "" if text and _holds_card_number(text) else text


def _holds_card_number(text: str) -> bool:
    # Characters that are not kept are not kept either way.
    storable = "".join(c for c in text if c.isprintable() or c in "\n\t")
    return masked_text(storable, longest=len(storable)) != storable
