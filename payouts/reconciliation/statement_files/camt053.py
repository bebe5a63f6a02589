"""Reads ISO 20022 bank-to-customer statements (camt.053.001.02 and newer).

The message's definition is at iso20022.org; what banks make of it differs, so what is not needed is
not looked at, and what is needed is refused if it is missing. The XML is read by `defusedxml`: a
file with a document type, and so with entities, is refused before one of them is expanded. Why no
library for this format is used: docs/adr/0030.
"""

import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError  # nosec B405: types only

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from payouts.reconciliation.bank_statements import (
    MOST_ENTRIES,
    Entry,
    Problem,
    Problems,
    Statement,
    StatementRefused,
    check_statements,
)
from payouts.reconciliation.statement_files.cells import Cells

_NAMESPACE: Final = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d\d)\}")
_OLDEST: Final = "02"
_DEEPEST: Final = 60
_BOOKED: Final = "BOOK"
_SIGNS: Final = {"CRDT": 1, "DBIT": -1}
# The balance before the first entry, by what banks call it; the latter is that of the day before.
_OPENINGS: Final = ("OPBD", "PRCD")
_CLOSING: Final = "CLBD"
# Where the other side's reference, or words of theirs, can stand in an entry.
_TEXTS: Final = frozenset(
    {"NtryRef", "EndToEndId", "InstrId", "PmtInfId", "TxId", "MsgId", "ClrSysRef", "UETR", "Ref"}
    | {"AcctOwnrTxId", "MktInfrstrctrTxId", "Ustrd", "AddtlNtryInf", "AddtlTxInf", "AddtlRmtInf"}
)
_NOT_PROVIDED: Final = "NOTPROVIDED"
_MOST_TEXTS: Final = 40


def read(content: bytes) -> list[Statement]:
    """Read all statements in the message.

    :raises StatementRefused: naming everything that is wrong.
    """
    problems = Problems()
    try:
        statements = list(_Reading(problems).statements(content))
    except DefusedXmlException:
        raise StatementRefused(Problem("", "document_type")) from None
    except (ParseError, ValueError, LookupError) as error:
        # The latter two: an encoding that is unknown, or is not what the file says.
        line, _ = getattr(error, "position", (0, 0))
        where = f"line {line}" if line else ""
        raise StatementRefused(*problems.found, Problem(where, "broken_xml")) from None
    if not statements and not problems.found:
        problems.add("", "no_statement_file")
    if not problems.found:
        check_statements(statements, problems)
    problems.refuse_if_any()
    return statements


class _Balance(NamedTuple):
    kind: str
    amount: Decimal
    day: date
    currency: str


_NO_BALANCE: Final = _Balance("", Decimal("0.00"), date.min, "")


