"""What stands above the list of pushes: views, what narrows it now, columns, files."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from consumers.models import APIClient, Partner
from payouts.admin.push_list import PushChangeList, list_choice
from payouts.deciding.approvers import name_of
from payouts.finding.push_columns import COLUMNS, value_words
from payouts.finding.push_lists import same_query, views_for
from payouts.finding.push_query import SEARCH, ZONE, PushQuery, UnreadableQuery, address_of
from payouts.models import Batch
from payouts.staff import EXPORT_PAYMENT

_WORDS: Final = {
    "status": "Status",
    "partner": "Partner",
    "source": "Source",
    "network": "Network",
    "maker": "Maker",
    "failure": "Failure",
    "batch": "Batch",
    "day_from": "From",
    "day_to": "To",
    "amount_min": "At least $",
    "amount_max": "At most $",
}
# What an address names by a key.
_NAMED: Final = frozenset({"partner", "maker", "batch"})


@dataclass(frozen=True, slots=True)
class OfferedView:
    id: int
    name: str
    query: str
    owner: str
    is_shared: bool
    is_mine: bool
    is_open: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """One thing that narrows the list, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True)
class OfferedColumn:
    name: str
    title: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Tools:
    address: str
    views: list[OfferedView]
    chosen: list[Chosen]
    columns: list[OfferedColumn]
    may_export: bool


def list_tools(request: HttpRequest, changelist: PushChangeList) -> Tools:
    """One statement for the views; one more for each name of a chosen partner, maker or batch."""
    query = changelist.asked
    choice = list_choice(request)
    assert isinstance(request.user, User)
    return Tools(
        address=query.address(),
        views=[
            OfferedView(
                id=view.pk,
                name=view.name,
                query=view.query,
                owner=name_of(view.owner),
                is_shared=view.is_shared,
                is_mine=view.owner_id == request.user.pk,
                is_open=same_query(view.query, query.address()),
                is_default=view.pk == choice.default_view,
            )
            for view in views_for(request.user)
        ],
        chosen=_chosen(query),
        columns=[
            OfferedColumn(one.name, one.title, is_shown=one.name in choice.columns)
            for one in COLUMNS
        ],
        may_export=request.user.has_perm(EXPORT_PAYMENT),
    )


def _chosen(query: PushQuery) -> list[Chosen]:
    return [
        Chosen(
            _said(name, text, _name_of(name, text, query)),
            address_of(query.given, **_without(name, query)),
        )
        for name, text in query.given
        if name != ZONE
    ]


def words_of(address: str) -> list[str]:
    """What a list at that address was narrowed to, for whoever reads about it elsewhere.

    No statement: partners, makers and batches are told without their names.
    """
    try:
        given = PushQuery.from_address(address).given
    except UnreadableQuery:
        return [address]
    return [
        f"One {name}" if name in _NAMED else _said(name, text, value_words(text))
        for name, text in given
        if name != ZONE
    ]


def _without(name: str, query: PushQuery) -> dict[str, str | None]:
    days = {"day_from", "day_to"} & query.narrowed_by()
    return {name: None, ZONE: None} if days == {name} else {name: None}


def _said(name: str, text: str, value: str) -> str:
    if name == SEARCH:
        return f"“{text}”"
    if name.startswith("amount"):
        return f"{_WORDS[name]}{text.lstrip('$')}"
    return f"{_WORDS[name]}: {value}"


def _name_of(name: str, text: str, query: PushQuery) -> str:
    """What people call a value; what it says itself where it is no row, or one that is gone."""
    reach = query.reach
    if name == "maker" and reach.maker_user_id is not None:
        person = User.objects.filter(pk=reach.maker_user_id).first()
        return value_words(text) if person is None else name_of(person)
    rows: QuerySet[Any] | None = None
    if name == "partner" and reach.partner_id is not None:
        rows = Partner.objects.filter(pk=reach.partner_id)
    elif name == "maker" and reach.maker_client_id is not None:
        rows = APIClient.objects.filter(pk=reach.maker_client_id)
    elif name == "batch" and reach.batch_id is not None:
        rows = Batch.objects.filter(pk=reach.batch_id)
    called = None if rows is None else rows.values_list("name", flat=True).first()
    return value_words(text) if called is None else called
