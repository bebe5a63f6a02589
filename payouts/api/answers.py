"""The shapes of answers about payments, for the OpenAPI document only. See `documents.py`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from consumers.api.schema import ProblemShown
from payouts.limits import Scope
from payouts.models import EventKind
from payouts.money import CURRENCY
from payouts.states import MoneyMoved, Status

_STATUSES = [status.value for status in Status]
_SPEEDS = ["fast_funds", "standard", "not_supported"]
_LIMITS = [f"{scope.value}_{bound}" for scope in Scope for bound in ("amount", "count")]


@extend_schema_field({"type": "number", "format": "double", "multipleOf": 0.01})
class Dollars(serializers.Field[Any, Any, Any, Any]):
    """US dollars as a JSON number with at most two decimals."""


class _CreditedCard(serializers.Serializer[Any]):
    network = serializers.CharField()
    last4 = serializers.CharField()


class _NetworkShown(serializers.Serializer[Any]):
    name = serializers.CharField()
    retrieval_reference_number = serializers.CharField()
    trace_number = serializers.CharField()
    approval_code = serializers.CharField(allow_null=True)
    transaction_id = serializers.CharField(allow_null=True)


class _FailureShown(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable; act on this.")
    reason = serializers.CharField()
    payee_message = serializers.CharField(help_text="Fit to be shown to the payee.")
    network_code = serializers.CharField(allow_null=True, help_text="ISO 8583 field 39.")
    retryable = serializers.BooleanField()
    retry_after = serializers.DateTimeField(
        allow_null=True, help_text="Not before this; null if it is not to be tried again."
    )


class _ApprovalShown(serializers.Serializer[Any]):
    required = serializers.IntegerField(  # type: ignore[assignment]
        help_text="Decisions by different people; one less for each who is in two groups that are "
        "asked."
    )
    given = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    reasons = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names of the rules that ask for it; `possible_duplicate` is ours.",
    )


@extend_schema_serializer(component_name="Payment")
class PaymentShown(serializers.Serializer[Any]):
    """A payment. The first seven members are the published contract."""

    id = serializers.UUIDField()
    amount = Dollars()
    direction = serializers.ChoiceField(choices=["Push"])
    status = serializers.ChoiceField(choices=_STATUSES)
    consumer_id = serializers.UUIDField()
    external_payment_card_id = serializers.UUIDField()
    fee_amount = Dollars()
    currency = serializers.ChoiceField(choices=[CURRENCY])
    pcid = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    reference = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    card = _CreditedCard()
    network = _NetworkShown(allow_null=True, help_text="Null until there is an attempt.")
    failure = _FailureShown(allow_null=True, help_text="Null unless the payment failed.")
    money_moved = serializers.ChoiceField(choices=[moved.value for moved in MoneyMoved])
    safe_to_retry = serializers.BooleanField(
        help_text="Whether this amount may be pushed again under a new key without paying twice."
    )
    approval = _ApprovalShown(allow_null=True, help_text="Null unless decisions are awaited.")


@extend_schema_serializer(component_name="PaymentPage")
class PaymentPage(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = PaymentShown(many=True)
    count_is_exact = serializers.BooleanField(
        required=False, help_text="With filters only: false if `count` is a lower bound."
    )


@extend_schema_serializer(component_name="Event")
class EventShown(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    type = serializers.ChoiceField(choices=[f"payment.oct.{kind}" for kind in EventKind.values])
    from_status = serializers.ChoiceField(choices=_STATUSES, allow_null=True)
    to_status = serializers.ChoiceField(choices=_STATUSES)
    actor = serializers.CharField()
    details = serializers.DictField()
    created_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="EventList")
class EventList(serializers.Serializer[Any]):
    results = EventShown(many=True)


@extend_schema_serializer(component_name="Balance")
class BalanceShown(serializers.Serializer[Any]):
    available = Dollars(help_text="Free to push.")
    held = Dollars(help_text="Set aside for payments that are not final.")
    currency = serializers.ChoiceField(choices=[CURRENCY])


class _LimitBroken(serializers.Serializer[Any]):
    limit = serializers.ChoiceField(choices=_LIMITS)
    maximum = serializers.FloatField()
    used = serializers.FloatField()


@extend_schema_serializer(component_name="PaymentProblem")
class PaymentProblemShown(ProblemShown):
    """Why a payment cannot be made: `errors` has every reason."""

    limits = _LimitBroken(many=True, required=False, help_text="Each limit that it would break.")


@extend_schema_serializer(component_name="CancelProblem")
class CancelProblemShown(ProblemShown):
    payment_status = serializers.ChoiceField(choices=_STATUSES)


class _ReasonShown(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField(help_text="The code that a create would be refused with.")
    message = serializers.CharField()
    limit = serializers.ChoiceField(choices=_LIMITS, required=False)
    maximum = serializers.FloatField(required=False)
    used = serializers.FloatField(required=False)


class _EligibilityShown(serializers.Serializer[Any]):
    eligible = serializers.BooleanField(allow_null=True, help_text="Null: not known.")
    speed = serializers.ChoiceField(
        choices=_SPEEDS,
        allow_null=True,
        help_text="`fast_funds`: within 30 minutes; `standard`: up to two business days.",
    )
    checked_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.IntegerField(
        allow_null=True, help_text="How long ago the network was asked."
    )


class _HeadroomShown(serializers.Serializer[Any]):
    limit = serializers.ChoiceField(choices=_LIMITS)
    left = serializers.FloatField(help_text="Dollars or pushes.")


class _RequirementShown(serializers.Serializer[Any]):
    reason = serializers.CharField()
    decisions = serializers.IntegerField()
    group = serializers.CharField(
        allow_null=True, help_text="Who must decide; null: anybody who may."
    )


@extend_schema_serializer(component_name="Quote")
class QuoteShown(serializers.Serializer[Any]):
    """What a create would answer now, in full."""

    amount = Dollars()
    fee_amount = Dollars()
    total = Dollars()
    currency = serializers.ChoiceField(choices=[CURRENCY])
    can_be_pushed = serializers.BooleanField()
    problems = _ReasonShown(many=True)
    eligibility = _EligibilityShown()
    limits = _HeadroomShown(many=True)
    approvals = _RequirementShown(many=True)
    possible_duplicate = serializers.BooleanField(
        help_text="A create without Idempotency-Key would be held for it; one with a key is not."
    )
    idempotency_key_required = serializers.BooleanField()
    quoted_at = serializers.DateTimeField()
