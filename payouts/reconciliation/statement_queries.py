"""What is asked about statements of our bank: the list, one file, its entries, what is missing.

Reads only, by a fixed number of statements a page.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum

from payouts.doubts import CaseKind
from payouts.models import BankEntry, BankStatement, Case, SettledAtBank, StatementFile
from payouts.reconciliation.bank_statements import BOOKED, EntryOutcome

STATEMENTS_SHOWN: Final = 25
ENTRIES_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class EntrySum:
    """How many entries of one outcome, what came and what went in dollars, open cases."""

    outcome: EntryOutcome
    count: int
    came: Decimal
    went: Decimal
    to_do: int


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry with the settlement files that it settles."""

    row: BankEntry
    settles: tuple[SettledAtBank, ...]


def statement_files(*, before: UUID | None) -> "QuerySet[StatementFile]":
    """Files, the newest first, with the days that they are about; one more than a page shows."""
    rows = StatementFile.objects.select_related("uploaded_by").annotate(
        opens_on=Min("statements__opens_on"), closes_on=Max("statements__closes_on")
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-pk")[: STATEMENTS_SHOWN + 1]


def open_cases_of(file_ids: list[UUID]) -> dict[UUID, int]:
    """How many open cases each file's entries have."""
    rows = BankEntry.objects.filter(file__in=file_ids, case__state="open").order_by("file")
    counted = rows.values("file").annotate(number=Count("pk"))
    return dict(counted.values_list("file", "number"))


def statements_in(file: StatementFile) -> list[BankStatement]:
    """The statements of a file, in its order."""
    return list(file.statements.order_by("pk"))


def sums_of(file: StatementFile) -> list[EntrySum]:
    """What came of the entries, in the order in which it weighs. One statement."""
    rows = (
        BankEntry.objects.filter(file=file)
        .exclude(outcome="")
        .order_by("outcome")
        .values("outcome")
        .annotate(
            number=Count("pk"),
            came=Sum("amount", filter=Q(amount__gt=0), default=Decimal(0)),
            went=Sum(-F("amount"), filter=Q(amount__lt=0), default=Decimal(0)),
            to_do=Count("pk", filter=Q(case__state="open")),
        )
        .values_list("outcome", "number", "came", "went", "to_do")
    )
    places = {outcome: place for place, outcome in enumerate(EntryOutcome)}
    found = [EntrySum(EntryOutcome(outcome), *rest) for outcome, *rest in rows]
    return sorted(found, key=lambda one: places[one.outcome])


def entries_in(
    file: StatementFile, *, outcome: EntryOutcome | None, after: int
) -> list[ShownEntry]:
    """Entries in the file's order; one more than a page shows. Two statements."""
    rows = BankEntry.objects.filter(file=file, number__gt=after)
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    beside = rows.select_related("case", "funding", "statement").order_by("number")
    found = list(beside[: ENTRIES_SHOWN + 1])
    matches = SettledAtBank.objects.filter(entry__in=[one.pk for one in found])
    settles: dict[int, list[SettledAtBank]] = {}
    for match in matches.select_related("settlement").order_by("pk"):
        settles.setdefault(match.entry_id, []).append(match)
    return [ShownEntry(one, tuple(settles.get(one.pk, ()))) for one in found]


def missing_found_by(file: StatementFile) -> list[Case]:
    """The cases about what the file should have shown, in the order of their finding."""
    rows = Case.objects.filter(kind=CaseKind.MISSING_AT_BANK, theirs__statement_file=str(file.pk))
    return list(rows.order_by("pk"))


def would_book(sums: list[EntrySum]) -> int:
    """How many entries acting on the file would book."""
    return sum(one.count for one in sums if one.outcome in BOOKED)
