"""Lists of any length: pages by key, counts with a bound, and no filter but those that are meant.

A page costs the same wherever it lies, because it begins at a key and not at an offset. No list
here sorts by anything but the key, newest first: keys are made in the order of time.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst

from consumers.admin.base import ChangeList, Row, VerbAdmin
from consumers.search import Found
from consumers.typed_numbers import with_last_fours

OLDER_THAN: Final = "before"
NEWER_THAN: Final = "after"
COUNTED_AT_MOST: Final = 10_000
MORE_MATCH: Final = (
    "More match than can be shown, so these are only the newest. Narrow it down with a filter, or "
    "search for something more exact."
)

NEVER_WHOLE_NUMBERS: Final = (
    "That was a whole card number. It was not looked up: this is what its last four digits find. "
    "Type only those."
)


def without_whole_number(request: HttpRequest) -> str:
    """What a search asks for, with the last four of the whole card number that somebody pasted.

    Empty if they did not. The number must not stay in the address, nor come back on the page: lead
    to this query. The person is told. Where scripts run it does not come so far: `card_numbers.js`.
    """
    text = request.GET.get(SEARCH_VAR, "")
    kept = with_last_fours(text)
    if kept == text:
        return ""
    messages.warning(request, NEVER_WHOLE_NUMBERS)
    return urlencode({**request.GET.dict(), SEARCH_VAR: kept.strip()})


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are or, when not exact, a number that they are more than."""

    rows: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.rows:,}" if self.is_exact else f"more than {self.rows:,}"


def bounded_count(queryset: QuerySet[Any]) -> Count:
    """Count, but look at no more than `COUNTED_AT_MOST` matches."""
    bound = COUNTED_AT_MOST + 1
    rows = queryset.order_by().values("pk")[:bound].count()
    return Count(min(rows, COUNTED_AT_MOST), is_exact=rows < bound)


class PagesByKey:
    """Stands where the admin expects a paginator; `KeysetChangeList` itself knows the pages."""

    template_name = "admin/pages_by_key.html"


class KeysetChangeList(ChangeList):
    """One page of an admin's list: the rows next to a key, and the addresses of its neighbours."""

    newer_page: str | None
    older_page: str | None
    newest_page: str
    count: Count

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        self.older_than = self._key(request, OLDER_THAN)
        self.newer_than = self._key(request, NEWER_THAN)
        for parameter in (OLDER_THAN, NEWER_THAN):
            # A new filter or search begins at the newest row again.
            self.params.pop(parameter, None)
            self.filter_params.pop(parameter, None)
        return super().get_queryset(request, exclude_parameters)

    def get_filters(self, request: HttpRequest) -> Any:
        # What no filter has taken would become a condition on any column, with or without an index.
        try:
            filters = super().get_filters(request)
        except DisallowedModelAdminLookup as error:
            raise IncorrectLookupParameters(*error.args) from error
        if filters[2]:
            raise IncorrectLookupParameters(sorted(filters[2]))
        return filters

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = self._rows(self.list_per_page)
        self.count = self.counted()
        self.result_count = self.count.rows
        self.newest_page = self.get_query_string()
        self.paginator = PagesByKey()
        self.multi_page = self.can_show_all = self.show_full_result_count = False
        self.show_admin_actions = bool(self.result_list)
        # The theme's header would repeat the count, with a link to show everything at once.
        self.full_result_count = self.result_count

    def window(self, size: int) -> QuerySet[Any]:
        """The rows to page through; at least the `size` rows next to the key must be among them."""
        return self.queryset  # type: ignore[no-any-return]

    def counted(self) -> Count:
        """Count what the list shows; a table that is counted elsewhere can answer from there."""
        return bounded_count(self.queryset)

    @property
    def foot(self) -> str:
        """What stands beside the count at the foot of the list, if anything does."""
        return ""

    def _rows(self, size: int) -> list[Model]:
        if self.newer_than is not None:
            newer = self.window(size + 1).filter(pk__gt=self.newer_than).order_by("pk")
            rows = list(newer[: size + 1])
            if len(rows) > size:
                return self._page(rows[size - 1 :: -1], has_newer=True, has_older=True)
            # Nothing is newer than what fits here, so this is the newest page, and a whole one.
            self.newer_than = None
        older = self.window(size + 1)
        if self.older_than is not None:
            older = older.filter(pk__lt=self.older_than)
        rows = list(older[: size + 1])
        return self._page(
            rows[:size], has_newer=self.older_than is not None, has_older=len(rows) > size
        )

    def _page(self, rows: list[Model], *, has_newer: bool, has_older: bool) -> list[Model]:
        self.newer_page = self.older_page = None
        if rows and has_newer:
            self.newer_page = self.get_query_string({NEWER_THAN: rows[0].pk})
        if rows and has_older:
            self.older_page = self.get_query_string({OLDER_THAN: rows[-1].pk})
        return rows

    def _key(self, request: HttpRequest, parameter: str) -> Any:
        text = request.GET.get(parameter)
        if text is None:
            return None
        assert self.lookup_opts.pk is not None
        try:
            return self.lookup_opts.pk.to_python(text)
        except ValidationError as error:
            raise IncorrectLookupParameters(parameter) from error


class KeysetAdmin(VerbAdmin[Row]):
    """The admin of a table that may have ten million rows. Its filters have to use indexes."""

    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    sortable_by = ()
    ordering = ("-pk",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = without_whole_number(request)
        if query:
            return HttpResponseRedirect(f"{request.path}?{query}")
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def find(self, request: HttpRequest, text: str) -> Found:
        """Search for what a person typed, by indexes and with a bound."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        if not search_term.strip():
            return queryset, False
        found = self.find(request, search_term)
        if not found.is_complete:
            messages.info(request, MORE_MATCH)
        return queryset.filter(pk__in=found.ids), False
