"""Filters of long lists that an index answers: by partner, and by days, which are key ranges."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from consumers.ids import first_id_at
from consumers.models import Partner

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter

    class RangeDateForm(forms.Form):
        def __init__(self, *, name: str, data: dict[str, str]) -> None: ...

else:
    from unfold.contrib.filters.admin import DropdownFilter
    from unfold.contrib.filters.forms import RangeDateForm

PARTNERS_OFFERED_AT_MOST: Final = 500

_DAYS: Final = ("day_from", "day_to")


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys of UUIDv7 from `first` up to but not including `end`; None leaves a side open."""

    first: UUID | None = None
    end: UUID | None = None


class PartnerFilter(DropdownFilter):
    title = "partner"
    parameter_name = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        partners = Partner.objects.order_by("name").values_list("pk", "name")
        return [(str(pk), name) for pk, name in partners[:PARTNERS_OFFERED_AT_MOST]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        partner_id = chosen_partner(request)
        return queryset if partner_id is None else queryset.filter(partner_id=partner_id)


class DayFilter(admin.ListFilter):
    """From one day to another, both included, in UTC. Keys carry the time, so a range of them."""

    title = "day (UTC)"
    parameter_name = "day"
    template = "unfold/filters/filters_date_range.html"
    form_class = RangeDateForm

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in _DAYS:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*_DAYS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = chosen_days(request)
        if days.first is not None:
            queryset = queryset.filter(pk__gte=days.first)
        if days.end is not None:
            queryset = queryset.filter(pk__lt=days.end)
        return queryset

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        form = self.form_class(
            name=self.parameter_name,
            data={name: str(self.used_parameters.get(name) or "") for name in _DAYS},
        )
        yield {"parameter_name": self.parameter_name, "form": form}


def chosen_partner(request: HttpRequest) -> UUID | None:
    """The partner that the list's address names.

    :raises IncorrectLookupParameters: if that cannot be a partner's id.
    """
    text = request.GET.get(PartnerFilter.parameter_name)
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise IncorrectLookupParameters(PartnerFilter.parameter_name) from error


def chosen_days(request: HttpRequest) -> KeyRange:
    """The keys of the days that the list's address names.

    :raises IncorrectLookupParameters: if one of them is not a day.
    """
    first, last = (_day(request, name) for name in _DAYS)
    return KeyRange(
        first=None if first is None else _first_key(first),
        end=None if last is None else _first_key(last + timedelta(days=1)),
    )


def _day(request: HttpRequest, parameter: str) -> date | None:
    try:
        day: date | None = forms.DateField(required=False).clean(request.GET.get(parameter))
    except ValidationError as error:
        raise IncorrectLookupParameters(parameter) from error
    # Keys count from 1970, and the day after the last one of year 9999 is not a date.
    if day is not None and not 1970 <= day.year <= 9998:
        raise IncorrectLookupParameters(parameter)
    return day


def _first_key(day: date) -> UUID:
    return first_id_at(datetime.combine(day, time.min, tzinfo=UTC))
