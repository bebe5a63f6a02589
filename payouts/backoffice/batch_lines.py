"""The lines of a batch as its page shows them, and whether anything about them has changed."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils.safestring import SafeString

from payouts.backoffice.batch_address import line_or_404
from payouts.backoffice.batch_words import FindingLine, failure_words, findings_of, outcome_label
from payouts.batch_queries import LINES_SHOWN, lines_of
from payouts.models import BatchRow, RowState

VIEWS: Final = {
    "all": ("All", Q()),
    "problems": ("Problems", Q(state__in=[RowState.BAD, RowState.REFUSED])),
    "warnings": ("Warnings", Q(has_warning=True)),
    "good": ("Good", Q(state__in=[RowState.GOOD, RowState.ISSUED])),
    "left_out": ("Left out", Q(state=RowState.LEFT_OUT)),
}


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line as the page shows it."""

    row: BatchRow
    outcome: SafeString
    findings: list[FindingLine]
    failure: str


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines of a batch, as somebody looks at them."""

    lines: list[LineRow]
    view: str
    after: str
    next_after: int | None

    @property
    def mark(self) -> str:
        """Changes with whatever a line on the page says of what became of it."""
        said = [(one.row.line, one.row.state, one.outcome, one.failure) for one in self.lines]
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

    def context(self) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "lines_mark": self.mark,
            "view": self.view,
            "after": self.after,
            "next_after": self.next_after,
        }


def lines_asked_for(request: HttpRequest, batch_id: UUID) -> LinePage:
    """The lines that an address names.

    :raises Http404: it names none that could be.
    """
    view, after = request.GET.get("view", "all"), request.GET.get("after", "")
    if view not in VIEWS:
        raise Http404
    rows = lines_of(batch_id, VIEWS[view][1], after=line_or_404(after))
    shown_rows = rows[:LINES_SHOWN]
    return LinePage(
        lines=[_line_row(row) for row in shown_rows],
        view=view,
        after=after,
        next_after=shown_rows[-1].line if len(rows) > LINES_SHOWN else None,
    )


def _line_row(row: BatchRow) -> LineRow:
    return LineRow(
        row=row,
        outcome=outcome_label(row),
        findings=findings_of(row),
        failure=failure_words(row) if row.payment is not None else "",
    )
