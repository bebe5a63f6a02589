"""Builders for tests about statements of our bank."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from consumers.models import PaymentCard
from payouts.models import BankEntry, Case, SettlementFile, StatementFile
from payouts.networks.sandbox.settlement import Window
from payouts.networks.sandbox.statement import Head, Movement, csv_text
from payouts.operations.reconciliation.brought_files import FileUpload
from payouts.operations.reconciliation.match_statement import last_day_of, net_of
from payouts.operations.reconciliation.take_statement import take_statement
from payouts.work.statement_work import work_on_statements
from tests.books import select
from tests.pushes import push_completed
from tests.settlements import bring, line_about, settlement_of

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def day_of_settlement(day: date, *lines: Any) -> SettlementFile:
    """The network's file of a day, with these lines."""
    reference = f"S{day:%Y%m%d}"
    return bring(settlement_of(lines, window=Window.of_day(day), reference=reference))


def settled_on(card: PaymentCard, day: date, **asked: Any) -> SettlementFile:
    """The network's file of a day, about one push that it has paid."""
    return day_of_settlement(day, line_about(push_completed(card, **asked), settled_on=day))


def movement_for(*files: SettlementFile, **changes: Any) -> Movement:
    """What the bank shows when the network settles these files together."""
    cents = sum(int(net_of(file) * 100) for file in files)
    booked_on = max(last_day_of(file) for file in files) + timedelta(days=1)
    movement = Movement(-cents, booked_on, " ".join(file.reference for file in files))
    return movement._replace(**changes)


def statement_of(*movements: Movement, **head: Any) -> bytes:
    """A statement with these movements, of the day after yesterday unless told."""
    named: dict[str, Any] = {
        "reference": "ST1",
        "opens_on": TODAY,
        "closes_on": TODAY,
        "opening_cents": 1_000_000_00,
        "made_at": datetime.now(UTC),
        **head,
    }
    return csv_text(Head(**named), movements).encode()


def bring_statement(content: bytes, **upload: Any) -> StatementFile:
    """Take the file in, and do all that follows."""
    taken = take_statement(FileUpload("statement.csv", content, **upload))
    work_on_statements()
    return StatementFile.objects.get(pk=taken.file.pk)


def settled_journals() -> list[tuple[Any, ...]]:
    """What was booked of statements, in its order."""
    return select("SELECT description FROM payouts_journal WHERE kind = 'settled' ORDER BY id")


def bank_cases() -> list[str]:
    """What is open about the bank; that pushes were settled on another day is not."""
    rows = Case.objects.filter(kind__contains="bank").order_by("kind")
    return list(rows.values_list("kind", flat=True))


def outcomes_of(file: StatementFile) -> Sequence[str]:
    """What came of the entries, in their order."""
    entries = BankEntry.objects.filter(file=file).order_by("number")
    return list(entries.values_list("outcome", flat=True))
