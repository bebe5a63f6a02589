"""Reads what a list of payments is asked for, and fetches that page of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, NotFound

from consumers.api.paging import Page
from consumers.api.parameters import PAGING, given, page_in, problems_with_names
from payouts import queries
from payouts.api.filters import PaymentFilter, Problems
from payouts.payment_record import PaymentRecord
from payouts.states import Status

# Counting beyond this would cost more than the page itself; the answer says so.
COUNTED_AT_MOST: Final = 10_000

_KNOWN: Final = frozenset({*PAGING, *PaymentFilter.base_filters})
_REPEATABLE: Final = frozenset({"status"})


class Wanted(NamedTuple):
    """A page of the partner's payments; without `filters`, of all of them."""

    partner_id: UUID
    page: Page
    filters: PaymentFilter | None


@dataclass(frozen=True, slots=True)
class Listed:
    """Up to `page.limit` payments in the order that `Page.answer` expects, and how many there are.

    `count` is a lower bound if `is_exact` is false.
    """

    records: list[PaymentRecord]
    count: int
    is_exact: bool = True


def wanted(query: QueryDict, *, partner_id: UUID) -> Wanted:
    """Read the parameters of a list. A `page` or `page_size` without a value counts as not given.

    Raises:
        RequestRefused: if the one thing that is wrong is about paging, with a code of its own.
        ValidationError: naming every parameter that is wrong, given twice or unknown.
        NotFound: a page number beyond the end of any list.
    """
    parameters = given(query)
    names_filters = not PaymentFilter.base_filters.keys().isdisjoint(parameters)
    filters = PaymentFilter(parameters, partner_id=partner_id) if names_filters else None
    problems = {
        **({} if filters is None else filters.problems()),
        **_blanks(parameters),
        **problems_with_names(parameters, known=_KNOWN, repeatable=_REPEATABLE),
    }
    return Wanted(partner_id, page_in(parameters, beside=problems), filters)


def listed(wanted: Wanted) -> Listed:
    """Fetch what is wanted, in a number of statements that does not grow with the page.

    Raises:
        NotFound: a page number past the end.
    """
    return _newest(wanted) if wanted.filters is None else _narrowed(wanted, wanted.filters)


def _blanks(parameters: QueryDict) -> Problems:
    """A filter without a value would narrow nothing, where whoever sent it meant something."""
    return {
        name: [ErrorDetail("Give this parameter a value.", "blank")]
        for name, values in parameters.lists()
        if name in PaymentFilter.base_filters and not all(values)
    }


def _newest(wanted: Wanted) -> Listed:
    page, partner_id = wanted.page, wanted.partner_id
    if page.before is not None:
        found = queries.records_before(partner_id, before=page.before, limit=page.limit)
    elif page.offset:
        _require_page(page, queries.payment_count(partner_id))
        found = queries.numbered_records(partner_id, offset=page.offset, limit=page.limit)
    else:
        found = queries.newest_records(partner_id, after=page.after, limit=page.limit)
    return Listed(found.records, found.in_all)


def _narrowed(wanted: Wanted, filters: PaymentFilter) -> Listed:
    payments = filters.qs
    statuses = filters.statuses_alone()
    if statuses is None:
        # In the order of an index: reading the table until enough is found may mean all of it.
        counted = payments.order_by("-pk")[: COUNTED_AT_MOST + 1].count()
        count = min(counted, COUNTED_AT_MOST)
        is_exact = counted <= COUNTED_AT_MOST and filters.search_is_complete
    else:
        count, is_exact = _count_of_statuses(wanted.partner_id, statuses), True
    if is_exact:
        _require_page(wanted.page, count)
    ids = [payment.pk for payment in wanted.page.fetched_from(payments.only("id"))]
    return Listed(queries.records_by_ids(ids) if ids else [], count, is_exact)


def _count_of_statuses(partner_id: UUID, statuses: Sequence[Status]) -> int:
    counts = queries.payment_count_by_status(partner_id)
    return sum(counts.get(status.value, 0) for status in statuses)


def _require_page(page: Page, count: int) -> None:
    """Refuse a page past the end before the database counts its way there."""
    if page.offset and page.offset >= count:
        raise NotFound("There is no such page.")
