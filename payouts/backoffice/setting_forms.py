"""Forms in which somebody proposes a change. They read what was typed; the kind judges it."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from consumers.operations.api_clients import ALL_SCOPES
from payouts.approvals import Source
from payouts.backoffice.fields import LongText, NoteField, ShareField, ShortText, plain_dollars
from payouts.backoffice.words import SOURCE_WORDS
from payouts.changes import Contents
from payouts.fees import FeeSchedule as Fees
from payouts.webhooks.events import EVENT_GROUPS, EVENT_TYPES

if TYPE_CHECKING:
    from django.forms import CheckboxInput as Checkbox
else:
    from unfold.widgets import UnfoldBooleanWidget as Checkbox

_HOUR: Final = 3600
_EITHER: Final = (("", "It does not matter"), ("yes", "Yes"), ("no", "No"))
_WORDS: Final = {True: "yes", False: "no", None: ""}


class _Select(forms.Select):
    def __init__(self, **options: Any) -> None:
        super().__init__(attrs={"class": "po-input"}, **options)


class _Dollars(forms.DecimalField):
    """A number as people write and paste dollars: `25000`, `25,000.00`, `$25,000.00`.

    `1e5` is a number as well, but nobody writes dollars so: it is a slip.
    """

    default_error_messages: ClassVar = {"invalid": "Write dollars and cents, like 1250.00."}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = plain_dollars(value)
            if "e" in value.lower():
                raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


def _money(**options: Any) -> forms.DecimalField:
    """Dollars and cents; empty where that means no bound."""
    return _Dollars(
        max_digits=14,
        decimal_places=2,
        widget=ShortText(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        **options,
    )


def _count(**options: Any) -> forms.IntegerField:
    widget = ShortText(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(widget=widget, **options)


class ProposalForm(forms.Form):
    """What should be, and why. `after` is what the kind is asked to make of it."""

    reads: ClassVar[tuple[str, ...]] = ()

    reason = NoteField(
        max_length=500,
        widget=LongText(attrs={"rows": 3}),
        error_messages={"required": "Say why."},
        help_text="Whoever decides reads it, and it is kept.",
    )
    field_order = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"])

    @classmethod
    def initial_of(cls, contents: Contents) -> dict[str, Any]:
        """What the form shows for something that is there."""
        return {name: contents[name] for name in cls.reads if name in contents}

    def after(self) -> Contents:
        return {name: self.cleaned_data[name] for name in self.reads}


class FundingForm(ProposalForm):
    reads = ("amount", "reference")

    amount = _money(label="Amount in US dollars")
    reference = NoteField(
        max_length=64,
        widget=ShortText(attrs={"autocomplete": "off"}),
        label="The bank's reference",
        help_text="As on the statement. One reference is booked once.",
    )


class FeeForm(ProposalForm):
    reads = ("valid_from", "fixed", "basis_points", "minimum", "maximum")

    fixed = _money(min_value=Decimal(0), label="Fixed part, in US dollars")
    basis_points = ShareField(
        label="Share of the amount",
        widget=ShortText(attrs={"autocomplete": "off"}),
        help_text="As 1.25 % or 125 bp: 100 basis points are 1 %.",
    )
    minimum = _money(min_value=Decimal(0), label="At least, in US dollars")
    maximum = _money(
        min_value=Decimal(0), required=False, label="At most, in US dollars",
        help_text="Empty: no upper bound.",
    )  # fmt: skip
    valid_from = forms.DateTimeField(
        required=False,
        label="Begins (UTC)",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "po-input"}, format="%Y-%m-%dT%H:%M"
        ),
        help_text="Empty: as soon as it is approved. A time that passes while it waits means "
        "the same.",
    )

    @classmethod
    def initial_of(cls, contents: Contents) -> dict[str, Any]:
        free = {"fixed": "0.00", "basis_points": 0, "minimum": "0.00"}
        return {**free, **super().initial_of(contents), "valid_from": None}

    def fees(self) -> Fees | None:
        """What pushes would cost; None while a field says nothing that is understood."""
        read = self.cleaned_data if self.is_valid_but_for("reason", "valid_from") else None
        if read is None:
            return None
        return Fees(read["fixed"], read["basis_points"], read["minimum"], read["maximum"])

    def is_valid_but_for(self, *names: str) -> bool:
        return self.is_bound and not self.errors.keys() - set(names)


class LimitForm(ProposalForm):
    reads = ("max_amount", "max_count")

    max_amount = _money(required=False, label="At most, in US dollars")
    max_count = _count(
        required=False, min_value=0, label="At most, in pushes",
        help_text="Both empty: there is no such limit.",
    )  # fmt: skip


class RuleForm(ProposalForm):
    reads = (
        "name", "is_active", "decisions", "group", "amount_at_least", "source",
        "first_push_to_card", "card_younger_than", "possible_duplicate",
    )  # fmt: skip

    name = NoteField(max_length=80, widget=ShortText(attrs={"autocomplete": "off"}))
    is_active = forms.BooleanField(
        required=False, initial=True, label="Switched on", widget=Checkbox()
    )
    amount_at_least = _money(
        required=False, min_value=Decimal(0), label="When the amount is at or above",
        help_text="US dollars. Conditions that are left empty do not narrow the rule.",
    )  # fmt: skip
    source = forms.ChoiceField(
        required=False, label="When it was asked for", widget=_Select(),
        choices=[("", "In whatever way"), *((s.value, SOURCE_WORDS[s.value]) for s in Source)],
    )  # fmt: skip
    first_push_to_card = forms.ChoiceField(
        required=False, choices=_EITHER, widget=_Select(), label="When it is the card's first push"
    )
    card_younger_than = _count(
        required=False, min_value=1, max_value=24 * 3650, label="When the card is younger than",
        help_text="Hours since it was added.",
    )  # fmt: skip
    possible_duplicate = forms.ChoiceField(
        required=False, choices=_EITHER, widget=_Select(), label="When it may be a duplicate",
        help_text="One person always looks at those; a rule can ask for more.",
    )  # fmt: skip
    decisions = _count(min_value=1, max_value=5, initial=1, label="Then it needs approvals of")
    group = forms.ChoiceField(required=False, widget=_Select(), label="Who are")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Group.objects.order_by("name").values_list("name", flat=True)
        group = self.fields["group"]
        assert isinstance(group, forms.ChoiceField)
        group.choices = [("", "Anybody who may approve"), *((name, name) for name in names)]

    @classmethod
    def initial_of(cls, contents: Contents) -> dict[str, Any]:
        initial = super().initial_of(contents)
        for name in ("first_push_to_card", "possible_duplicate"):
            initial[name] = _WORDS[contents.get(name)]
        if seconds := contents.get("card_younger_than"):
            initial["card_younger_than"] = seconds // _HOUR
        return initial

    def after(self) -> Contents:
        contents = super().after()
        hours, group = contents["card_younger_than"], contents["group"]
        contents["card_younger_than"] = None if hours is None else timedelta(hours=hours)
        contents["group"] = Group.objects.get(name=group) if group else None
        for name in ("first_push_to_card", "possible_duplicate"):
            contents[name] = {"yes": True, "no": False}.get(contents[name])
        return contents


class PartnerForm(ProposalForm):
    reads = ("name", "is_active", "requires_idempotency_key", "approval_hours")

    name = NoteField(max_length=120, widget=ShortText(attrs={"autocomplete": "off"}))
    is_active = forms.BooleanField(
        required=False, initial=True, label="Switched on", widget=Checkbox()
    )
    requires_idempotency_key = forms.BooleanField(
        required=False, label="Each create by API needs an idempotency key", widget=Checkbox()
    )
    approval_hours = _count(
        min_value=1, max_value=720, initial=72, label="Hours to approve a push",
        help_text="Then it expires, and its funds are free again.",
    )  # fmt: skip


class ClientForm(ProposalForm):
    reads = ("name", "scopes")

    name = NoteField(max_length=120, widget=ShortText(attrs={"autocomplete": "off"}))
    scopes = forms.MultipleChoiceField(
        choices=[("api:read", "Read"), ("api:write", "Read and write: create pushes, add cards")],
        initial=list(ALL_SCOPES),
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
    )


class WebhookForm(ProposalForm):
    reads = ("url", "description", "types", "is_active")

    url = forms.CharField(
        max_length=500,
        label="Address",
        widget=ShortText(attrs={"inputmode": "url", "autocomplete": "off"}),
        help_text="https, of a server on the public internet. Have the partner confirm it in "
        "another way, by phone for example.",
    )
    description = NoteField(
        max_length=200, required=False, widget=ShortText(attrs={"autocomplete": "off"})
    )
    types = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in (*EVENT_GROUPS, *EVENT_TYPES)],
        label="What it hears",
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen: everything.",
    )
    is_active = forms.BooleanField(
        required=False, initial=True, label="Switched on", widget=Checkbox()
    )


class MemberForm(ProposalForm):
    reads = ("username", "first_name", "last_name", "email", "is_active", "groups")

    username = forms.CharField(
        max_length=150, label="User name", widget=ShortText(attrs={"autocomplete": "off"})
    )
    first_name = forms.CharField(max_length=150, required=False, widget=ShortText())
    last_name = forms.CharField(max_length=150, required=False, widget=ShortText())
    email = forms.CharField(max_length=254, required=False, label="E-mail", widget=ShortText())
    groups = forms.MultipleChoiceField(
        required=False,
        label="Roles and groups",
        widget=forms.CheckboxSelectMultiple,
        help_text="One person may have several. Nobody decides about what they made themselves.",
    )
    is_active = forms.BooleanField(
        required=False, initial=True, label="May sign in", widget=Checkbox()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Group.objects.order_by("name").values_list("name", flat=True)
        groups = self.fields["groups"]
        assert isinstance(groups, forms.MultipleChoiceField)
        groups.choices = [(name, name) for name in names]


class NothingButAReason(ProposalForm):
    """For what needs no more than a yes of somebody else."""


FORMS: Final[dict[str, type[ProposalForm]]] = {
    "fund_partner": FundingForm,
    "fee_schedule": FeeForm,
    "limit": LimitForm,
    "approval_rule": RuleForm,
    "partner": PartnerForm,
    "api_client": ClientForm,
    "api_client_secret": NothingButAReason,
    "staff_member": MemberForm,
    "staff_password": NothingButAReason,
    "webhook": WebhookForm,
}

# The contents that an empty form is asked about: what is there is read by them.
BLANK: Final[dict[str, Contents]] = {"fee_schedule": {"valid_from": None}}
