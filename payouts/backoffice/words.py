"""What staff read about rules: why somebody cannot decide, what asks for approval, what counts.

Words only; what is true is in `payouts.approvals` and `payouts.limits`.
"""

from typing import Final

from payouts.approvals import POSSIBLE_DUPLICATE, Bar
from payouts.limits import Scope

BAR_WORDS: Final = {
    Bar.NOT_PERMITTED: "You may not decide about pushes.",
    Bar.NOT_WAITING: "This push does not wait for a decision any more.",
    Bar.MAKER: "You issued this push, so somebody else has to decide about it.",
    Bar.CARD_EDITOR: "You changed this card last, so somebody else has to decide.",
    Bar.DECIDED: "You have decided about this push already.",
    Bar.CHANGED: "Something about this push has changed since you saw it. Look again.",
}

SCOPE_WORDS: Final = {
    Scope.PUSH: "One push",
    Scope.CARD_DAY: "This card, today",
    Scope.CONSUMER_DAY: "This consumer, today",
    Scope.PARTNER_DAY: "The partner, today",
}

ANYBODY: Final = "anybody who may approve"


def rule_words(name: str) -> str:
    """The name of a rule as staff gave it; our own rule in a sentence."""
    return "Possible duplicate" if name == POSSIBLE_DUPLICATE.name else name


def people_words(decisions: int, group: str | None) -> str:
    """`1 person, anybody who may approve` or `2 people of treasury`."""
    people = "1 person" if decisions == 1 else f"{decisions} people"
    return f"{people}, {ANYBODY}" if group is None else f"{people} of {group}"
