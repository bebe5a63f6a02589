"""Reads the parameters of lists, and names every one that is wrong, unknown or given twice.

Values are never repeated in an answer: a parameter may hold anything, a card number included.
"""

import contextlib
from collections.abc import Collection
from typing import Final

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError

from consumers.api.paging import CURSOR, NUMBER, SIZE, Page
from consumers.api.problems import RequestRefused, shown_name

Problems = dict[str, list[ErrorDetail]]

PAGING: Final = (NUMBER, SIZE, CURSOR)


def given(query: QueryDict) -> QueryDict:
    """The parameters; a `page` or `page_size` without a value counts as not given."""
    # The contract writes `?page=&page_size=`.
    left_blank = [name for name in (NUMBER, SIZE) if name in query and not query[name]]
    if not left_blank:
        return query
    kept = query.copy()
    for name in left_blank:
        del kept[name]
    return kept


def problems_with_names(
    given: QueryDict, *, known: Collection[str], repeatable: Collection[str] = ()
) -> Problems:
    """What is unknown, or given more than once and not `repeatable`."""
    problems: Problems = {}
    for name, values in given.lists():
        if name not in known:
            detail = ErrorDetail("There is no such parameter.", "unknown_parameter")
            problems[shown_name(name)] = [detail]
        elif len(values) > 1 and name not in repeatable:
            problems[name] = [ErrorDetail("Give this parameter once.", "repeated_parameter")]
    return problems


def page_in(given: QueryDict, *, beside: Problems, alone: Collection[str] = ()) -> Page:
    """Read the parameters of paging; `beside` is what is wrong with the others.

    Raises:
        RequestRefused: with a code of its own, if the one thing that is wrong is about paging, or
            about a parameter named in `alone`.
        ValidationError: naming everything that is wrong.
        NotFound: a page number beyond the end of any list.
    """
    if not beside:
        # `Page.of` raises the first problem that it meets; with several, all are named below.
        with contextlib.suppress(RequestRefused):
            return Page.of(given)
    problems = {**_problems_with_paging(given), **beside}
    [(name, [first, *_]), *others] = problems.items()
    if not others and (name not in beside or name in alone):
        raise RequestRefused(str(first.code), str(first), field=name)
    raise ValidationError(problems)


def _problems_with_paging(given: QueryDict) -> Problems:
    problems: Problems = {}
    for name in PAGING:
        try:
            Page.of({name: str(given[name])} if name in given else {})
        except RequestRefused as refused:
            problems[name] = [ErrorDetail(str(refused.detail), code=str(refused.get_codes()))]
        except NotFound:
            continue
    return problems
