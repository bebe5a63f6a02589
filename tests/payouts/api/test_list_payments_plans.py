"""GET /v2/payments/oct/ walks an index whatever it is narrowed by.

With a handful of rows the planner would rather read the table, so it is told not to: where an index
serves the question its plan has no reading of the table left.
"""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from consumers.models import PaymentCard
from payouts.api.listing import listed, wanted
from tests.books import execute, select
from tests.pushes import push

pytestmark = pytest.mark.django_db

CARD = "{card}"


@pytest.mark.parametrize(
    "query",
    [
        {"status": "pending"},
        {"status": ["pending", "failed"]},
        {"consumer_id": "ada"},
        {"consumer_id": CARD},
        {"external_payment_card_id": CARD},
        {"created_after": "2020-01-01"},
        {"created_before": "2020-01-01"},
        {"amount_min": "1"},
        {"amount_max": "1"},
        {"amount_min": "5", "amount_max": "5"},
        {"reference": "R-1"},
        {"idempotency_key": "k"},
        {"search": "R-1"},
        {"status": "pending", "amount_min": "1", "created_after": "2020-01-01"},
        {"status": "pending", "consumer_id": "ada", "reference": "R-1"},
    ],
    ids=urlencode,
)
def test_never_reads_the_table(card: PaymentCard, query: dict[str, Any]) -> None:
    push(card, reference="R-1")
    text = urlencode(query, doseq=True).replace("%7Bcard%7D", str(card.pk))
    execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as captured:
        listed(wanted(QueryDict(text), partner_id=UUID(str(card.partner_id))))
    asked = [
        one["sql"]
        for one in captured.captured_queries
        # The prepared statements take keys only; `payouts.finding.search` has its own tests.
        if one["sql"] and "%(" not in one["sql"] and "$1" not in one["sql"]
    ]
    assert asked
    for sql in asked:
        plan = "\n".join(line for (line,) in select("EXPLAIN " + sql.replace("%", "%%")))
        assert "Seq Scan on payouts_payment " not in plan, plan
        assert "Seq Scan on consumers_consumer" not in plan, plan
        assert "Seq Scan on payouts_idempotencykey" not in plan, plan
