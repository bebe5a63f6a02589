"""What the list of payments can be narrowed by. Every filter walks an index.

What is refused is never repeated in the answer: it may be anything, a card number included.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError as FormError
from django.db.models import QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Upper
from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail

from consumers.ids import first_id_at
from consumers.models import Consumer
from consumers.search import uuid_or_none
from payouts.finding.search import Reach, find_payments
from payouts.models import IdempotencyKey, Payment
from payouts.states import Status

Payments = QuerySet[Payment, Payment]
Problems = dict[str, list[ErrorDetail]]

LARGEST_BOUND: Final = 10**12

_NUMBER: Final = re.compile(r"-?[0-9]{1,99}(?:\.[0-9]{1,99})?(?:[eE][+-]?[0-9]{1,3})?")
# A plus sign that was not escaped arrives as a blank.
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+\- ][0-9]{2}:[0-9]{2})?)?"
)
# No payment is older than the first key or younger than this, so other instants need no arithmetic.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_KEY_TICK: Final = timedelta(milliseconds=1)


class _Dollars(forms.Field):
    """A bound of amounts, exact."""

    default_error_messages = {
        "invalid": "This is not a number of dollars.",
        "out_of_range": f"It must be from 0 to {LARGEST_BOUND}.",
    }

    def to_python(self, value: Any) -> Decimal | None:
        if value in self.empty_values:
            return None
        if _NUMBER.fullmatch(value) is None:
            raise FormError(self.error_messages["invalid"], code="invalid")
        dollars = Decimal(value)
        if not 0 <= dollars <= LARGEST_BOUND:
            raise FormError(self.error_messages["out_of_range"], code="out_of_range")
        return dollars


class _Instant(forms.Field):
    """An instant as in RFC 3339, or a day, which means its beginning. Without an offset: UTC."""

    default_error_messages = {"invalid": "This is not an instant like 2030-01-31T12:00:00Z."}

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            instant = _instant(value)
        except ValueError:
            raise FormError(self.error_messages["invalid"], code="invalid") from None
        # In UTC: RFC 3339 has offsets up to 23:59, PostgreSQL knows none beyond 15:59.
        return min(max(instant, _EARLIEST), _LATEST).astimezone(UTC)


def _instant(text: str) -> datetime:
    if _INSTANT.fullmatch(text) is None:
        raise ValueError
    plus_escaped = text[:11] + text[11:].replace(" ", "+")
    instant = datetime.fromisoformat(plus_escaped.upper())
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class _Id(forms.Field):
    """A UUID in its usual form with hyphens."""

    default_error_messages = {"invalid": "This is not a UUID."}

    def to_python(self, value: Any) -> UUID | None:
        if value in self.empty_values:
            return None
        key = uuid_or_none(value) if "-" in value else None
        if key is None:
            raise FormError(self.error_messages["invalid"], code="invalid")
        return key


class _DollarsFilter(django_filters.Filter):
    field_class = _Dollars


class _InstantFilter(django_filters.Filter):
    field_class = _Instant


class _IdFilter(django_filters.Filter):
    field_class = _Id


class PaymentFilter(django_filters.FilterSet):
    """Filters combine with and; `status` may be repeated and then means any of them."""

    status = django_filters.MultipleChoiceFilter(
        choices=[(status.value, status.value) for status in Status],
        method="of_status",
        error_messages={"invalid_choice": "This is not a status of a payment."},
    )
    consumer_id = django_filters.CharFilter(method="of_consumer", max_length=128, strip=False)
    external_payment_card_id = _IdFilter(field_name="card_id")
    created_after = _InstantFilter(method="from_instant")
    created_before = _InstantFilter(method="until_instant")
    amount_min = _DollarsFilter(method="from_amount")
    amount_max = _DollarsFilter(field_name="amount", lookup_expr="lte")
    reference = django_filters.CharFilter(method="of_reference", max_length=64, strip=False)
    idempotency_key = django_filters.CharFilter(method="of_key", max_length=255, strip=False)
    search = django_filters.CharFilter(method="matching", max_length=128)

    class Meta:
        model = Payment
        fields: list[str] = []

    def __init__(self, query: QueryDict, *, partner_id: UUID) -> None:
        super().__init__(query, Payment.objects.filter(partner_id=partner_id))
        self.partner_id = partner_id
        # A search keeps the newest of what it finds; false once there was more.
        self.search_is_complete = True

    def problems(self) -> Problems:
        """What is wrong with the values, by the filter's name; empty if nothing is."""
        errors: dict[str, list[FormError]] = self.form.errors.as_data()
        return {
            name: [
                ErrorDetail(str(message), code=error.code or "invalid")
                for error in problems
                for message in error.messages
            ]
            for name, problems in errors.items()
        }

    def statuses_alone(self) -> list[Status] | None:
        """The statuses, if nothing else narrows the list; None otherwise."""
        named = {
            name
            for name, value in self.form.cleaned_data.items()
            if value not in forms.Field.empty_values
        }
        if named != {"status"}:
            return None
        return [Status(status) for status in set(self.form.cleaned_data["status"])]

    def of_status(self, payments: Payments, name: str, statuses: list[str]) -> Payments:
        return payments.filter(status__in=set(statuses))

    def of_consumer(self, payments: Payments, name: str, consumer_ref: str) -> Payments:
        """By the consumer's id or, if there is none, the partner's own pcid, as a create does."""
        own = Consumer.objects.filter(partner_id=self.partner_id).values("pk")
        by_pcid = Subquery(own.filter(pcid=consumer_ref))
        key = uuid_or_none(consumer_ref)
        # One value, and not a join or a set, so that the consumer's own index is walked.
        one = by_pcid if key is None else Coalesce(Subquery(own.filter(pk=key)), by_pcid)
        return payments.filter(consumer_id=one)

    def of_key(self, payments: Payments, name: str, key: str) -> Payments:
        keys = IdempotencyKey.objects.filter(partner_id=self.partner_id, key=key)
        return payments.filter(pk=Subquery(keys.values("payment_id")))

    def of_reference(self, payments: Payments, name: str, reference: str) -> Payments:
        # The index is over capitals, for whoever searches; the reference itself is exact.
        capitals = payments.alias(capitals=Upper("reference")).filter(
            capitals=Upper(Value(reference))
        )
        return capitals.filter(reference=reference)

    # Keys begin with the millisecond of creation: they find the range, the instant cuts it exactly.

    def from_instant(self, payments: Payments, name: str, instant: datetime) -> Payments:
        return payments.filter(pk__gte=_first_key(instant), created_at__gte=instant)

    def until_instant(self, payments: Payments, name: str, instant: datetime) -> Payments:
        return payments.filter(pk__lt=_end_of_keys(instant), created_at__lt=instant)

    def from_amount(self, payments: Payments, name: str, dollars: Decimal) -> Payments:
        if dollars == self.form.cleaned_data["amount_max"]:
            # As an equation the index gives these newest first, whatever the planner believes.
            return payments.filter(amount=dollars)
        return payments.filter(amount__gte=dollars)

    def matching(self, payments: Payments, name: str, text: str) -> Payments:
        """As the back office searches; `payouts.finding.search` has the rule."""
        asked = self.form.cleaned_data
        # Narrowed while searching: the newest that fit are kept, and not those left of the newest.
        reach = Reach(
            partner_id=self.partner_id,
            statuses=tuple(map(Status, asked["status"])) or None,
            amount_min=asked["amount_min"],
            amount_max=asked["amount_max"],
        ).between(_first_key(asked["created_after"]), _end_of_keys(asked["created_before"]))
        found = find_payments(text, reach=reach)
        self.search_is_complete = found.is_complete
        return payments.filter(pk__in=found.ids)


def _first_key(instant: datetime | None) -> UUID | None:
    return None if instant is None else first_id_at(instant)


def _end_of_keys(instant: datetime | None) -> UUID | None:
    """The key below which all are that were made before `instant`; some of them a little later."""
    return None if instant is None else first_id_at(instant + _KEY_TICK)
