"""Who would have to approve a push, in words, and who that could be now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from payouts.approvals import Approver, Requirement, progress
from payouts.backoffice.words import people_words, rule_words

_NAMES_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """One reason why others have to decide: how many, of whom, and who that could be now."""

    why: str
    people: str
    names: str
    is_blocked: bool


def approval_lines(
    required: Sequence[Requirement], *, could: Sequence[Approver], groups: Mapping[int | None, str]
) -> list[ApprovalLine]:
    """What is required, with the names of those who `could` decide; `groups` names groups by id."""
    counts = progress(required, approved_by=(), can_decide=could)
    return [_line(one.requirement, could, groups, is_blocked=one.is_blocked) for one in counts]


def _line(
    asked: Requirement,
    could: Sequence[Approver],
    groups: Mapping[int | None, str],
    *,
    is_blocked: bool,
) -> ApprovalLine:
    fits = [one.name for one in could if asked.group_id is None or asked.group_id in one.group_ids]
    return ApprovalLine(
        why=rule_words(asked.name),
        people=people_words(asked.decisions, groups.get(asked.group_id)),
        names=_listed(fits),
        is_blocked=is_blocked,
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    listed = ", ".join(names[:_NAMES_SHOWN])
    return f"{listed} and {more} more" if more > 0 else listed
