"""What the list of payments can be narrowed by. Every filter walks an index."""

from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, ValidationError

from consumers.ids import first_id_at
from payouts.models import Payment
from payouts.states import Status

Payments = QuerySet[Payment, Payment]

_SHORTEST_ID_PREFIX = 8


class PaymentFilter(django_filters.FilterSet):
    """Filters combine with and; `status` may be repeated and then means any of them."""

    status = django_filters.MultipleChoiceFilter(choices=[(s.value, s.value) for s in Status])
    consumer_id = django_filters.CharFilter(method="of_consumer", max_length=128)
    external_payment_card_id = django_filters.UUIDFilter(field_name="card_id")
    created_after = django_filters.IsoDateTimeFilter(method="from_instant")
    created_before = django_filters.IsoDateTimeFilter(method="until_instant")
    amount_min = django_filters.NumberFilter(
        field_name="amount", lookup_expr="gte", min_value=0, max_digits=12
    )
    amount_max = django_filters.NumberFilter(
        field_name="amount", lookup_expr="lte", min_value=0, max_digits=12
    )
    reference = django_filters.CharFilter(field_name="reference", max_length=64)
    idempotency_key = django_filters.CharFilter(
        field_name="idempotency_key__key", max_length=255
    )
    search = django_filters.CharFilter(method="matching", max_length=128)

    class Meta:
        model = Payment
        fields: list[str] = []

    def of_consumer(self, payments: Payments, name: str, consumer_ref: str) -> Payments:
        """By the consumer's id or the partner's own pcid; the partner is fixed by the view."""
        consumer_id = _uuid_or_none(consumer_ref)
        if consumer_id is not None:
            return payments.filter(consumer_id=consumer_id)
        return payments.filter(consumer__pcid=consumer_ref)

    def from_instant(self, payments: Payments, name: str, instant: datetime) -> Payments:
        return payments.filter(pk__gte=first_id_at(instant))

    def until_instant(self, payments: Payments, name: str, instant: datetime) -> Payments:
        return payments.filter(pk__lt=first_id_at(instant))

    def matching(self, payments: Payments, name: str, text: str) -> Payments:
        """One box: payment id or its start, reference, pcid, last four, RRN or trace number."""
        word = text.strip()
        condition = Q(reference=word) | Q(consumer__pcid=word)
        if word.isascii() and word.isdigit():
            condition |= _by_digits(word)
        bounds = _ids_starting_with(word)
        if bounds is not None:
            condition |= Q(pk__range=bounds)
        return payments.filter(condition)


def _by_digits(digits: str) -> Q:
    match len(digits):
        case 4:
            return Q(card__last4=digits)
        case 6:
            return Q(attempt__trace_number=digits)
        case 12:
            return Q(attempt__retrieval_reference_number=digits)
        case _:
            return Q()


def _ids_starting_with(text: str) -> tuple[UUID, UUID] | None:
    """The smallest and largest key whose text starts with `text` (8 hex digits or more)."""
    digits = text.replace("-", "").lower()
    if not _SHORTEST_ID_PREFIX <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def narrowed(payments: Payments, query: QueryDict) -> Payments:
    """Apply the filters that `query` names.

    Raises:
        ValidationError: naming every filter whose value is wrong.
    """
    filters = PaymentFilter(data=query, queryset=payments)
    if not filters.is_valid():
        raise ValidationError(_problems(filters.form.errors.as_data()))
    result: Payments = filters.qs
    return result


def _problems(errors: dict[str, list[Any]]) -> dict[str, list[ErrorDetail]]:
    return {
        name: [
            ErrorDetail(str(message), code=problem.code or "invalid")
            for problem in problems
            for message in problem.messages
        ]
        for name, problems in errors.items()
    }


def names_a_filter(query: QueryDict) -> bool:
    return not PaymentFilter.base_filters.keys().isdisjoint(query)
