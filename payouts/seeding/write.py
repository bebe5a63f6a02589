"""Writes slices of seeded payments with COPY, one complete and balanced transaction each.

The triggers that would check and count every row sleep (`session_replication_role`), so what they
keep is written here: balances, tallies, usage. Locks are taken in the product's order, which may be
running meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.db import connection, transaction
from django.db.utils import ProgrammingError

from payouts.models import Decision, EventKind, Payment
from payouts.models.approvals import Verdict
from payouts.operations.decide import subject_digest
from payouts.seeding.people import CARD_COLUMNS, CONSUMER_COLUMNS, rows_of_people
from payouts.seeding.plan import Plan, Slice, instant, text_of_cents
from payouts.seeding.rows import (
    ATTEMPT_COLUMNS,
    EVENT_COLUMNS,
    JOURNAL_COLUMNS,
    KEY_COLUMNS,
    PAYMENT_COLUMNS,
    POSTING_COLUMNS,
    REQUIREMENT_COLUMNS,
    USAGE_COLUMNS,
    Rows,
    drafts,
    needed_numbers,
    rows_of_payments,
)

_PARTS: Final = 16


class TriggersCannotSleep(Exception):
    """The database role may not set `session_replication_role`: it has to be a superuser's."""


def require_sleeping_triggers() -> None:
    """:raises TriggersCannotSleep: before anything has been written."""
    try:
        with transaction.atomic():
            _let_triggers_sleep()
            _wake_triggers()
    except ProgrammingError as error:
        raise TriggersCannotSleep(str(error).strip()) from error


def write_people(plan: Plan, group: int) -> int:
    """Write the consumers and cards of a group; return how many consumers."""
    consumers, cards = rows_of_people(plan, group)
    with transaction.atomic():
        _let_triggers_sleep()
        _copy("consumers_consumer", CONSUMER_COLUMNS, consumers)
        _copy("consumers_paymentcard", CARD_COLUMNS, cards)
        _wake_triggers()
    return len(consumers)


def write_slice(plan: Plan, cut: Slice) -> int:
    """Write the payments of a slice with all that belongs to them; return how many."""
    made = drafts(plan, cut)
    journals, sequences = needed_numbers(made)
    with transaction.atomic():
        _let_triggers_sleep()
        _announce_journals()
        rows = rows_of_payments(
            plan,
            cut,
            made,
            journal_ids=iter(_numbers("payouts_journal_id_seq", journals)),
            sequences=iter(_numbers("payouts_network_identity", sequences)),
        )
        _copy_rows(rows)
        _write_decisions(plan, rows)
        # What others write too comes last, so that nobody waits for long.
        _keep_tallies(rows)
        _keep_usage(rows, instant(cut.begin_us).date())
        _keep_balances(plan, rows)
        _wake_triggers()
    return len(made)


def _let_triggers_sleep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        # A crash may take the newest slices, whole.
        cursor.execute("SET LOCAL synchronous_commit = off")


def _wake_triggers() -> None:
    # The transaction's end does it too; inside a transaction of the caller this has to.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")


def _announce_journals() -> None:
    """Take the lock that an INSERT takes, because here the numbers are drawn before it.

    The audit trail's linker tells by it who may still write below the numbers that it has seen.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE payouts_journal IN ROW EXCLUSIVE MODE")


def _numbers(sequence: str, number: int) -> list[int]:
    """So many fresh numbers of a sequence that others draw from at the same time."""
    with connection.cursor() as cursor:
        statement = "SELECT nextval(%s::regclass) FROM generate_series(1, %s)"
        cursor.execute(statement, [sequence, number])
        return [row[0] for row in cursor.fetchall()]


def _copy_rows(rows: Rows) -> None:
    _copy("payouts_idempotencykey", KEY_COLUMNS, rows.keys)
    _copy("payouts_payment", PAYMENT_COLUMNS, rows.payments)
    _copy("payouts_event", EVENT_COLUMNS, rows.events)
    _copy("payouts_approvalrequirement", REQUIREMENT_COLUMNS, rows.requirements)
    _copy("payouts_journal", JOURNAL_COLUMNS, rows.journals)
    _copy("payouts_posting", POSTING_COLUMNS, rows.postings)
    _copy("payouts_attempt", ATTEMPT_COLUMNS, rows.attempts)


def _copy(table: str, columns: Sequence[str], lines: Sequence[str]) -> None:
    if not lines:
        return
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        copying.write("\n".join(lines))


_ADD_TALLIES: Final = """
INSERT INTO payouts_paymenttally AS kept (partner_id, status, part, payments, amount)
SELECT partner_id, status, %(part)s, payments, amount
FROM unnest(%(partners)s::uuid[], %(statuses)s::text[], %(payments)s::bigint[],
            %(amounts)s::numeric[])
    AS new (partner_id, status, payments, amount)
