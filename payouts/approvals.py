"""Which pushes need people's decisions, why, and who may decide. Plain Python, no Django.

Rules are data. All rules that match apply; each asks for a number of decisions by distinct people,
of one group if it names one. Who may decide follows from who made the push, who uploaded it and who
edited its card or its consumer, and is judged here only, whatever the way in.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID


class Source(StrEnum):
    """By which way a push was asked for."""

    API = "api"
    BACK_OFFICE = "back_office"
    BATCH = "batch"
    COMMAND = "command"


# Whoever asks this way may ask twice without noticing, whatever keys the product makes for it.
MADE_BY_PEOPLE: Final = frozenset({Source.BACK_OFFICE, Source.BATCH})


@dataclass(frozen=True, slots=True)
class Rule:
    """When a push needs `decisions` approvals. A condition that is None narrows nothing."""

    name: str
    decisions: int
    group_id: int | None = None
    amount_at_least: Decimal | None = None
    source: Source | None = None
    first_push_to_card: bool | None = None
    card_younger_than: timedelta | None = None
    possible_duplicate: bool | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the rules look at, as it was when the push was asked for."""

    amount: Decimal
    source: Source
    is_first_push_to_card: bool
    card_age: timedelta
    is_possible_duplicate: bool


@dataclass(frozen=True, slots=True)
class Requirement:
    """`decisions` approvals by distinct people, of the group if one is set; `name` says why."""

    name: str
    decisions: int
    group_id: int | None


# Without an idempotency key we cannot tell a retry from a second push, so a person looks.
POSSIBLE_DUPLICATE: Final = Requirement("possible_duplicate", decisions=1, group_id=None)
DUPLICATE_WINDOW: Final = timedelta(minutes=10)


def requirements(circumstances: Circumstances, *, rules: Iterable[Rule]) -> list[Requirement]:
    """Return what must be decided before this push may be sent; empty means: send at once."""
    matched = [
        Requirement(rule.name, rule.decisions, rule.group_id)
        for rule in rules
        if _matches(circumstances, rule)
    ]
    if circumstances.is_possible_duplicate:
        matched.append(POSSIBLE_DUPLICATE)
    return matched


def _matches(circumstances: Circumstances, rule: Rule) -> bool:
    return (
        (rule.amount_at_least is None or circumstances.amount >= rule.amount_at_least)
        and (rule.source is None or circumstances.source is rule.source)
        and (
            rule.first_push_to_card is None
            or circumstances.is_first_push_to_card is rule.first_push_to_card
        )
        and (rule.card_younger_than is None or circumstances.card_age < rule.card_younger_than)
        and (
            rule.possible_duplicate is None
            or circumstances.is_possible_duplicate is rule.possible_duplicate
        )
    )


def people_needed(required: Iterable[Requirement]) -> int:
    """How many different people must say yes, if nobody is in two of the groups that are asked.

    One yes counts towards every requirement that its giver fits, so those that ask anybody need no
    people of their own. Somebody who is in two groups makes it fewer, never more.
    """
    anybody, of_group = 0, dict[int, int]()
    for one in required:
        if one.group_id is None:
            anybody = max(anybody, one.decisions)
        else:
            of_group[one.group_id] = max(of_group.get(one.group_id, 0), one.decisions)
    return max(anybody, sum(of_group.values()))


def subject_digest(
    *,
    payment_id: UUID,
    consumer_id: UUID,
    first_name: str,
    last_name: str,
    card_id: UUID,
    card_fingerprint: bytes,
    cardholder_name: str,
    amount: Decimal,
    fee_amount: Decimal,
) -> bytes:
    """The SHA-256 of what a decision is about: payee, card, dollars.

    Over lines that anybody can write by hand; names are in hexadecimal digits of their UTF-8. The
    database computes the same (`payouts_subject_digest`), and a test compares the two.
    """
    lines = (
        "payouts push 1",
        f"payment {payment_id}",
        f"consumer {consumer_id}",
        f"first name {first_name.encode().hex()}",
        f"last name {last_name.encode().hex()}",
        f"card {card_id}",
        f"fingerprint {card_fingerprint.hex()}",
        f"cardholder {cardholder_name.encode().hex()}",
        f"amount {amount:.2f}",
        f"fee {fee_amount:.2f}",
    )
    return hashlib.sha256("\n".join(lines).encode()).digest()


class Bar(StrEnum):
    """What keeps a person, or a decision that somebody sent, from counting."""

    NOT_PERMITTED = "not_permitted"
    NOT_WAITING = "not_waiting"
    MAKER = "maker"
    UPLOADER = "uploader"
    CARD_EDITOR = "card_editor"
    CONSUMER_EDITOR = "consumer_editor"
    DECIDED = "decided"
    CHANGED = "changed"
    NOT_SIGNED = "not_signed"
    SIGNED_OTHERWISE = "signed_otherwise"
    NOT_FRESH = "not_fresh"


@dataclass(frozen=True, slots=True)
class Approver:
    """A person as the rules see one: who, of which groups, and whether with the permission."""

    user_id: int
    name: str
    is_permitted: bool
    group_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Matter:
    """What people decide about, as it is now. `maker_id` is None if an API client made it.

    Editors are whoever changed the card or the consumer last, and everybody who did since the push
    was made: whoever edits is a maker from then on. `decided_by` are those who have decided about
    exactly this: what an edit has voided keeps nobody from deciding anew. `uploader_id` is whoever
    brought the file that the push stands in, if that is not its maker.
    """

    is_waiting: bool
    maker_id: int | None
    card_editor_ids: frozenset[int] = frozenset()
    decided_by: frozenset[int] = frozenset()
    consumer_editor_ids: frozenset[int] = frozenset()
    uploader_id: int | None = None


def bar_to_deciding(approver: Approver, matter: Matter) -> Bar | None:
    """Say what keeps this person from deciding about the push now; None: nothing does."""
    if not approver.is_permitted:
        return Bar.NOT_PERMITTED
    if not matter.is_waiting:
        return Bar.NOT_WAITING
    if approver.user_id == matter.maker_id:
        return Bar.MAKER
    if approver.user_id == matter.uploader_id:
        return Bar.UPLOADER
    if approver.user_id in matter.card_editor_ids:
        return Bar.CARD_EDITOR
    if approver.user_id in matter.consumer_editor_ids:
        return Bar.CONSUMER_EDITOR
    if approver.user_id in matter.decided_by:
        return Bar.DECIDED
    return None


def who_can_decide(matter: Matter, approvers: Iterable[Approver]) -> list[Approver]:
    """Return those who may decide about the push now, in the given order."""
    return [one for one in approvers if bar_to_deciding(one, matter) is None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a requirement is: approvals that count, and people who could still give one."""

    requirement: Requirement
    given: int
    possible: int

    @property
    def is_met(self) -> bool:
        return self.given >= self.requirement.decisions

    @property
    def is_blocked(self) -> bool:
        """Whether it cannot be met any more, even if everybody who may says yes."""
        return self.given + self.possible < self.requirement.decisions


def progress(
    required: Iterable[Requirement],
    *,
    approved_by: Collection[Approver],
    can_decide: Collection[Approver],
) -> list[Progress]:
    """Count for each requirement whose yes it has, and whose it could still get.

    One yes counts towards every requirement, so each is judged by itself.
    """
    return [
        Progress(
            one,
            given=sum(_counts_towards(person, one) for person in approved_by),
            possible=sum(_counts_towards(person, one) for person in can_decide),
        )
        for one in required
    ]


def _counts_towards(person: Approver, requirement: Requirement) -> bool:
    return requirement.group_id is None or requirement.group_id in person.group_ids
