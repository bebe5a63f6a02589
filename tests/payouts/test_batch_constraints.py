"""What the database keeps about batches, whatever the way in."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction

from payouts.models import Batch, BatchRow, BatchState, BatchTally, RowState
from tests.batches import issued, line, rows_of
from tests.books import execute
from tests.pushes import make_funded_partner, make_payee, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia() -> User:
    return make_staff("mia", "maker")


@pytest.fixture
def batch(mia: User) -> Batch:
    card = make_payee(partner=make_funded_partner())
    return issued(card.partner, mia, line(card), ["nobody", "", "1.00", "", ""])


def refused(statement: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        statement()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM payouts_batch",
        "DELETE FROM payouts_batchrow",
        "TRUNCATE payouts_batch CASCADE",
        "TRUNCATE payouts_batchrow",
        "TRUNCATE payouts_batchorder",
        "UPDATE payouts_batch SET file_digest = sha256('x')",
        "UPDATE payouts_batch SET uploaded_by_id = uploaded_by_id + 1",
        "UPDATE payouts_batch SET state = 'ready'",
        "UPDATE payouts_batchrow SET cells = '{}'",
        "UPDATE payouts_batchrow SET line = line + 1",
        "UPDATE payouts_batchrow SET state = 'good' WHERE state = 'issued'",
        "UPDATE payouts_batchrow SET payment_id = NULL WHERE state = 'issued'",
        "UPDATE payouts_batchrow SET state = 'good' WHERE state = 'bad'",
        "UPDATE payouts_batchrow SET state = 'issued' WHERE state = 'bad'",
    ],
)
def test_refuses(batch: Batch, statement: str) -> None:
    refused(lambda: execute(statement))


def test_one_payment_belongs_to_one_line(batch: Batch) -> None:
    first, second = rows_of(batch)
    values = {
        "state": RowState.ISSUED, "payment_id": first.payment_id, "consumer_id": first.consumer_id,
        "card_id": first.card_id, "fee_amount": first.fee_amount,
    }  # fmt: skip
    refused(lambda: BatchRow.objects.filter(pk=second.pk).update(**values))


def test_every_step_of_a_batch_is_one_that_is_meant_to_be(mia: User) -> None:
    may = {
        "reading": {"checking", "refused", "withdrawn"},
        "checking": {"ready", "refused", "withdrawn"},
        "ready": {"checking", "issuing", "withdrawn"},
        "issuing": {"issued", "withdrawn"},
    }
    partner = make_funded_partner()
    for before in BatchState.values:
        for after in BatchState.values:
            if before == after:
                continue
            row = Batch.objects.create(
                partner=partner, uploaded_by=mia, name="x", file_name="x", file_bytes=1,
                file_digest=bytes(32), state=before, created_at="2026-11-22T00:00Z",
            )  # fmt: skip
            step = Batch.objects.filter(pk=row.pk)
            if after in may.get(before, set()):
                assert step.update(state=after) == 1
            else:
                refused(lambda step=step, after=after: step.update(state=after))


def test_counts_and_sums_follow_the_rows(batch: Batch) -> None:
    def counted() -> dict[str, tuple[int, int]]:
        rows = BatchTally.objects.filter(batch=batch, rows__gt=0)
        return {row.state: (row.rows, int(row.amount * 100)) for row in rows}

    assert counted() == {"issued": (1, 1000), "bad": (1, 100)}
