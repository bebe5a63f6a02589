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
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from consumers.ids import first_id_at

if TYPE_CHECKING:

    class RangeDateForm(forms.Form):
        def __init__(self, *, name: str, data: dict[str, str]) -> None: ...

    class AutocompleteDropdownForm(forms.Form):
        def __init__(self, **of_the_filter: Any) -> None: ...

else:
    from unfold.contrib.filters.forms import AutocompleteDropdownForm, RangeDateForm

_DAYS: Final = ("day_from", "day_to")


@dataclass(frozen=True, slots=True)
class Period:
    """Instants from `first` up to but not including `end`; None leaves a side open."""

    first: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys of UUIDv7 from `first` up to but not including `end`; None leaves a side open."""

    first: UUID | None = None
    end: UUID | None = None


class PartnerFilter(admin.ListFilter):
    """One partner, found by typing: the page does not carry the names of them all."""

    title = "partner"
    parameter_name = "partner"
    template = "unfold/filters/filters_field.html"
    form_class = AutocompleteDropdownForm

    def __init__(
        self, request: HttpRequest, params: Any, model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self._request, self._model, self._model_admin = request, model, model_admin
        if self.parameter_name in params:
            self.used_parameters[self.parameter_name] = params.pop(self.parameter_name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        partner_id = chosen_partner(request)
        return queryset if partner_id is None else queryset.filter(partner_id=partner_id)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        form = self.form_class(
            request=self._request,
            name=self.parameter_name,
            label="By partner",
            choices=(),
            field=self._model._meta.get_field("partner"),
            model_admin=self._model_admin,
            data={self.parameter_name: self.used_parameters.get(self.parameter_name)},
        )
        yield {"form": form}


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
    period = chosen_period(request)
    return KeyRange(
        first=None if period.first is None else first_id_at(period.first),
        end=None if period.end is None else first_id_at(period.end),
    )


def chosen_period(request: HttpRequest) -> Period:
    """The days that the list's address names, from the first's beginning to the last's end in UTC.

    :raises IncorrectLookupParameters: if one of them is not a day.
    """
    first, last = (_day(request, name) for name in _DAYS)
    return Period(
        first=None if first is None else _beginning(first),
        end=None if last is None else _beginning(last + timedelta(days=1)),
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


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
