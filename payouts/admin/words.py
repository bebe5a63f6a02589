"""How staff read what the rows say: colours of statuses, plain words for events, nothing secret."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from consumers.cards import is_plausible_number
from payouts.models import AccountKind, CameTo, EventKind, JournalKind, Meaning
from payouts.models.payment import AttemptState
from payouts.states import MoneyMoved, Status

STATUS_TONES: Final = {
    Status.PENDING_APPROVAL.value: "warning",
    Status.PENDING.value: "info",
    Status.SUBMITTED.value: "info",
    Status.UNKNOWN.value: "warning",
    Status.COMPLETED.value: "success",
    Status.FAILED.value: "danger",
    Status.REJECTED.value: "danger",
    Status.CANCELED.value: "neutral",
    Status.EXPIRED.value: "neutral",
    Status.RETURNED.value: "warning",
}

STATUS_MEANS: Final = {
    Status.PENDING_APPROVAL.value: "Waits for people to decide. The funds are held.",
    Status.PENDING.value: "Accepted, and about to be sent. The funds are held.",
    Status.SUBMITTED.value: "Handed to the card network. The answer is not known yet.",
    Status.UNKNOWN.value: "The network's answer was lost or unclear. The money may have moved, "
    "so the funds stay held while the network is asked again. Do not push the amount again.",
    Status.COMPLETED.value: "Paid. The card network has approved it.",
    Status.FAILED.value: "Certainly not paid. The funds are free again.",
    Status.REJECTED.value: "An approver said no. The funds are free again.",
    Status.CANCELED.value: "Taken back before it was sent. The funds are free again.",
    Status.EXPIRED.value: "Nobody decided in time. The funds are free again.",
    Status.RETURNED.value: "Paid, and the money came back later.",
}

MEANING_WORDS: Final = {
    Meaning.PAID.value: "it was paid",
    Meaning.NOT_PAID.value: "it was not paid",
    Meaning.IN_PROGRESS.value: "it is at it",
    Meaning.RETURNED.value: "the money came back",
    Meaning.UNREADABLE.value: "something that nobody can read",
}
CAME_TO_WORDS: Final = {
    CameTo.SETTLED.value: "settled by it",
    CameTo.NOTHING.value: "nothing new",
    CameTo.CASE.value: "contradicts, a case was opened",
    CameTo.ASKED.value: "not believed, the network was asked",
    CameTo.NOT_BELIEVED.value: "not believed, nothing was in doubt",
    CameTo.NOT_OURS.value: "not ours",
}

# What stands beside a status that a case disputes, and after it was closed against the status.
DISPUTE_WORDS: Final = {
    MoneyMoved.UNKNOWN.value: "disputed",
    MoneyMoved.YES.value: "was paid",
    MoneyMoved.NO.value: "was not paid",
}
# In place of those of the status where people have said it, and the network has not.
SAID_BY_PEOPLE_MEANS: Final = {
    Status.COMPLETED.value: "Paid, as two people have said with evidence. The card network has not "
    "confirmed it.",
    Status.FAILED.value: "Not paid, as two people have said with evidence, and the funds are free "
    "again. The card network has not confirmed it.",
}
DISPUTE_MEANS: Final = {
    MoneyMoved.UNKNOWN.value: "Somebody says otherwise, and people look into it: nobody knows "
    "whether the money moved. Do not push the amount again.",
    MoneyMoved.YES.value: "Two people have found that it was paid all the same, and booked what "
    "follows. Do not push the amount again.",
    MoneyMoved.NO.value: "Two people have found that it was not paid. The partner has its money "
    "again.",
}

EVENT_WORDS: Final = {
    EventKind.CREATED.value: "Asked for and accepted",
    EventKind.APPROVAL_REQUIRED.value: "Approval is required",
    EventKind.DECIDED.value: "A decision was made",
    EventKind.APPROVED.value: "Approved",
    EventKind.REJECTED.value: "Rejected",
    EventKind.EXPIRED.value: "Nobody decided in time",
    EventKind.CANCELED.value: "Canceled",
    EventKind.SENT.value: "Sent to the card network",
    EventKind.NOT_SENT.value: "Could not be sent; it goes back to the queue",
    EventKind.UNKNOWN.value: "The network's answer was lost or unclear",
    EventKind.INQUIRED.value: "The network was asked what became of it",
    EventKind.COMPLETED.value: "Paid",
    EventKind.FAILED.value: "Failed: not paid",
    EventKind.RETURNED.value: "The money came back",
    EventKind.CONFIRMED.value: "The network has answered since, and agrees",
    EventKind.CORRECTED.value: "Two people have put its money right",
    EventKind.DISPUTED.value: "Somebody says otherwise: whether the money moved is not known",
    EventKind.UPHELD.value: "Two people have looked into it: what stands here is right",
}

ATTEMPT_TONES: Final = {
    AttemptState.SENDING.value: "info",
    AttemptState.NOT_SENT.value: "neutral",
    AttemptState.UNKNOWN.value: "warning",
    AttemptState.APPROVED.value: "success",
    AttemptState.DECLINED.value: "danger",
}

JOURNAL_TONES: Final = {
    JournalKind.FUNDED.value: "success",
    JournalKind.COMPLETED.value: "success",
    JournalKind.ACCEPTED.value: "info",
    JournalKind.RETURNED.value: "warning",
    JournalKind.CORRECTED.value: "warning",
    JournalKind.RECONCILED.value: "warning",
}

ACCOUNT_WORDS: Final = {
    AccountKind.BANK.value: "Bank",
    AccountKind.FEE_REVENUE.value: "Fee revenue",
    AccountKind.SUSPENSE.value: "Suspense",
    AccountKind.NETWORK_PAYABLE.value: "Payable to network",
    AccountKind.AVAILABLE.value: "Available",
    AccountKind.HELD.value: "Held",
}
# What we own. Every other account is what we owe or have earned, and grows by credits.
DEBIT_ACCOUNTS: Final = frozenset({AccountKind.BANK.value, AccountKind.SUSPENSE.value})

DISPUTE_TONES: Final = dict.fromkeys(DISPUTE_WORDS.values(), "warning")

_MASK: Final = "••••"
_DIGITS: Final = re.compile(r"(?<!\d)\d{13,19}(?!\d)")
_SECRET_NAMES: Final = frozenset({"pan", "number", "pin", "cvv", "cvv2", "cvc", "cvc2"})
_SECRET_ENDINGS: Final = ("accountnumber", "cardnumber", "password", "secret", "token")


def status_means(status: str, moved_otherwise: str, *, attempt_state: str = "") -> str:
    """What a push's status means for its money, in a sentence or two; cases go before it.

    Whose attempt is still unclear has no answer of a network: people have said how it ended.
    """
    if moved_otherwise in DISPUTE_MEANS:
        return DISPUTE_MEANS[moved_otherwise]
    if attempt_state == AttemptState.UNKNOWN and status in SAID_BY_PEOPLE_MEANS:
        return SAID_BY_PEOPLE_MEANS[status]
    return STATUS_MEANS[status]


def masked(value: Any, *, name: str = "") -> Any:
    """Copy a network's answer or an event's details without anything that must not be on a screen.

    Answers are stored without card numbers. This is the second net, for the day when one slips in.
    """
    if isinstance(value, Mapping):
        return {key: masked(inner, name=str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, name=name) for inner in value]
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDINGS):
        return _MASK
    if isinstance(value, str) or (isinstance(value, int) and _DIGITS.fullmatch(str(value))):
        return _DIGITS.sub(_mask_number, str(value))
    return value


def pretty(value: Any) -> str:
    """Masked JSON over several lines, for reading."""
    return json.dumps(masked(value), indent=2, sort_keys=True, ensure_ascii=False, default=str)


def _mask_number(match: re.Match[str]) -> str:
    digits = match.group()
    return f"{_MASK} {digits[-4:]}" if is_plausible_number(digits) else digits
