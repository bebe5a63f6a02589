"""The list of pushes: its filters, its counts, and which rows a page reads.

Filters only show what the address names. What that means, and by which index it is answered, is
decided in `payouts.finding.push_query` and `payouts.finding.push_pages`, which exports use as well:
a file holds what the page shows.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from consumers.admin.filters import DayFilter, PartnerFilter
from consumers.admin.lists import MORE_MATCH, OLDER_THAN, Count, KeysetChangeList
from consumers.cards import CardNetworkName
from consumers.search import Found
from payouts.approvals import Source
from payouts.declines import FAILURES
from payouts.finding.push_columns import value_words, with_columns
from payouts.finding.push_lists import ListChoice, choice_of
from payouts.finding.push_pages import (
    LOOKED_AT_MOST,
    count_of_found,
    count_of_pushes,
    found_pushes,
    page_of_pushes,
)
from payouts.finding.push_query import PushQuery, UnreadableQuery
from payouts.models import Payment
from payouts.money import ZERO
from payouts.states import Status

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter


LOOKED_SO_FAR: Final = (
    f"Looked through {LOOKED_AT_MOST:,} pushes for these. There may be more: go on with Older, or "
    "narrow it down by days."
)


class _WordFilter(DropdownFilter):
    """One of a few words. `PushChangeList` narrows by it."""

    words: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, value_words(word)) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        return queryset


class StatusFilter(_WordFilter):
    title = "status"
    parameter_name = "status"
    words = tuple(status.value for status in Status)


class SourceFilter(_WordFilter):
    title = "source"
    parameter_name = "source"
    words = tuple(source.value for source in Source)


class NetworkFilter(_WordFilter):
    title = "card network"
    parameter_name = "network"
    words = tuple(network.value for network in CardNetworkName)


class FailureFilter(_WordFilter):
    title = "failure"
    parameter_name = "failure"
    words = FAILURES


class _Shown(admin.ListFilter):
    """A filter that takes its parameters from the address and narrows nothing itself."""

    parameters: tuple[str, ...]

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameters:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameters]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        return queryset


class AmountFilter(_Shown):
    """From one amount to another, both included, in dollars."""

    title = "amount (USD)"
    parameters = ("amount_min", "amount_max")
    template = "admin/payouts/payment/amount_filter.html"

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {name: self.used_parameters.get(name, "") for name in self.parameters}


class FacetFilter(_Shown):
    """Who made the pushes, and in which batch they stand. Chosen among what a list has, so there is
    no field for it."""

    title = "facets"
    parameters = ("maker", "batch")

    def has_output(self) -> bool:
        return False

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        return iter(())


class PushPartnerFilter(PartnerFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class PushDayFilter(DayFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


FILTERS: Final[tuple[type[admin.ListFilter], ...]] = (
    StatusFilter, PushPartnerFilter, PushDayFilter, AmountFilter, SourceFilter, NetworkFilter,
    FailureFilter, FacetFilter,
)  # fmt: skip


VIEW: Final = "view"


def list_choice(request: HttpRequest) -> ListChoice:
    """How the person who asks wants the list; read once for a request."""
    kept: ListChoice | None = request.__dict__.get("_list_choice")
    if kept is None:
        assert isinstance(request.user, User)
        kept = request.__dict__["_list_choice"] = choice_of(request.user)
    return kept


def asked_query(request: HttpRequest) -> PushQuery:
    """What the list's address asks for.

    :raises IncorrectLookupParameters: if a part of it means nothing.
    """
    try:
        return PushQuery.read({name: str(request.GET[name]) for name in request.GET})
    except UnreadableQuery as error:
        raise IncorrectLookupParameters(error.parameter) from error


class PushChangeList(KeysetChangeList):
    """A page of the pushes that the address asks for: their keys first, then their rows."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Payment]:
        self.asked = asked_query(request)
        self.choice = list_choice(request)
        # Says that all is meant, where the person's own view would open else.
        self.params.pop(VIEW, None)
        self.filter_params.pop(VIEW, None)
        return super().get_queryset(request, exclude_parameters)

    def window(self, size: int) -> QuerySet[Payment]:
        keys = self._keys(size)
        # The foot says what the page comes to, also where nobody chose to see amounts.
        return with_columns(self.queryset.filter(pk__in=keys), (*self.choice.columns, "amount"))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.found is not None and not self.found.is_complete:
            messages.info(request, MORE_MATCH)
        if self.looked_to is not None and not self.older_page:
            # The page is not full, and there may be more below.
            self.older_page = self.get_query_string({OLDER_THAN: self.looked_to})
            messages.info(request, LOOKED_SO_FAR)

    def counted(self) -> Count:
        found = self.found
        counted = count_of_pushes(self.asked) if found is None else count_of_found(found)
        self.sum_in_all = counted.amount
        return Count(counted.rows, is_exact=counted.is_exact)

    @property
    def foot(self) -> str:
        """What they come to in dollars without fees: all of them or, if nobody knows, this page."""
        if self.sum_in_all is not None:
            return f"{self.sum_in_all:,.2f} USD in all"
        on_page = sum((payment.amount for payment in self.result_list), ZERO)
        return f"{on_page:,.2f} USD on this page"

    @cached_property
    def found(self) -> Found | None:
        """What the search has found in all; searched once for the page and its count."""
        return found_pushes(self.asked) if self.asked.text else None

    def _keys(self, size: int) -> list[UUID]:
        self.looked_to: UUID | None = None
        if self.found is not None and self.older_than is None and self.newer_than is None:
            return self.found.ids[:size]
        page = page_of_pushes(
            self.asked, limit=size, older_than=self.older_than, newer_than=self.newer_than
        )
        self.looked_to = page.looked_to
        return page.ids
