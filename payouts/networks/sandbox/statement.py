"""The statement of the bank at which the sandbox network settles, as camt.053 and as CSV.

Pure: movements go in, text comes out, with differences in it if they are asked for. The formats are
read, by code of its own, in `payouts.reconciliation.statement_files`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple
from xml.sax.saxutils import escape  # nosec B406: writes only

from payouts.networks.sandbox.settlement import CREDIT, RETURN, Header, Sums

ACCOUNT: Final = "PAYOUTS0001"
CURRENCY: Final = "USD"
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_FEE_CENTS: Final = 25_00


class BankPlant(StrEnum):
    """One kind of difference on a statement."""

    AMOUNT_DIFFERS = "amount_differs"
    REFERENCE_LOST = "reference_lost"
    TWICE = "twice"
    MISSING = "missing"
    STRANGER = "stranger"


class Movement(NamedTuple):
    """Money that came to the account (above zero) or went from it, in cents."""

    cents: int
    booked_on: date
    reference: str
    text: str = "CARD NETWORK SETTLEMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Which statement, from which day to which, and with what it opens."""

    reference: str
    opens_on: date
    closes_on: date
    opening_cents: int
    made_at: datetime
    account: str = ACCOUNT


def planted(
    movements: Iterable[Movement], plants: Sequence[BankPlant], *, seed: int
) -> Iterator[tuple[Movement, BankPlant | None]]:
    """The movements with the differences in them, each by its kind; the same for the same seed.

    Each difference strikes a movement of its own; where there are fewer, the last are left out.
    """
    kept = list(movements)
    # Nothing that is drawn is a secret.
    draws = Random(f"statement {seed}")  # noqa: S311  # nosec B311
    struck = dict(zip(draws.sample(range(len(kept)), len(kept)), plants, strict=False))
    for number, movement in enumerate(kept):
        plant = struck.get(number)
        for one in _struck(movement, plant):
            yield one, plant


def _struck(movement: Movement, plant: BankPlant | None) -> tuple[Movement, ...]:
    match plant:
        case BankPlant.AMOUNT_DIFFERS:
            return (movement._replace(cents=movement.cents - 1),)
        case BankPlant.REFERENCE_LOST:
            return (movement._replace(reference=""),)
        case BankPlant.TWICE:
            return (movement, movement)
        case BankPlant.MISSING:
            return ()
        case BankPlant.STRANGER:
            fee = Movement(-_FEE_CENTS, movement.booked_on, "", "ACCOUNT FEE")
            return (movement, fee)
        case None:
            return (movement,)


def csv_text(head: Head, movements: Sequence[Movement]) -> str:
    """The statement as CSV, version 1."""
    closing = head.opening_cents + sum(one.cents for one in movements)
    days = (head.opens_on.isoformat(), head.closes_on.isoformat())
    first = ("S", head.reference, head.account, CURRENCY, *days)
    lines = [
        ("B", "PAYOUTS-STATEMENT", "1"),
        (*first, _dollars(head.opening_cents), _dollars(closing)),
        *(
            (
                *("E", one.booked_on.isoformat(), _dollars(one.cents), _own(head, number)),
                *(one.reference, one.text),
            )
            for number, one in enumerate(movements, start=1)
        ),
    ]
    return "".join(",".join(line) + "\n" for line in lines)


def camt_text(head: Head, movements: Sequence[Movement]) -> str:
    """The statement as camt.053.001.08."""
    closing = head.opening_cents + sum(one.cents for one in movements)
    entries = "".join(
        _entry(one, own=_own(head, number)) for number, one in enumerate(movements, start=1)
    )
    made_at = f"{head.made_at:%Y-%m-%dT%H:%M:%SZ}"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{NAMESPACE}">
 <BkToCstmrStmt>
  <GrpHdr><MsgId>{escape(head.reference)}</MsgId><CreDtTm>{made_at}</CreDtTm></GrpHdr>
  <Stmt>
   <Id>{escape(head.reference)}</Id>
   <CreDtTm>{made_at}</CreDtTm>
   <FrToDt><FrDtTm>{head.opens_on}T00:00:00Z</FrDtTm><ToDtTm>{head.closes_on}T23:59:59Z</ToDtTm></FrToDt>
   <Acct><Id><Othr><Id>{escape(head.account)}</Id></Othr></Id><Ccy>{CURRENCY}</Ccy></Acct>
{_balance("OPBD", head.opening_cents, head.opens_on)}{_balance("CLBD", closing, head.closes_on)}\
   <TxsSummry><TtlNtries><NbOfNtries>{len(movements)}</NbOfNtries></TtlNtries></TxsSummry>
{entries}  </Stmt>
 </BkToCstmrStmt>
</Document>
"""


def _entry(one: Movement, *, own: str) -> str:
    end_to_end = escape(one.reference or "NOTPROVIDED")
    return f"""\
   <Ntry>
    {_amount(one.cents)}
    <Sts><Cd>BOOK</Cd></Sts>
    <BookgDt><Dt>{one.booked_on}</Dt></BookgDt><ValDt><Dt>{one.booked_on}</Dt></ValDt>
    <AcctSvcrRef>{own}</AcctSvcrRef>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>
     <RmtInf><Ustrd>{escape(one.text)}</Ustrd></RmtInf>
    </TxDtls></NtryDtls>
   </Ntry>
"""


def _balance(kind: str, cents: int, day: date) -> str:
    return (
        f"   <Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(cents)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _amount(cents: int) -> str:
    direction = "DBIT" if cents < 0 else "CRDT"
    amount = _dollars(abs(cents))
    return f'<Amt Ccy="{CURRENCY}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'


def _own(head: Head, number: int) -> str:
    return f"BK{head.closes_on:%y%m%d}-{number:06d}"


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def movement_of(header: Header, sums: Sums) -> Movement:
    """What the bank books when the network settles this file: on the day on which it ended."""
    cents = sums.cents[RETURN] - sums.cents[CREDIT]
    return Movement(cents, header.window.ends_at.astimezone(UTC).date(), header.reference)
