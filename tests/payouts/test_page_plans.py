"""The one plan that serves the pages of all partners walks the partner's own index."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payouts import queries
from payouts.seeding.run import seed
from tests.books import select
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
