"""What is asked about settlement files: the list, one of them, and what was found in it.

Reads only, by a fixed number of statements a page.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from payouts.models import SettlementFile, SettlementFinding, SettlementLine
from payouts.reconciliation.settlements import LineOutcome

FILES_SHOWN: Final = 25
FINDINGS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """How many findings of one outcome, with how many dollars, and of how many a case is open."""

    outcome: LineOutcome
    count: int
    amount: Decimal
    to_do: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding with the line that it is about, if it is about one."""

    row: SettlementFinding
    line: SettlementLine | None


def settlement_files(*, before: UUID | None) -> list[SettlementFile]:
    """Files, the newest first; one more than a page shows."""
    rows = SettlementFile.objects.select_related("uploaded_by").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[: FILES_SHOWN + 1])


def counts_of(file_ids: list[UUID]) -> dict[UUID, int]:
    """How many findings each file has."""
    rows = SettlementFinding.objects.filter(file__in=file_ids).order_by("file").values("file")
    return dict(rows.annotate(number=Count("pk")).values_list("file", "number"))


def found_in(file: SettlementFile) -> list[Found]:
    """What was found, in the order in which it weighs. One statement."""
    is_open = Q(case__state="open")
    rows = (
        SettlementFinding.objects.filter(file=file)
        .order_by("outcome")
        .values("outcome")
        .annotate(number=Count("pk"), dollars=Sum("amount"), to_do=Count("pk", filter=is_open))
        .values_list("outcome", "number", "dollars", "to_do")
    )
    places = {outcome: place for place, outcome in enumerate(LineOutcome)}
    found = [
        Found(LineOutcome(outcome), count, amount, to_do) for outcome, count, amount, to_do in rows
    ]
    return sorted(found, key=lambda one: places[one.outcome])


def findings_in(file: SettlementFile, *, outcome: LineOutcome | None, after: int) -> list[Finding]:
    """Findings in the order of their making; one more than a page shows. Two statements."""
    rows: QuerySet[SettlementFinding] = SettlementFinding.objects.filter(file=file, pk__gt=after)
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    found = list(rows.select_related("case").order_by("pk")[: FINDINGS_SHOWN + 1])
    numbers = [one.line_number for one in found if one.line_number is not None]
    lines = SettlementLine.objects.filter(file=file, number__in=numbers)
    by_number = {line.number: line for line in lines}
    return [
        Finding(one, None if one.line_number is None else by_number[one.line_number])
        for one in found
    ]
