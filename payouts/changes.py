"""Changes of settings that take two people: their states, who decides, what a decision is about.

Plain Python, no Django. What may be changed like this, and how it is done, is in
`payouts.operations.change_kinds`; nothing here knows of any kind.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

# What something is, or would be, in JSON's types; empty where there is or will be nothing.
Contents = dict[str, Any]

DECIDED_WITHIN: Final = timedelta(days=7)
COLLECTED_WITHIN: Final = timedelta(days=3)


class ChangeState(StrEnum):
    """One way only: what is not `proposed` any more stays as it is."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    # What it was about ended otherwise meanwhile.
    OVERTAKEN = "overtaken"


class ChangeBar(StrEnum):
    """What keeps a person, or a decision that somebody sent, from counting."""

    NOT_PERMITTED = "not_permitted"
    NOT_WAITING = "not_waiting"
    PROPOSER = "proposer"
    CONCERNED = "concerned"
    PROPOSER_GONE = "proposer_gone"
    SEEN_OTHERWISE = "seen_otherwise"
    OUTDATED = "outdated"
    IMPOSSIBLE = "impossible"
    NOT_SIGNED = "not_signed"
    SIGNED_OTHERWISE = "signed_otherwise"
    NOT_FRESH = "not_fresh"


@dataclass(frozen=True, slots=True)
class Checker:
    """A person as four eyes see one: who, and whether with the permissions that the kind asks."""

    user_id: int
    name: str
    is_permitted: bool


@dataclass(frozen=True, slots=True)
class ChangeMatter:
    """What there is to decide, as it is now. `concerns_id` is the person whom it is about, if any.

    A proposer who was switched off meanwhile may have been somebody else at the keyboard.
    """

    is_waiting: bool
    proposer_id: int
    is_proposer_here: bool
    concerns_id: int | None


def bar_to_deciding_change(checker: Checker, matter: ChangeMatter) -> ChangeBar | None:
    """Say what keeps this person from approving or rejecting the change; None: nothing does."""
    if not checker.is_permitted:
        return ChangeBar.NOT_PERMITTED
    if not matter.is_waiting:
        return ChangeBar.NOT_WAITING
    if checker.user_id == matter.proposer_id:
        return ChangeBar.PROPOSER
    if checker.user_id == matter.concerns_id:
        return ChangeBar.CONCERNED
    return None


def who_can_decide_change(matter: ChangeMatter, checkers: Iterable[Checker]) -> list[Checker]:
    """Return those who may decide about the change now, in the given order."""
    return [one for one in checkers if bar_to_deciding_change(one, matter) is None]


def change_digest(
    *,
    kind: str,
    partner_id: UUID | None,
    subject: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> bytes:
    """SHA-256 of what a decision is about: what it is, what it was, what it will be."""
    about = {
        "kind": kind,
        "partner": None if partner_id is None else str(partner_id),
        "subject": subject,
        "before": before,
        "after": after,
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).digest()
