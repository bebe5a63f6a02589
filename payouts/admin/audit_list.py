"""The filters of the list of audit entries, each answered by an index."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest

from consumers.admin.filters import DayFilter, Period, chosen_period
from consumers.audit import Result, Verb
from consumers.models import AuditEntry
from payouts.audit.search import labels_of_whole_name

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.admin import SimpleListFilter as TextFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter, TextFilter

# How far the clocks of two servers, and so the orders of key and of time, may differ.
_CLOCKS_DIFFER: Final = timedelta(minutes=10)


def words(stored: str) -> str:
    return stored.replace("_", " ")


class _WordFilter(DropdownFilter):
    """One of the words that a column holds."""

    offered: type[Verb] | type[Result]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word.value, words(word.value)) for word in self.offered]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        word = self.value()
        if not word:
            return queryset
        if word not in list(self.offered):
            raise IncorrectLookupParameters(self.parameter_name)
        return queryset.filter(**{str(self.parameter_name): word})


class VerbFilter(_WordFilter):
    title = "what was done"
    parameter_name = "verb"
    offered = Verb


class ResultFilter(_WordFilter):
    title = "result"
    parameter_name = "result"
    offered = Result


class ActorFilter(TextFilter):
    """The whole name of somebody; a member of staff also by the user name. Whether staff, client or
    system need not be said."""

    title = "actor"
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        name = (self.value() or "").strip().replace("\0", "")
        if not name:
            return queryset
        return queryset.filter(actor__in=labels_of_whole_name(name))


class EntryDayFilter(DayFilter):
    """Days of entries, whose keys carry no time: they are found over the index by time."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return entries_within(chosen_period(request), among=queryset)


def entries_within(period: Period, *, among: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """The entries of the period. Bounds of keys let a page begin where the period does."""
    by_time = AuditEntry.objects.order_by("created_at", "id")
    if period.first is not None:
        oldest = by_time.filter(created_at__gte=period.first - _CLOCKS_DIFFER).values("id")[:1]
        among = among.filter(created_at__gte=period.first, pk__gte=Subquery(oldest))
    if period.end is not None:
        newest = by_time.filter(created_at__lt=period.end + _CLOCKS_DIFFER).reverse()
        among = among.filter(created_at__lt=period.end, pk__lte=Subquery(newest.values("id")[:1]))
    return among


FILTERS: Final[tuple[type[admin.ListFilter], ...]] = (
    ActorFilter,
    VerbFilter,
    ResultFilter,
    EntryDayFilter,
)
