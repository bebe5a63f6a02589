"""The list of pushes: its filters, its counts, and which rows a page reads.

Every filter is answered by an index, the count by rows that the database keeps. No page reads more
than itself, with a million payments or with ten.
"""

from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet, Sum
from django.http import HttpRequest

from consumers.admin.filters import chosen_days, chosen_partner
from consumers.admin.lists import Count, KeysetChangeList, bounded_count
from payouts.approvals import Source
from payouts.models import Payment, PaymentTally
from payouts.search import Reach, payments_of_status
from payouts.states import Status

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter

# What a row shows, and no more: cards carry sealed bytes, consumers a search vector.
COLUMNS: Final = (
    "created_at", "amount", "fee_amount", "status", "source", "reference", "partner__name",
    "consumer__first_name", "consumer__last_name", "consumer__pcid", "card__network",
    "card__last4",
)  # fmt: skip


class StatusFilter(DropdownFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.value.replace("_", " ")) for status in Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        status = chosen_status(request)
        return queryset if status is None else queryset.filter(status=status.value)


class SourceFilter(DropdownFilter):
    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(source.value, source.value.replace("_", " ")) for source in Source]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        source = self.value()
        if not source:
            return queryset
        if source not in list(Source):
            raise IncorrectLookupParameters(self.parameter_name)
        return queryset.filter(source=source)


def chosen_status(request: HttpRequest) -> Status | None:
    """The status that the list's address names.

    :raises IncorrectLookupParameters: if there is no such status.
    """
    text = request.GET.get(StatusFilter.parameter_name)
    try:
        return Status(text) if text else None
    except ValueError as error:
        raise IncorrectLookupParameters(StatusFilter.parameter_name) from error


def chosen_reach(request: HttpRequest) -> Reach:
    """The partner and the days that the list's address names, for a search."""
    days = chosen_days(request)
    return Reach(chosen_partner(request)).between(days.first, days.end)


class PushChangeList(KeysetChangeList):
    """Knows which filters are on, because partner and status are counted by the database."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Payment]:
        self.partner_id = chosen_partner(request)
        self.status = chosen_status(request)
        self.reach = chosen_reach(request)
        return super().get_queryset(request, exclude_parameters)

    def window(self, size: int) -> QuerySet[Payment]:
        rows = super().window(size).select_related("partner", "consumer", "card").only(*COLUMNS)
        if self.status is None or self.partner_id is not None or self._is_narrowed_further():
            return rows
        keys = payments_of_status(
            self.status,
            reach=self.reach.between(self.newer_than, self.older_than),
            limit=size + 1,
            oldest_first=self.newer_than is not None,
        )
        return rows.filter(pk__in=keys)

    def counted(self) -> Count:
        if self._is_narrowed_further() or self.reach != Reach(self.partner_id):
            return bounded_count(self.queryset)
        tallies = PaymentTally.objects.all()
        if self.partner_id is not None:
            tallies = tallies.filter(partner_id=self.partner_id)
        if self.status is not None:
            tallies = tallies.filter(status=self.status.value)
        return Count(tallies.aggregate(total=Sum("payments"))["total"] or 0)

    def _is_narrowed_further(self) -> bool:
        return bool(self.query) or SourceFilter.parameter_name in self.filter_params
