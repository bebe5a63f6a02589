"""Writes journals. The database balances them, moves the stored balances, and refuses changes.

A line's amount is signed: a debit above zero, a credit below (docs/adr/0002).
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError

from consumers.models import Partner
from consumers.statements import fetch_row, fetch_rows
from payouts.actors import Actor
from payouts.models import Account, AccountKind, JournalKind

# Each account's money lies in so many parts (docs/adr/0002).
PARTS: Final = 16


class BelowFloor(Exception):
    """The account has less than that, all its parts together."""


class Line(NamedTuple):
    """A debit (above zero) or credit (below zero) in dollars to the account with this id.

    `part` is for a debit of an account that has a floor: that of `make_room`.
    """

    account_id: int
    amount: Decimal
    part: int | None = None


_POST: Final = """
WITH journal AS (
    INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
    VALUES (%(kind)s, %(payment_id)s, %(description)s, %(actor)s, %(at)s)
    RETURNING id
)
INSERT INTO payouts_posting (journal_id, account_id, part, amount)
SELECT journal.id, line.account_id, COALESCE(line.part, floor(random() * 16)), line.amount
FROM journal, unnest(%(account_ids)s::bigint[], %(amounts)s::numeric[], %(parts)s::smallint[])
    AS line (account_id, amount, part)
WHERE line.amount <> 0
RETURNING journal_id
"""


def post_journal(
    kind: JournalKind,
    *,
    lines: Sequence[Line],
    actor: Actor,
    at: datetime,
    payment_id: UUID | None = None,
    description: str = "",
) -> int:
    """Write a journal and return its id. Call it in the transaction of what it records.

    :raises django.db.DatabaseError: if the lines do not sum to zero, an account would pass its
        floor, or the payment has a journal of this kind already.
    """
    rows = fetch_rows(
        _POST,
        {
            "kind": kind.value,
            "payment_id": payment_id,
            "description": description,
            "actor": actor.label,
            "at": at,
            "account_ids": [line.account_id for line in lines],
            "amounts": [line.amount for line in lines],
            "parts": [line.part for line in lines],
        },
    )
    if not rows:
        raise IntegrityError("A journal needs at least one line that is not zero.")
    return int(rows[0][0])


_RELEASE: Final = """
WITH hold AS (
    SELECT p.id, p.amount + p.fee_amount AS total, held.id AS held_id, available.id AS available_id
    FROM payouts_payment p
    JOIN payouts_account held ON held.partner_id = p.partner_id AND held.kind = 'held'
    JOIN payouts_account available
        ON available.partner_id = p.partner_id AND available.kind = 'available'
    WHERE p.id = ANY(%(ids)s)
), journal AS (
    INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
    SELECT 'released', id, '', %(actor)s, %(at)s FROM hold ORDER BY id
    RETURNING id, payment_id
)
INSERT INTO payouts_posting (journal_id, account_id, part, amount)
SELECT journal.id, line.account_id, %(part)s, line.amount
FROM journal JOIN hold ON hold.id = journal.payment_id
CROSS JOIN LATERAL (VALUES (hold.held_id, hold.total), (hold.available_id, -hold.total))
    AS line (account_id, amount)
ORDER BY journal.id, line.amount DESC
RETURNING journal_id
"""


def post_releases(payment_ids: Sequence[UUID], *, actor: Actor, at: datetime) -> None:
    """Write each payment's journal that gives its hold back to the partner. One statement.

    Balances move once for all of them, in the trigger's order. In the transaction that ends the
    payments unpaid.

    :raises django.db.DatabaseError: if a hold has ended already.
    """
    part = secrets.randbelow(PARTS)
    given = {"ids": list(payment_ids), "actor": actor.label, "at": at, "part": part}
    fetch_rows(_RELEASE, given)


def make_room(account_id: int, amount: Decimal) -> int:
    """Make one part of a partner's account able to take this debit; return the part.

    Locks all parts until the transaction ends, so the debit that follows cannot fail for them.

    :raises BelowFloor: the whole account has less.
    """
    row = fetch_row(
        "SELECT payouts_gather(%(id)s, %(amount)s)", {"id": account_id, "amount": amount}
    )
    if row is None or row[0] is None:
        raise BelowFloor(account_id)
    return int(row[0])


_LOCK_PART: Final = """
SELECT FROM payouts_accountpart WHERE account_id = %(id)s AND part = %(part)s FOR NO KEY UPDATE
"""


def placed_lines(lines: Sequence[Line], *, making_room_in: int) -> list[Line]:
    """The lines with their parts, one account made able to take its debit, all parts locked.

    Accounts are locked in the order of their ids, as the trigger that posts does: to make room
    first and post afterwards would take that account before all others, and two journals could
    wait for each other.

    :raises BelowFloor: the account has less.
    """
    placed = []
    for line in sorted(lines, key=lambda one: one.account_id):
        if line.account_id == making_room_in:
            part = make_room(line.account_id, line.amount)
        else:
            part = secrets.randbelow(PARTS)
            fetch_row(_LOCK_PART, {"id": line.account_id, "part": part})
        placed.append(line._replace(part=part))
    return placed


def open_partner_accounts(partner: Partner) -> None:
    """Make the partner's two ledger accounts. Running it again changes nothing."""
    for kind in (AccountKind.AVAILABLE, AccountKind.HELD):
        Account.objects.get_or_create(kind=kind, partner=partner, network="")


def open_house_accounts(*networks: str) -> None:
    """Make our own accounts and one payable account per card network. Safe to run again."""
    for kind in (AccountKind.BANK, AccountKind.FEE_REVENUE, AccountKind.SUSPENSE):
        Account.objects.get_or_create(kind=kind, partner=None, network="")
    for network in networks:
        Account.objects.get_or_create(
            kind=AccountKind.NETWORK_PAYABLE, partner=None, network=network
        )
