"""What a person is offered on the list of pushes: views, columns, and files. Reads only."""

from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from django.contrib.auth.models import User
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from consumers.search import FOUND_AT_MOST
from consumers.statements import Row, fetch_rows
from payouts.finding.push_columns import USUAL, known_columns, value_words
from payouts.finding.push_pages import page_of_pushes
from payouts.finding.push_query import PushQuery
from payouts.models import Export, PushListChoice, PushView

_OFFERED_AT_MOST: Final = 100
EXPORTS_SHOWN: Final = 50
# Facets are counted among so many of the newest.
SAMPLED_AT_MOST: Final = 5_000
_VALUES_AT_MOST: Final = 12


class ListChoice(NamedTuple):
    """How a person wants the list. `default_view` is the query of the view it opens with."""

    columns: tuple[str, ...]
    default_view: int | None
    default_query: str


def choice_of(person: User) -> ListChoice:
    """One statement."""
    row = PushListChoice.objects.select_related("default_view").filter(user=person).first()
    if row is None:
        return ListChoice(USUAL, None, "")
    view = row.default_view
    return ListChoice(
        known_columns(row.columns),
        None if view is None else view.pk,
        "" if view is None else view.query,
    )


def views_for(person: User) -> QuerySet[PushView]:
    """The person's own views by name, then those that others share."""
    offered = PushView.objects.filter(Q(owner=person) | Q(is_shared=True)).select_related("owner")
    mine = Case(When(owner=person, then=Value(0)), default=Value(1), output_field=IntegerField())
    return offered.order_by(mine, "name", "pk")[:_OFFERED_AT_MOST]


def exports_for(person: User, *, of_everybody: bool) -> QuerySet[Export]:
    """The newest exports that the person may see."""
    exports = Export.objects.select_related("asked_by").order_by("-pk")
    return exports if of_everybody else exports.filter(asked_by=person)


class FacetValue(NamedTuple):
    """A value that the list could be narrowed to, and how many of the looked-at have it."""

    value: str
    words: str
    pushes: int


class Facet(NamedTuple):
    name: str
    title: str
    values: list[FacetValue]


class Facets(NamedTuple):
    """`looked_at` pushes were counted; `is_all` if there are no more."""

    facets: list[Facet]
    looked_at: int
    is_all: bool


def facets_of(query: PushQuery) -> Facets:
    """Count what the newest of the query's pushes have: three statements at most, bounded."""
    page = page_of_pushes(query, limit=SAMPLED_AT_MOST)
    rows = fetch_rows(_GROUPED, {"ids": page.ids})
    facets = [_facet(name, title, rows) for name, title in _FACETS.items()]
    is_all = (
        len(page.ids) < SAMPLED_AT_MOST
        and page.looked_to is None
        and not (query.text and len(page.ids) >= FOUND_AT_MOST)
    )
    return Facets([one for one in facets if one.values], len(page.ids), is_all=is_all)


_FACETS: Final = {
    "status": "Status",
    "partner": "Partner",
    "source": "Source",
    "network": "Card network",
    "maker": "Maker",
    "failure": "Failure",
    "batch": "Batch",
}
_GROUPED: Final = """
SELECT facet.name, facet.value, COALESCE(
        partner.name, client.name || ', ' || theirs.name,
        NULLIF(trim(person.first_name || ' ' || person.last_name), ''), person.username,
        batch.name, facet.value),
    facet.pushes
FROM (
    SELECT CASE GROUPING(status, partner_id, source, network, maker, failure, batch_id)
               WHEN 63 THEN 'status' WHEN 95 THEN 'partner' WHEN 111 THEN 'source'
               WHEN 119 THEN 'network' WHEN 123 THEN 'maker' WHEN 125 THEN 'failure'
               ELSE 'batch' END AS name,
        COALESCE(status, partner_id::text, source, network, maker, failure, batch_id::text)
            AS value, count(*) AS pushes
    FROM (
        SELECT push.status, push.partner_id, push.source, card.network,
            NULLIF(push.failure_code, '') AS failure, line.batch_id,
            COALESCE('user:' || push.maker_user_id, 'client:' || push.maker_client_id) AS maker
        FROM unnest(%(ids)s::uuid[]) AS wanted(id)
        JOIN LATERAL (SELECT * FROM payouts_payment WHERE id = wanted.id LIMIT 1) push ON TRUE
        JOIN LATERAL (
            SELECT network FROM consumers_paymentcard WHERE id = push.card_id LIMIT 1
        ) card ON TRUE
        LEFT JOIN LATERAL (
            SELECT batch_id FROM payouts_batchrow WHERE payment_id = push.id LIMIT 1
        ) line ON push.source = 'batch'
    ) looked_at
    GROUP BY GROUPING SETS (
        (status), (partner_id), (source), (network), (maker), (failure), (batch_id))
) facet
LEFT JOIN consumers_partner partner
    ON facet.name = 'partner' AND partner.id::text = facet.value
LEFT JOIN consumers_apiclient client
    ON facet.name = 'maker' AND 'client:' || client.id = facet.value
-- Clients of several partners are called alike.
LEFT JOIN consumers_partner theirs ON theirs.id = client.partner_id
LEFT JOIN payouts_batch batch ON facet.name = 'batch' AND batch.id::text = facet.value
LEFT JOIN auth_user person ON facet.name = 'maker' AND 'user:' || person.id = facet.value
WHERE facet.value IS NOT NULL
ORDER BY facet.pushes DESC, facet.value
"""


def _facet(name: str, title: str, rows: list[Row]) -> Facet:
    values = [
        FacetValue(value, value_words(value) if value == words else words, pushes)
        for facet, value, words, pushes in rows
        if facet == name
    ]
    return Facet(name, title, values[:_VALUES_AT_MOST])


def same_query(one: str, other: str) -> bool:
    """Whether two addresses ask for the same, whatever the order of their parameters."""
    return sorted(parse_qsl(one)) == sorted(parse_qsl(other))
