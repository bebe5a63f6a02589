"""Asks the database, in plain SQL, whether the books are right.

Written apart from the product's own checks. Each question selects what is wrong, so right books
answer all of them with nothing.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import Error, connection, transaction

from consumers.models import Partner
from payouts.checks import check_ledger
from payouts.models import Journal, Payment
from payouts.queries import partner_balance
from tests.owner import owning

OPEN = "('pending_approval', 'pending', 'submitted', 'unknown')"
UNPAID = "('failed', 'rejected', 'canceled', 'expired')"

QUESTIONS = {
    "a journal does not balance": """
        SELECT journal_id, sum(amount) FROM payouts_posting GROUP BY 1
        HAVING sum(amount) <> 0 OR count(*) < 2""",
    "a journal has no lines": """
        SELECT id FROM payouts_journal j
        WHERE NOT EXISTS (SELECT FROM payouts_posting WHERE journal_id = j.id)""",
    "the accounts do not sum to zero": """
        SELECT sum(balance) FROM payouts_accountpart HAVING sum(balance) <> 0""",
    "a stored balance differs from its postings": """
        SELECT a.id, a.kind, stored.balance, posted.amount FROM payouts_account a
        JOIN (SELECT account_id, sum(balance) AS balance FROM payouts_accountpart GROUP BY 1)
            AS stored ON stored.account_id = a.id
        LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM payouts_posting GROUP BY 1)
            AS posted ON posted.account_id = a.id
        WHERE stored.balance <> COALESCE(posted.amount, 0)""",
    "an account is below its floor": """
        SELECT account_id, part, balance FROM payouts_accountpart WHERE balance > max_debit""",
    "a partner's held money is not that of its open payments": f"""
        SELECT a.partner_id, sum(p.balance), open.total FROM payouts_account a
        JOIN payouts_accountpart p ON p.account_id = a.id
        LEFT JOIN (SELECT partner_id, sum(amount + fee_amount) AS total FROM payouts_payment
                   WHERE status IN {OPEN} GROUP BY 1) AS open ON open.partner_id = a.partner_id
        WHERE a.kind = 'held' GROUP BY a.partner_id, open.total
        HAVING -sum(p.balance) <> COALESCE(open.total, 0)""",
    "a payment has not the journals of its status": f"""
        SELECT p.id, p.status, array_agg(j.kind ORDER BY j.kind) FROM payouts_payment p
        LEFT JOIN payouts_journal j ON j.payment_id = p.id AND j.kind <> 'corrected'
        GROUP BY p.id
        HAVING array_agg(j.kind::text ORDER BY j.kind) <> CASE
            WHEN p.status IN {OPEN} THEN ARRAY['accepted']
            WHEN p.status IN {UNPAID} THEN ARRAY['accepted', 'released']
            WHEN p.status = 'completed' THEN ARRAY['accepted', 'completed']
            ELSE ARRAY['accepted', 'completed', 'returned'] END""",
    "a history has a gap": """
        SELECT p.id FROM payouts_payment p JOIN payouts_event e ON e.payment_id = p.id
        GROUP BY p.id HAVING count(*) <> p.version OR max(e.number) <> p.version
            OR min(e.number) <> 1""",
    "a history does not lead to the status": """
        SELECT e.payment_id, e.number FROM (
            SELECT *, lag(to_status, 1, '') OVER (PARTITION BY payment_id ORDER BY number) AS was
            FROM payouts_event) e
        JOIN payouts_payment p ON p.id = e.payment_id
        WHERE e.from_status <> e.was OR (e.number = p.version AND e.to_status <> p.status)""",
    "a completed payment was approved neither by the network nor by two people": """
        SELECT p.id FROM payouts_payment p LEFT JOIN payouts_attempt a ON a.payment_id = p.id
        WHERE (p.status IN ('completed', 'returned')) <> COALESCE(a.state = 'approved', FALSE)
            AND NOT EXISTS (SELECT FROM payouts_changerequest r WHERE r.state = 'applied'
                AND r.kind = 'resolve_unknown' AND r.subject = p.id::text
                AND (r.after ->> 'verdict' = 'completed')
                    = (p.status IN ('completed', 'returned')))""",
    "a tally differs from what it counts": """
        SELECT * FROM (SELECT partner_id, status, sum(payments) AS n, sum(amount) AS amount
                       FROM payouts_paymenttally GROUP BY 1, 2) kept
        FULL JOIN (SELECT partner_id, status, count(*) AS n, sum(amount) AS amount
                   FROM payouts_payment GROUP BY 1, 2) counted USING (partner_id, status)
        WHERE (COALESCE(kept.n, 0), COALESCE(kept.amount, 0))
           <> (COALESCE(counted.n, 0), COALESCE(counted.amount, 0))""",
    "a day's usage differs from its payments": f"""
        WITH used AS (
            SELECT subject_id, (created_at AT TIME ZONE 'UTC')::date AS day, sum(amount) AS amount,
                count(*) AS count
            FROM payouts_payment,
                unnest(ARRAY[card_id, consumer_id, partner_id]) AS subject_id
            WHERE status NOT IN {UNPAID} GROUP BY 1, 2
        ), kept AS (
            SELECT subject_id, day, sum(amount) AS amount, sum(count) AS count
            FROM payouts_dailyusage GROUP BY 1, 2
        )
        SELECT * FROM used FULL JOIN kept USING (subject_id, day)
        WHERE (COALESCE(used.amount, 0), COALESCE(used.count, 0))
           <> (COALESCE(kept.amount, 0), COALESCE(kept.count, 0))""",
}


def assert_books_are_right() -> None:
    """Every invariant of the ledger and of the histories, over everything in the database."""
    assert {name: wrong for name, sql in QUESTIONS.items() if (wrong := select(sql))} == {}


def assert_the_checks_agree() -> None:
    """What the product itself says about its books; it takes longer than our questions."""
    assert [finding for finding in check_ledger() if not finding.holds] == []


def select(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _execute_and_check(sql: str, *parameters: object) -> None:
    execute(sql, *parameters)
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def refusal(sql: str, *parameters: object) -> str:
    """Run it, and say what refused it at the latest on commit: a constraint or an SQLSTATE.

    As the owner of the tables, so that it is not for the lack of a right (tests/test_rights.py).
    """
    with pytest.raises(Error) as refused, transaction.atomic(), owning():
        _execute_and_check(sql, *parameters)
    cause = refused.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name or str(cause.sqlstate)


def available(partner: Partner) -> Decimal:
    return partner_balance(partner.pk).available


def held(partner: Partner) -> Decimal:
    return partner_balance(partner.pk).held


def balance(kind: str, *, network: str = "") -> Decimal:
    """The balance of one of our own accounts: a debit above zero, a credit below."""
    ((amount,),) = select(
        """SELECT sum(balance) FROM payouts_account a JOIN payouts_accountpart p
           ON p.account_id = a.id WHERE a.kind = %s AND a.network = %s""",
        kind,
        network,
    )
    assert isinstance(amount, Decimal)
    return amount


def journals(payment: Payment) -> list[str]:
    """The kinds of the payment's journals, oldest first."""
    found = Journal.objects.filter(payment=payment).order_by("id")
    return list(found.values_list("kind", flat=True))


def used(subject_id: UUID, *, on: date) -> tuple[Decimal, Decimal]:
    """The amount and count that a card, consumer or partner has used of the day's limits."""
    ((amount, count),) = select(
        """SELECT COALESCE(sum(amount), 0), COALESCE(sum(count), 0) FROM payouts_dailyusage
           WHERE subject_id = %s AND day = %s""",
        subject_id,
        on,
    )
    return amount, count
