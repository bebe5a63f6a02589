"""The one plan that serves the pages of all partners walks the partner's own index."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consumers.search import partners_called
from payouts import queries
from payouts.finding.push_pages import page_of_pushes
from payouts.finding.push_query import PushQuery
from payouts.seeding.run import seed
from tests.books import execute, select
from tests.builders import make_partner
from tests.owner import owning

pytestmark = pytest.mark.django_db

Page = Callable[[UUID], queries.Records]

SOME_ID = UUID("01900000-0000-7000-8000-000000000000")


@pytest.fixture
def few_have_many() -> None:
    """Thousands of payments of a single partner, as statistics know them."""
    with owning():
        seed(3000, partners=1, days=3, told=lambda stage, done, total: None)


@pytest.mark.usefixtures("few_have_many")
@pytest.mark.parametrize(
    "page",
    [
        lambda partner_id: queries.newest_records(partner_id, limit=51),
        lambda partner_id: queries.newest_records(partner_id, after=SOME_ID, limit=51),
        lambda partner_id: queries.records_before(partner_id, before=SOME_ID, limit=51),
        lambda partner_id: queries.numbered_records(partner_id, offset=50, limit=51),
    ],
    ids=["newest", "after", "before", "numbered"],
)
def test_finds_nothing_of_a_partner_without_payments_at_once(page: Page) -> None:
    newcomer = make_partner()
    with CaptureQueriesContext(connection) as captured:
        assert page(newcomer.pk).records == []
    plan = plan_of(captured.captured_queries[0]["sql"])
    assert "payment_newest on payouts_payment" in plan, plan


def plan_of(statement: str) -> str:
    """The plan for whatever values the statement is given, as a prepared one has it."""
    return "\n".join(line for (line,) in select(f"EXPLAIN (GENERIC_PLAN) {statement}"))


@pytest.mark.usefixtures("few_have_many")
@pytest.mark.parametrize("given", [{}, {"partner": str(SOME_ID)}])
def test_lists_failures_of_one_reason_by_their_own_index(given: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as captured:
        page_of_pushes(PushQuery.read({"failure": "expired_card", **given}), limit=51)
    plan = plan_of(captured.captured_queries[-1]["sql"])
    assert "payment_by_failure on payouts_payment" in plan, plan


def test_finds_a_partner_by_the_words_of_its_name() -> None:
    make_partner(name="Northwind Traders")
    for text, found in (("trad north", 1), ("NORTHWIND", 1), ("wind", 0), ("<>", 0)):
        assert partners_called(text).count() == found, text
    # Few partners are read faster without; what matters is that the index fits.
    execute("SET LOCAL enable_seqscan = off")
    assert "partner_search" in partners_called("trad").explain()
