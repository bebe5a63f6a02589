"""The columns that a list of pushes can have, and what stands in each as plain values for a file.

The page shows the same columns with more dress; which ones, a person chooses. Names are stored with
people's choices and with exports: they stay what they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from consumers.cards import CardNetworkName
from payouts.approvals import Source
from payouts.models import Attempt, Payment
from payouts.spreadsheets import Cell, Row, instant_cells, instant_titles
from payouts.states import MoneyMoved


@dataclass(frozen=True, slots=True)
class Column:
    """`reads` are the columns of the database that `cell` needs, as paths from the payment."""

    name: str
    title: str
    reads: tuple[str, ...]
    cell: Callable[[Payment], Cell]

    def titles(self, zone: str) -> list[str]:
        return [self.title]

    def cells(self, payment: Payment, zone: str) -> list[Cell]:
        return [self.cell(payment)]


@dataclass(frozen=True, slots=True)
class Instants(Column):
    """Points in time, which are shown in the zone of whoever looks."""

    cell: Callable[[Payment], datetime | None]

    def titles(self, zone: str) -> list[str]:
        return instant_titles(self.title, zone=zone)

    def cells(self, payment: Payment, zone: str) -> list[Cell]:
        return instant_cells(self.cell(payment), zone=zone)


def value_words(value: str) -> str:
    """A stored word as people read it in lists, filters and files; `back_office`, `visa`, `api`."""
    return _NAMES.get(value, value.replace("_", " "))


_NAMES: Final = {
    Source.API.value: "API",
    **{network.value: network.words for network in CardNetworkName},
}


def maker_of(payment: Payment) -> str:
    """Who asked for the push, as people call them; empty if nobody did by name."""
    if payment.maker_user is not None:
        return payment.maker_user.get_full_name() or payment.maker_user.get_username()
    return payment.maker_client.name if payment.maker_client is not None else ""


def attempt_of(payment: Payment) -> Attempt | None:
    """The push's attempt at a network, read together with it; None if nothing was sent."""
    return getattr(payment, "attempt", None)


def _rrn(payment: Payment) -> str:
    attempt = attempt_of(payment)
    return "" if attempt is None else attempt.retrieval_reference_number


# What cases say beyond the status, in a file's words.
_BESIDE: Final = {
    MoneyMoved.UNKNOWN.value: "disputed",
    MoneyMoved.YES.value: "was paid",
    MoneyMoved.NO.value: "was not paid",
}


def _status(payment: Payment) -> str:
    status = value_words(payment.status)
    beside = _BESIDE.get(payment.moved_otherwise)
    return f"{status} ({beside})" if beside else status


_MAKER: Final = (
    "maker_user__first_name", "maker_user__last_name", "maker_user__username",
    "maker_client__name",
)  # fmt: skip
_PERSON: Final = ("consumer__first_name", "consumer__last_name", "consumer__pcid")

COLUMNS: Final = (
    Instants("asked_at", "Asked for", ("created_at",), lambda p: p.created_at),
    Column("partner", "Partner", ("partner__name",), lambda p: p.partner.name),
    Column("consumer", "Consumer", _PERSON, lambda p: str(p.consumer)),
    Column("pcid", "pcid", ("consumer__pcid",), lambda p: p.consumer.pcid),
    Column(
        "card",
        "Card",
        ("card__network", "card__last4"),
        lambda p: f"{value_words(p.card.network)} ···· {p.card.last4}",
    ),
    Column("amount", "Amount (USD)", ("amount",), lambda p: p.amount),
    Column("fee", "Fee (USD)", ("fee_amount",), lambda p: p.fee_amount),
    Column("total", "Total (USD)", ("amount", "fee_amount"), lambda p: p.amount + p.fee_amount),
    Column("status", "Status", ("status", "moved_otherwise"), _status),
    Column("source", "Source", ("source",), lambda p: value_words(p.source)),
    Column("maker", "Maker", _MAKER, maker_of),
    Column("reference", "Reference", ("reference",), lambda p: p.reference),
    Column("description", "Description", ("description",), lambda p: p.description),
    Column("failure", "Failure", ("failure_code",), lambda p: value_words(p.failure_code)),
    Column("network_code", "Network code", ("network_code",), lambda p: p.network_code),
    Instants("paid_at", "Paid", ("completed_at",), lambda p: p.completed_at),
    Column("rrn", "RRN", ("attempt__retrieval_reference_number",), _rrn),
    Column("request_id", "Request-Id", ("request_id",), lambda p: p.request_id),
    Column("id", "Push", ("id",), lambda p: p.pk),
)
COLUMN_NAMED: Final = {column.name: column for column in COLUMNS}
# What a list shows to somebody who has chosen nothing.
USUAL: Final = (
    "asked_at", "partner", "consumer", "card", "amount", "fee", "status", "source", "reference",
)  # fmt: skip


def known_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that there are, in the list's own order; the usual ones if none is."""
    wanted = set(names)
    return tuple(column.name for column in COLUMNS if column.name in wanted) or USUAL


def with_columns(payments: QuerySet[Payment], names: Sequence[str]) -> QuerySet[Payment]:
    """The payments with what these columns show, and no more: cards carry sealed bytes."""
    reads = dict.fromkeys(path for name in names for path in COLUMN_NAMED[name].reads)
    related = dict.fromkeys(path.partition("__")[0] for path in reads if "__" in path)
    return payments.select_related(*related).only(*reads) if related else payments.only(*reads)


def header(names: Sequence[str], *, zone: str) -> list[str]:
    """The titles of a file for somebody in `zone`, an IANA name."""
    return [title for name in names for title in COLUMN_NAMED[name].titles(zone)]


def cells(payment: Payment, names: Sequence[str], *, zone: str) -> Row:
    """The payment's row below that header; nothing is read but what `with_columns` did."""
    return [cell for name in names for cell in COLUMN_NAMED[name].cells(payment, zone)]