ORDER BY partner_id, status
ON CONFLICT (partner_id, status, part) DO UPDATE
SET payments = kept.payments + excluded.payments, amount = kept.amount + excluded.amount
"""

_ADD_PARTNER_USAGE: Final = """
INSERT INTO payouts_dailyusage AS kept (subject_id, day, part, amount, count)
SELECT subject_id, %(day)s, %(part)s, amount, count
FROM unnest(%(subjects)s::uuid[], %(amounts)s::numeric[], %(counts)s::numeric[])
    AS new (subject_id, amount, count)
ORDER BY subject_id
ON CONFLICT (subject_id, day, part) DO UPDATE
SET amount = kept.amount + excluded.amount, count = kept.count + excluded.count
"""

# Locked in the product's order before any of them is changed.
_LOCK_BALANCES: Final = """
SELECT FROM payouts_accountpart
WHERE (account_id, part) IN (SELECT * FROM unnest(%(accounts)s::bigint[], %(parts)s::smallint[]))
ORDER BY account_id, part FOR NO KEY UPDATE
"""
_ADD_BALANCES: Final = """
UPDATE payouts_accountpart kept SET balance = balance + new.amount
FROM unnest(%(accounts)s::bigint[], %(parts)s::smallint[], %(amounts)s::numeric[])
    AS new (account_id, part, amount)
WHERE kept.account_id = new.account_id AND kept.part = new.part
"""


def _keep_tallies(rows: Rows) -> None:
    tallies = rows.tallies.items()
    _execute(
        _ADD_TALLIES,
        {
            "part": _part_of(rows),
            "partners": [name.split()[0] for name, _ in tallies],
            "statuses": [name.split()[1] for name, _ in tallies],
            "payments": [count for _, (count, _) in tallies],
            "amounts": [text_of_cents(cents) for _, (_, cents) in tallies],
        },
    )


def _keep_usage(rows: Rows, day: date) -> None:
    # People of a slice push on its day in no other slice, so their rows are new.
    _copy(
        "payouts_dailyusage",
        USAGE_COLUMNS,
        [
            f"{subject}\t{day}\t0\t{text_of_cents(cents)}\t{count}"
            for subject, (count, cents) in sorted(rows.people_usage.items())
        ],
    )
    usage = rows.partner_usage.items()
    _execute(
        _ADD_PARTNER_USAGE,
        {
            "day": day,
            "part": _part_of(rows),
            "subjects": [partner for partner, _ in usage],
            "amounts": [text_of_cents(cents) for _, (_, cents) in usage],
            "counts": [count for _, (count, _) in usage],
        },
    )


def _keep_balances(plan: Plan, rows: Rows) -> None:
    """Spread what partners have over all parts, for their next pushes; the rest goes to one part.

    The product's payments wait for the parts that are touched here until the slice is committed.
    """
    spread = {partner.available_id for partner in plan.partners}
    moved = [
        (account, part, text_of_cents(share))
        for account, cents in rows.balances.items()
        for part, share in (_even(cents) if account in spread else [(_part_of(rows), cents)])
    ]
    accounts, parts, amounts = zip(*moved, strict=True)
    columns = {"accounts": list(accounts), "parts": list(parts), "amounts": list(amounts)}
    _execute(_LOCK_BALANCES, columns)
    _execute(_ADD_BALANCES, columns)


def _even(cents: int) -> Iterator[tuple[int, int]]:
    """A share for every part; the cents that do not divide go to the first."""
    share = -(-cents // _PARTS)
    yield 0, cents - share * (_PARTS - 1)
    yield from ((part, share) for part in range(1, _PARTS))


def _part_of(rows: Rows) -> int:
    """Slices that are written at once should meet on different parts."""
    return len(rows.payments) % _PARTS


def _write_decisions(plan: Plan, rows: Rows) -> None:
    """What the approver decided, bound to what was to be seen."""
    payments = _payments_by_id(decided.payment_id for decided in rows.decided)
    Decision.objects.bulk_create(
        Decision(
            payment=payments[payment_id],
            user_id=plan.house.approver_id,
            verdict=Verdict.APPROVE if step.kind is EventKind.APPROVED else Verdict.REJECT,
            digest=subject_digest(payments[payment_id]),
            created_at=at,
        )
        for payment_id, step, at in rows.decided
    )


def _payments_by_id(ids: Iterable[str]) -> Mapping[str, Payment]:
    payments = Payment.objects.select_related("consumer", "card").filter(pk__in=list(ids))
    return {payment.pk.hex: payment for payment in payments}


def _execute(statement: str, parameters: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
