"""Filters of long lists that an index answers: by partner, and by days, which are key ranges."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from consumers.admin.zone import UTC_NAME, beginning_of, known_zone, viewer_zone
from consumers.ids import first_id_at

if TYPE_CHECKING:

    class RangeDateForm(forms.Form):
        def __init__(self, *, name: str, data: dict[str, str]) -> None: ...

    class AutocompleteDropdownForm(forms.Form):
        def __init__(self, **of_the_filter: Any) -> None: ...

else:
    from unfold.contrib.filters.forms import AutocompleteDropdownForm, RangeDateForm

_DAYS: Final = ("day_from", "day_to")
# An address says whose days it means, so that it shows everybody the same rows. Without: UTC.
ZONE: Final = "zone"


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
    """From one day to another, both included. Keys carry the time, so a range of them."""

    title = "day"
    parameter_name = "day"
    template = "unfold/filters/filters_date_range.html"
    form_class = RangeDateForm

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.zone = _offered_zone(request)
        self.title = f"day ({self.zone.replace('_', ' ')})"
        for name in (*_DAYS, ZONE):
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*_DAYS, ZONE]

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
            data={
                **{name: str(self.used_parameters.get(name) or "") for name in _DAYS},
                ZONE: self.zone,
            },
        )
        form.fields[ZONE] = forms.CharField(widget=forms.HiddenInput)
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
    """The days that the list's address names, from the first's beginning to the last's end.

    :raises IncorrectLookupParameters: if one of them is not a day, or their zone is not known.
    """
    first, last = (_day(request, name) for name in _DAYS)
    zone = _named_zone(request) or UTC_NAME
    return Period(
        first=None if first is None else beginning_of(first, zone=zone),
        end=None if last is None else beginning_of(last + timedelta(days=1), zone=zone),
    )


def _named_zone(request: HttpRequest) -> str | None:
    name = request.GET.get(ZONE)
    if name and known_zone(name) is None:
        raise IncorrectLookupParameters(ZONE)
    return name or None


def _offered_zone(request: HttpRequest) -> str:
    """The zone that days are typed in: the address's, or where it names no days the viewer's."""
    named = _named_zone(request)
    if named is not None:
        return named
    return UTC_NAME if any(request.GET.get(name) for name in _DAYS) else viewer_zone()


def _day(request: HttpRequest, parameter: str) -> date | None:
    try:
        day: date | None = forms.DateField(required=False).clean(request.GET.get(parameter))
    except ValidationError as error:
        raise IncorrectLookupParameters(parameter) from error
    # Keys count from 1970, and the day after the last one of year 9999 is not a date.
    if day is not None and not 1970 <= day.year <= 9998:
        raise IncorrectLookupParameters(parameter)
    return day
