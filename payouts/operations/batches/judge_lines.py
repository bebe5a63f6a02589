"""Judges the lines of a batch by the rules of every push, and against each other. Plain Python.

What one line does to the next (limits, money, repetitions) is only certain when they are issued;
until then it is a warning. The one exception is a line that repeats another in everything: it is
not issued.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from payouts.approvals import Source
from payouts.batch_files.findings import Finding, problem, warning
from payouts.batch_files.wishes import LineWish
from payouts.limits import BrokenLimit, Scope, Usage, broken_limits
from payouts.money import CENT, ZERO
from payouts.operations.batches.batch_facts import LineFacts
from payouts.operations.facts import PushFacts
from payouts.operations.judge import Reason, judge_push

# What only the look at the database finds: found anew whenever a batch is checked again.
FOUND_BY_CHECKING: Final = frozenset(
    {
        "partner_inactive", "consumer_not_found", "consumer_inactive", "card_missing",
        "card_ambiguous", "card_not_found", "card_inactive", "card_expired", "card_not_eligible",
        "limit_exceeded", "insufficient_funds", "repeats_line", "same_card_and_amount",
        "paid_recently", "limit_within_file", "funds_within_file",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """What became of a line: `fee` in dollars, if it is good."""

    findings: list[Finding]
    consumer_id: UUID | None
    card_id: UUID | None
    fee: Decimal | None
    is_first_push_to_card: bool

    @property
    def is_good(self) -> bool:
        return not any(finding.is_problem for finding in self.findings)

    @property
    def has_warning(self) -> bool:
        return any(not finding.is_problem for finding in self.findings)


@dataclass(slots=True)
class FileSoFar:
    """The good lines before this one: what they use up, and which line pushes what to whom."""

    used: dict[tuple[Scope, UUID | None], Usage] = field(default_factory=lambda: defaultdict(Usage))
    total: Decimal = ZERO
    by_card_and_amount: dict[tuple[UUID, Decimal], int] = field(default_factory=dict)
    by_everything: dict[tuple[object, ...], int] = field(default_factory=dict)


def judge_line(wish: LineWish, facts: LineFacts, *, so_far: FileSoFar, at: datetime) -> JudgedLine:
    """Judge one line, and add it to `so_far` if it is good. Lines come in their order."""
    push = facts.push
    judgement = judge_push(push, amount=wish.amount or CENT, source=Source.BATCH, at=at)
    findings = [one for one in wish.findings if one.code not in FOUND_BY_CHECKING]
    if wish.consumer_ref:
        findings += _findings(judgement.reasons, wish, facts)
    if wish.amount is not None and push.card is not None and push.consumer is not None:
        findings += _against_others(wish, wish.amount, facts, judgement.fee, so_far)
    judged = JudgedLine(
        findings=findings,
        consumer_id=push.consumer.id if push.consumer else None,
        card_id=push.card.id if push.card else None,
        fee=judgement.fee if wish.amount is not None else None,
        is_first_push_to_card=push.card is not None and push.is_first_push_to_card,
    )
    if judged.is_good:
        _add(wish, judged, so_far)
    return judged


def _findings(reasons: tuple[Reason, ...], wish: LineWish, facts: LineFacts) -> Iterator[Finding]:
    is_card_unclear = any(one.code == "card_unclear" for one in wish.findings)
    for reason in reasons:
        if reason.code == "card_not_found":
            if facts.push.consumer is not None and not is_card_unclear:
                yield _no_card(wish, facts)
        elif reason.field != "amount":
            yield problem(reason.code)
        elif wish.amount is not None:
            details = {name: str(value) for name, value in (reason.details or {}).items()}
            yield problem(reason.code, **details)


def _no_card(wish: LineWish, facts: LineFacts) -> Finding:
    if facts.fitting > 1:
        return problem("card_ambiguous", cards=facts.fitting)
    names_one = wish.card_id is not None or wish.last4 is not None
    return problem("card_not_found" if names_one else "card_missing")


def _against_others(
    wish: LineWish, amount: Decimal, facts: LineFacts, fee: Decimal, so_far: FileSoFar
) -> Iterator[Finding]:
    assert facts.push.card is not None
    same = so_far.by_everything.get(_everything(wish, facts.push.card.id))
    if same is not None:
        yield problem("repeats_line", line=same)
        return
    line = so_far.by_card_and_amount.get((facts.push.card.id, amount))
    if line is not None:
        yield warning("same_card_and_amount", line=line)
    if facts.earlier is not None:
        on = facts.earlier.created_at.date().isoformat()
        yield warning("paid_recently", on=on, payment=str(facts.earlier.payment_id))
    for broken in _broken_within_file(amount, facts.push, so_far):
        yield warning("limit_within_file", limit=broken.name, maximum=str(broken.limit))
    available = facts.push.available
    if amount + fee <= available < so_far.total + amount + fee:
        yield warning("funds_within_file")


def _broken_within_file(
    amount: Decimal, push: PushFacts, so_far: FileSoFar
) -> Iterator[BrokenLimit]:
    """Limits that hold for this line alone, and not with the lines before it."""
    if not push.limits:
        return
    alone = {one.name for one in broken_limits(amount, limits=push.limits, used=push.used)}
    together = {
        scope: _sum(used, so_far.used[scope, _subject(scope, push)])
        for scope, used in push.used.items()
    }
    for broken in broken_limits(amount, limits=push.limits, used=together):
        if broken.name not in alone:
            yield broken


def _add(wish: LineWish, judged: JudgedLine, so_far: FileSoFar) -> None:
    amount, card_id = wish.amount, judged.card_id
    assert amount is not None
    assert card_id is not None
    so_far.total += amount + (judged.fee or ZERO)
    for scope, subject in (
        (Scope.CARD_DAY, card_id),
        (Scope.CONSUMER_DAY, judged.consumer_id),
        (Scope.PARTNER_DAY, None),
    ):
        used = so_far.used[scope, subject]
        so_far.used[scope, subject] = Usage(used.amount + amount, used.count + 1)
    so_far.by_card_and_amount.setdefault((card_id, amount), wish.line)
    so_far.by_everything.setdefault(_everything(wish, card_id), wish.line)


def _everything(wish: LineWish, card_id: UUID) -> tuple[object, ...]:
    metadata = tuple(sorted(wish.metadata.items()))
    return (card_id, wish.amount, wish.reference, wish.description, metadata)


def _subject(scope: Scope, push: PushFacts) -> UUID | None:
    if scope is Scope.CARD_DAY and push.card is not None:
        return push.card.id
    if scope is Scope.CONSUMER_DAY and push.consumer is not None:
        return push.consumer.id
    return None


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.amount + other.amount, one.count + other.count)
