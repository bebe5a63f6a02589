"""What staff read about rules: why somebody cannot decide, what asks for approval, what counts.

Words only; what is true is in `payouts.approvals` and `payouts.limits`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from django.template.defaultfilters import pluralize

from payouts.approvals import POSSIBLE_DUPLICATE, Bar, Source
from payouts.fees import FREE
from payouts.fees import FeeSchedule as Fees
from payouts.limits import Scope
from payouts.money import ZERO
from payouts.operations.judge import Reason
from payouts.operations.quote_payment import Quote

BAR_WORDS: Final = {
    Bar.NOT_PERMITTED: "You may not decide about pushes.",
    Bar.NOT_WAITING: "This push does not wait for a decision any more.",
    Bar.MAKER: "You issued this push, so somebody else has to decide about it.",
    Bar.CARD_EDITOR: "You changed this card, so somebody else has to decide.",
    Bar.UPLOADER: "You uploaded the batch with this push, so somebody else has to decide.",
    Bar.CONSUMER_EDITOR: "You changed this consumer, so somebody else has to decide.",
    Bar.DECIDED: "You have decided about this push already.",
    Bar.CHANGED: "Something about this push has changed since you saw it. Look again.",
    Bar.NOT_SIGNED: "You have a passkey, so your decisions count only when it has signed them.",
    Bar.SIGNED_OTHERWISE: "Your passkey has signed something else than this. Decide anew.",
    Bar.NOT_FRESH: "Your second factor was shown too long ago. Decide anew.",
}

NOT_COUNTED: Final = (
    "Your approval would not count towards it: it asks for others. You may reject it."
)

SCOPE_WORDS: Final = {
    Scope.PUSH: "One push",
    Scope.CARD_DAY: "This card, today",
    Scope.CONSUMER_DAY: "This consumer, today",
    Scope.PARTNER_DAY: "The partner, today",
}
# The same as the limits themselves are called, whatever the day.
LIMIT_WORDS: Final[Mapping[str, str]] = {
    Scope.PUSH: "One push",
    Scope.CARD_DAY: "One card, one day",
    Scope.CONSUMER_DAY: "One consumer, one day",
    Scope.PARTNER_DAY: "The partner, one day",
}

SOURCE_WORDS: Final = {
    Source.API.value: "by API",
    Source.BACK_OFFICE.value: "in the back office",
    Source.BATCH.value: "in a batch",
    Source.COMMAND.value: "on the command line",
}

ANYBODY: Final = "anybody who may approve"


def rule_words(name: str) -> str:
    """The name of a rule as staff gave it; our own rule in a sentence."""
    return "Possible duplicate" if name == POSSIBLE_DUPLICATE.name else name


def people_words(decisions: int, group: str | None) -> str:
    """`1 person, anybody who may approve` or `2 people of treasury`."""
    people = "1 person" if decisions == 1 else f"{decisions} people"
    return f"{people}, {ANYBODY}" if group is None else f"{people} of {group}"


def share_words(basis_points: int) -> str:
    """`0.25 %` for 25 basis points."""
    return f"{Decimal(basis_points) / 100:.2f} %"


def points_words(basis_points: int) -> str:
    """The same as both: `0.25 % (25 basis points)`."""
    unit = "basis point" if basis_points == 1 else "basis points"
    return f"{share_words(basis_points)} ({basis_points:,} {unit})"


def fees_words(fees: Fees) -> str:
    """How fees are worked out: `$0.25 + 0.20 %, at least $0.50, at most $5.00`."""
    if fees == FREE:
        return "no fees"
    parts = [f"${fees.fixed:,.2f} + {share_words(fees.basis_points)}"]
    if fees.minimum:
        parts.append(f"at least ${fees.minimum:,.2f}")
    if fees.maximum is not None:
        parts.append(f"at most ${fees.maximum:,.2f}")
    return ", ".join(parts)


def problem_words(reason: Reason, quote: Quote) -> str:
    """A reason against a push, for whoever issues it; what it does not know it says as it came."""
    if reason.code == "insufficient_funds":
        return (
            f"Amount and fee are ${quote.total:,.2f}, but the partner has only "
            f"${max(quote.available, ZERO):,.2f} available."
        )
    if reason.code == "limit_exceeded" and reason.details is not None:
        return _limit_words(**reason.details)
    return reason.message


def _limit_words(*, limit: str, maximum: Decimal | int, used: Decimal | int) -> str:
    scope, _, bound = limit.rpartition("_")
    of_whom = SCOPE_WORDS[Scope(scope)]
    if bound == "amount":
        return f"{of_whom}: at most ${maximum:,.2f}, and ${used:,.2f} is used already."
    return (
        f"{of_whom}: at most {maximum:,} push{pluralize(maximum, 'es')}, "
        f"of which {used:,} {pluralize(used, 'is,are')} made already."
    )