class _Reading:
    """One pass through a file: entries are let go as soon as they are read."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._number = 1
        self._total = 0
        self._begin_statement()

    def statements(self, content: bytes) -> Iterator[Statement]:
        depth = 0
        for event, element in iterparse(io.BytesIO(content), ("start", "end"), forbid_dtd=True):
            if event == "start":
                depth += 1
                if depth > _DEEPEST:
                    raise StatementRefused(Problem("", "too_deep"))
                continue
            depth -= 1
            namespace, name = _parts(element.tag)
            if name == "Ntry":
                self._read_entry(_Node(element, namespace))
                element.clear()
            elif name == "Stmt":
                yield self._statement(_Node(element, namespace))
                element.clear()
                self._number += 1
                self._begin_statement()

    def _begin_statement(self) -> None:
        self._entries: list[Entry] = []
        self._currencies: set[str] = set()
        self._seen = 0

    def _read_entry(self, node: "_Node") -> None:
        """Keep the entry, if it is booked: what is pending is in no balance."""
        self._seen, self._total = self._seen + 1, self._total + 1
        if self._total > MOST_ENTRIES:
            raise StatementRefused(Problem("", "too_many_entries"))
        cells = Cells(f"statement {self._number}, entry {self._seen}", self._problems)
        status = node.text("Sts", "Cd") or node.text("Sts")
        if not status:
            cells.wrong("status")
        if status == _BOOKED:
            self._entries.append(_entry(node, cells))
            self._currencies.add(node.currency)

    def _statement(self, node: "_Node") -> Statement:
        cells = Cells(f"statement {self._number}", self._problems)
        balances = {one.kind: one for one in (_balance(bal, cells) for bal in node.all("Bal"))}
        opening = next((balances[kind] for kind in _OPENINGS if kind in balances), None)
        closing = balances.get(_CLOSING)
        if opening is None:
            cells.wrong("no_opening_balance")
        if closing is None:
            cells.wrong("no_closing_balance")
        opening, closing = opening or _NO_BALANCE, closing or _NO_BALANCE
        told = node.text("TxsSummry", "TtlNtries", "NbOfNtries")
        if told and told != str(self._seen):
            cells.wrong("count_differs", f"{self._seen}, not {told}")
        currency = node.text("Acct", "Ccy") or closing.currency
        self._currencies.update(one.currency for one in (opening, closing) if one.kind)
        for other in sorted(self._currencies - {currency}):
            cells.wrong("other_currency", other)
        account = node.text("Acct", "Id", "IBAN") or node.text("Acct", "Id", "Othr", "Id")
        return Statement(
            reference=cells.reference(node.text("Id")),
            account=cells.reference(account, "account").replace(" ", "").upper(),
            currency=currency,
            opens_on=_first_day(node, opening, cells),
            closes_on=closing.day,
            opening=opening.amount,
            closing=closing.amount,
            entries=tuple(self._entries),
        )


class _Node:
    """An element, and how to find what is in it whatever the version of the message."""

    def __init__(self, element: Element, namespace: str) -> None:
        self._element = element
        self._namespace = namespace

    def text(self, *path: str) -> str:
        """The text at the path, without blanks around it; empty if there is none."""
        found = self._element.findtext("/".join(self._namespace + name for name in path))
        return (found or "").strip()

    def all(self, name: str) -> list["_Node"]:
        return [
            _Node(one, self._namespace) for one in self._element.findall(self._namespace + name)
        ]

    @property
    def currency(self) -> str:
        """That of the element's amount; empty if it has none."""
        amount = self._element.find(f"{self._namespace}Amt")
        return "" if amount is None else amount.get("Ccy", "")

    def texts(self) -> Iterator[str]:
        """Whatever of the other side's references and words is anywhere in it."""
        for one in self._element.iter():
            if _parts(one.tag)[1] in _TEXTS and one.text and one.text.strip() != _NOT_PROVIDED:
                yield one.text


@lru_cache(maxsize=1000)
def _parts(tag: str) -> tuple[str, str]:
    """The namespace in braces and the name behind it; nothing if it is not of this message."""
    found = _NAMESPACE.match(tag)
    if found is None or found[1] < _OLDEST:
        return "", ""
    return found[0], tag[found.end() :]


def _entry(node: _Node, cells: Cells) -> Entry:
    texts = [cells.text(text) for text, _ in zip(node.texts(), range(_MOST_TEXTS), strict=False)]
    return Entry(
        amount=_signed(node, cells, "amount"),
        booked_on=cells.day(node.text("BookgDt", "Dt") or node.text("BookgDt", "DtTm")),
        bank_reference=" ".join(node.text("AcctSvcrRef").split())[:35],
        texts=tuple(dict.fromkeys(filter(None, texts))),
    )


def _balance(node: _Node, cells: Cells) -> _Balance:
    kind = node.text("Tp", "CdOrPrtry", "Cd")
    if kind not in (*_OPENINGS, _CLOSING):
        return _NO_BALANCE
    day = cells.day(node.text("Dt", "Dt") or node.text("Dt", "DtTm"))
    return _Balance(kind, _signed(node, cells, "balance"), day, node.currency)


def _signed(node: _Node, cells: Cells, code: str) -> Decimal:
    """The amount, below zero if it is a debit."""
    sign = _SIGNS.get(node.text("CdtDbtInd"))
    if sign is None:
        cells.wrong("direction", node.text("CdtDbtInd"))
    return (sign or 1) * cells.money(node.text("Amt"), code)


def _first_day(node: _Node, opening: _Balance, cells: Cells) -> date:
    """The first day that the statement is about, of which not every bank says that it is."""
    if told := node.text("FrToDt", "FrDtTm") or node.text("FrToDt", "FrDt"):
        return cells.day(told)
    is_day_before = opening.kind == "PRCD" and opening.day < date.max
    return opening.day + timedelta(days=1) if is_day_before else opening.day
