"""What staff read about changes: what was, what will be, and why somebody cannot decide.

A field without words here is shown by its name, so that a new kind is readable from its first day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from payouts.backoffice.words import SOURCE_WORDS, points_words
from payouts.changes import ChangeBar, ChangeState, Contents
from payouts.deciding.approvers import name_of
from payouts.fees import FeeSchedule as Fees
from payouts.fees import fee_for
from payouts.models import ChangeRequest
from payouts.operations.change_kinds.base import instant_of

KIND_WORDS: Final = {
    "fund_partner": "Funding",
    "partner": "Partner",
    "fee_schedule": "Fees",
    "limit": "Limit",
    "approval_rule": "Approval rule",
    "api_client": "API client",
    "api_client_secret": "API secret",
    "staff_member": "Staff",
    "staff_password": "Password",
    "webhook": "Webhook",
    "resolve_unknown": "Push in doubt",
    "return_payment": "Money came back",
    "close_case": "Case",
}

CHANGE_BAR_WORDS: Final = {
    ChangeBar.NOT_PERMITTED: "You may not decide about changes of this kind.",
    ChangeBar.NOT_WAITING: "This change does not wait for a decision any more.",
    ChangeBar.PROPOSER: "You proposed this, so somebody else has to decide about it.",
    ChangeBar.CONCERNED: "This is about you, so somebody else has to decide about it.",
    ChangeBar.PROPOSER_GONE: "Whoever proposed this was switched off since. Reject it, and propose "
    "it anew if it is right.",
    ChangeBar.SEEN_OTHERWISE: "What you saw is not what was proposed. Look again.",
    ChangeBar.OUTDATED: "What it would change has been changed since. Reject it, and propose it "
    "anew from how things are now.",
    ChangeBar.IMPOSSIBLE: "It cannot be done any more: something else stands in its way now.",
    ChangeBar.NOT_SIGNED: "You have a passkey, so it has to sign your decision.",
    ChangeBar.SIGNED_OTHERWISE: "What was signed is another decision. Decide again.",
    ChangeBar.NOT_FRESH: "Your second factor was shown too long ago. Decide again.",
}

STATE_TONES: Final = {"proposed": "warning", "applied": "success", "rejected": "danger"}

_ENDED_WORDS: Final = {
    ChangeState.APPLIED: "Approved and done by {}",
    ChangeState.REJECTED: "Rejected by {}",
    ChangeState.WITHDRAWN: "Taken back",
    ChangeState.EXPIRED: "Expired: nobody decided in time",
    ChangeState.OVERTAKEN: "Ended by itself: something else came first",
}

NOTHING: Final = "-"
EXAMPLE_AMOUNTS: Final = tuple(map(Decimal, ("10.00", "250.00", "1000.00", "10000.00")))

_FIELD_WORDS: Final = {
    "name": "Name",
    "username": "User name",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "amount": "Amount",
    "reference": "The bank's reference",
    "valid_from": "Begins",
    "fixed": "Fixed part",
    "basis_points": "Share of the amount",
    "minimum": "At least",
    "maximum": "At most",
    "max_amount": "At most, in dollars",
    "max_count": "At most, in pushes",
    "amount_at_least": "Amount at or above",
    "first_push_to_card": "First push to the card",
    "card_younger_than": "Card younger than",
    "possible_duplicate": "Possible duplicate",
    "decisions": "Approvals needed",
    "group": "Of the group",
    "is_active": "Switched on",
    "requires_idempotency_key": "Needs an idempotency key",
    "approval_hours": "Hours to approve a push",
    "scopes": "May",
    "secrets": "Secrets",
    "client": "Client id",
    "groups": "Roles and groups",
    "renewed": "New password",
    "url": "Address",
    "types": "Hears",
    "description": "Description",
    "times_sent": "Times sent",
    "sha256": "SHA-256 of the evidence",
    "file": "Evidence",
    "evidence": "Evidence's id",
    "way": "What is booked",
}
_ORDER: Final = {name: place for place, name in enumerate(_FIELD_WORDS)}
_DOLLARS: Final = frozenset(
    {"amount", "fixed", "minimum", "maximum", "max_amount", "amount_at_least"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a change, in words."""

    name: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """What a push of an amount costs before and after, in dollars."""

    amount: Decimal
    before: Decimal
    after: Decimal


def change_lines(before: Contents, after: Contents) -> list[Line]:
    """Every field, as it was and as it will be; a dash where there was or will be nothing."""
    # The database keeps names in an order of its own.
    names = sorted({*after, *before}, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    return [
        Line(
            name=field_words(name),
            before=value_words(name, before[name]) if name in before else NOTHING,
            after=value_words(name, after[name]) if name in after else NOTHING,
            is_changed=before.get(name) != after.get(name) or name not in before,
        )
        for name in names
    ]


def costs(today: Fees, then: Fees) -> list[Cost]:
    """What some pushes cost under the fees of today and under those that are proposed."""
    return [
        Cost(one, fee_for(one, schedule=today), fee_for(one, schedule=then))
        for one in EXAMPLE_AMOUNTS
    ]


def field_words(name: str) -> str:
    return _FIELD_WORDS.get(name, name.replace("_", " ").capitalize())


def value_words(name: str, value: Any) -> str:
    """A value of canonical contents as a person reads it."""
    if name in _SPECIAL and value is not None:
        return _SPECIAL[name](value)
    if value is None and name == "valid_from":
        return "with the approval"
    if value is None or value == "":
        return "any" if name in _NARROWING else "none"
    if name in _DOLLARS:
        return f"${Decimal(value):,.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or ("everything" if name == "types" else "none")
    return f"{value:,}" if isinstance(value, int) else str(value)


def age_words(seconds: int) -> str:
    """`7 days`, `36 hours`."""
    age = timedelta(seconds=seconds)
    hours = int(age.total_seconds() // 3600)
    number, unit = (age.days, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _instant_words(text: str) -> str:
    at = instant_of(text)
    return "" if at is None else timezone.localtime(at).strftime("%d %b %Y, %H:%M %Z")


_NARROWING: Final = frozenset(
    {"amount_at_least", "source", "first_push_to_card", "card_younger_than", "possible_duplicate",
     "group"}
)  # fmt: skip
_SPECIAL: Final[dict[str, Callable[[Any], str]]] = {
    "valid_from": _instant_words,
    "basis_points": points_words,
    "card_younger_than": age_words,
    "source": lambda source: SOURCE_WORDS.get(source, "any"),
}


def ended_words(change: ChangeRequest) -> str:
    """How the change ended, and by whom; empty while it waits. Read it with whoever decided."""
    if change.is_alone:
        return "Done at once: there was nobody who could check it"
    decider = "" if change.decided_by is None else name_of(change.decided_by)
    return _ENDED_WORDS.get(ChangeState(change.state), "").format(decider)
