"""What staff read about batches and their lines: states, findings, what became of a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.template.defaultfilters import pluralize
from django.utils.safestring import SafeString

from consumers.admin.base import label
from payouts.admin.words import STATUS_TONES
from payouts.backoffice.words import BAR_WORDS
from payouts.batch_files.findings import finding_words, refusal_words
from payouts.declines import OWN_FAILURES, decline_for
from payouts.finding.push_columns import value_words
from payouts.limits import Scope
from payouts.models import Batch, BatchOrder, BatchRow, BatchState, OrderKind, RowState
from payouts.states import Status

STATE_TONES: Final = {
    "reading": "info", "checking": "info", "ready": "warning", "issuing": "info",
    "issued": "success", "refused": "danger",
}  # fmt: skip
STATE_MEANS: Final = {
    BatchState.READING: "The file is being read. Nothing is issued.",
    BatchState.CHECKING: "Every line is being checked. Nothing is issued.",
    BatchState.READY: "Checked. Nothing is issued until its uploader issues it.",
    BatchState.ISSUING: "The good lines are being issued.",
    BatchState.ISSUED: "Every good line is issued.",
    BatchState.WITHDRAWN: "Taken back. No more of its lines are issued.",
    BatchState.REFUSED: "The file was not taken, and nothing of it was kept.",
}
_ROW_TONES: Final = {"bad": "danger", "refused": "danger", "good": "success"}
_ROW_WORDS: Final = {
    RowState.NEW: "not checked yet",
    RowState.BAD: "not issued: has a problem",
    RowState.GOOD: "good",
    RowState.LEFT_OUT: "left out",
    RowState.REFUSED: "not issued",
}
_LIMIT_WORDS: Final = {
    Scope.PUSH: "one push", Scope.CARD_DAY: "a card's day", Scope.CONSUMER_DAY: "a consumer's day",
    Scope.PARTNER_DAY: "the partner's day",
}  # fmt: skip
_ORDER_WORDS: Final = {
    OrderKind.APPROVE: ("approves", "approved"),
    OrderKind.REJECT: ("rejects", "rejected"),
    OrderKind.CANCEL: ("cancels", "canceled"),
}


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding in words; `payment` is the push that it is about, if it is about one."""

    words: str
    is_problem: bool
    payment: str


def state_label(batch: Batch) -> SafeString:
    return label(batch.state, STATE_TONES)


def findings_of(row: BatchRow) -> list[FindingLine]:
    """What was found about a line, problems first."""
    lines = [
        FindingLine(_finding_words(code, details), is_problem, details.get("payment", ""))
        for code, is_problem, details in row.findings
    ]
    return sorted(lines, key=lambda one: not one.is_problem)


def outcome_label(row: BatchRow) -> SafeString:
    """What has become of a line: the status of its push, or why it has none."""
    if row.payment is not None:
        return label(row.payment.status, STATUS_TONES)
    return label(outcome_words(row), {_ROW_WORDS[RowState(s)]: t for s, t in _ROW_TONES.items()})


def outcome_words(row: BatchRow) -> str:
    """What `outcome_label` says, for a file."""
    if row.payment is not None:
        return value_words(row.payment.status)
    return _ROW_WORDS[RowState(row.state)]


def failure_words(row: BatchRow) -> str:
    """Why a line was not issued, or its push failed; empty if neither is so."""
    payment = row.payment
    if payment is None:
        is_over = row.state in {RowState.BAD, RowState.REFUSED}
        problems = [one.words for one in findings_of(row) if one.is_problem]
        return " ".join(problems) if is_over else ""
    if payment.status != Status.FAILED.value:
        return ""
    if payment.failure_code in OWN_FAILURES:
        return OWN_FAILURES[payment.failure_code].staff_text
    return decline_for(payment.network_code).staff_text


def refusal_of(batch: Batch) -> str:
    """Why the file was refused."""
    details = dict(batch.refusal)
    return refusal_words(details.pop("code"), details) if details else ""


def order_words(order: BatchOrder) -> str:
    """How far an order has come, in a sentence without its subject."""
    doing, done = _ORDER_WORDS[OrderKind(order.kind)]
    if order.ended_at is None:
        return f"{doing} {_pushes(order)}: {order.seen_to:,} seen to"
    return f"{done} {order.done:,} of {_pushes(order)}"


def _pushes(order: BatchOrder) -> str:
    return f"{order.pushes:,} push{pluralize(order.pushes, 'es')}"


def order_refusals(order: BatchOrder) -> list[tuple[str, int]]:
    """Why some of an order could not be done, and how many."""
    bars = {bar.value: words for bar, words in BAR_WORDS.items()}
    return [
        (bars[why] if why in bars else f"Too late: it was {why.replace('_', ' ')}.", count)
        for why, count in sorted(order.refused.items())
    ]


def _finding_words(code: str, details: Mapping[str, Any]) -> str:
    if "limit" not in details:
        return finding_words(code, details)
    scope, _, bound = str(details["limit"]).rpartition("_")
    money = bound == "amount"
    named = {
        name: f"${value}" if money else value
        for name, value in details.items()
        if name in {"maximum", "used"}
    }
    of_whom = _LIMIT_WORDS.get(Scope(scope), scope)
    return finding_words(code, {"limit": f"{of_whom} ({bound})", **named})
