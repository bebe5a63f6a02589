"""A payment as it is shown: one flat row with what belongs to it, read by one statement.

The API, its answers to creates and the waiting for a final status all read payments through here.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from payouts.approvals import Requirement
from payouts.states import Status


class PaymentRecord(NamedTuple):
    """Amounts in dollars, instants aware.

    `requirements` is [[name, decisions, group_id], …], or None. `decisions_given` are approvals
    that count now, while it waits for them; what a later edit has voided is not among them.
    """

    id: UUID
    consumer_id: UUID
    pcid: str
    card_id: UUID
    card_network: str
    card_last4: str
    amount: Decimal
    fee_amount: Decimal
    status: Status
    description: str
    reference: str
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    failure_code: str
    network_code: str
    approval_expires_at: datetime | None
    requirements: Sequence[tuple[str, int, int | None]] | None
    decisions_given: int
    attempt_network: str | None
    retrieval_reference_number: str | None
    trace_number: str | None
    approval_code: str | None
    transaction_id: str | None
    # What cases say of its money beyond the status; see `states.money_moved`.
    moved_otherwise: str


# A look-up costs a tenth of calling the enumeration, and lists do it for every row.
_STATUSES: Final = {status.value: status for status in Status}

# Limits where there is one row anyway keep the planner from reading whole tables for a page.
# Numbers and documents come as text: psycopg takes three times as long for the types themselves.
_RECORDS: Final = """
SELECT p.id, p.consumer_id, consumer.pcid, p.card_id, p.card_network, p.card_last4,
    p.amount::text, p.fee_amount::text, p.status, p.description, p.reference, p.metadata::text,
    p.created_at, p.updated_at, p.completed_at, p.failure_code, p.network_code,
    p.approval_expires_at,
    -- Functions, because a statement pays for each table that stands in it, asked or not.
    CASE WHEN p.status = 'pending_approval' THEN payouts_requirements(p.id) END,
    CASE WHEN p.status = 'pending_approval' THEN payouts_approvals_given(p.id) ELSE 0 END,
    attempt.network, attempt.retrieval_reference_number, attempt.trace_number,
    attempt.approval_code, attempt.transaction_id, p.moved_otherwise{beside}
FROM ({payments}) AS p
JOIN LATERAL (
    SELECT pcid FROM consumers_consumer WHERE id = p.consumer_id LIMIT 1
) AS consumer ON TRUE
LEFT JOIN LATERAL (
    SELECT network, retrieval_reference_number, trace_number, approval_code, transaction_id
    FROM payouts_attempt WHERE payment_id = p.id LIMIT 1
) AS attempt ON TRUE
ORDER BY {order}
"""
_COLUMNS: Final = len(PaymentRecord._fields)


def select_records(payments: str, *, order: str = "p.id", beside: str = "") -> str:
    """The statement for the records of `payments`, itself a statement for rows of payment.

    `beside` is another column, after those of the record.
    """
    return _RECORDS.format(payments=payments, order=order, beside=f", ({beside})" if beside else "")


def record_from_row(row: Sequence[Any]) -> PaymentRecord:
    """Turn a row of `select_records` into a record, without the column beside it."""
    return PaymentRecord._make(
        (
            *row[:6],
            Decimal(row[6]),
            Decimal(row[7]),
            _STATUSES[row[8]],
            *row[9:11],
            orjson.loads(row[11]),
            *row[12:_COLUMNS],
        )
    )


def accepted_record(
    *,
    id: UUID,  # noqa: A002
    consumer_id: UUID,
    pcid: str,
    card_id: UUID,
    card_network: str,
    card_last4: str,
    amount: Decimal,
    fee_amount: Decimal,
    description: str,
    reference: str,
    metadata: dict[str, str],
    at: datetime,
    requirements: Sequence[Requirement],
    approval_expires_at: datetime | None,
) -> PaymentRecord:
    """The record of a payment at the instant `at` when it is accepted."""
    return PaymentRecord(
        id=id,
        consumer_id=consumer_id,
        pcid=pcid,
        card_id=card_id,
        card_network=card_network,
        card_last4=card_last4,
        amount=amount,
        fee_amount=fee_amount,
        status=Status.PENDING_APPROVAL if requirements else Status.PENDING,
        description=description,
        reference=reference,
        metadata=metadata,
        created_at=at,
        updated_at=at,
        completed_at=None,
        failure_code="",
        network_code="",
        approval_expires_at=approval_expires_at,
        requirements=[(one.name, one.decisions, one.group_id) for one in requirements] or None,
        decisions_given=0,
        attempt_network=None,
        retrieval_reference_number=None,
        trace_number=None,
        approval_code=None,
        transaction_id=None,
        moved_otherwise="",
    )
