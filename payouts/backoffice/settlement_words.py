"""What staff read about settlement files. Words only."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.template.defaultfilters import pluralize
from django.utils.text import get_text_list

from payouts.backoffice.file_words import STATE_WORDS, OutcomeWords
from payouts.models import SettlementFile
from payouts.reconciliation.settlement_queries import Found
from payouts.reconciliation.settlements import CASE_OF, MOVES_MONEY, LineOutcome

OUTCOME_WORDS: Final = {
    LineOutcome.MATCHED.value: OutcomeWords("Matched", "Nothing is to be done."),
    LineOutcome.RESOLVES.value: OutcomeWords("Settles an unclear push", "The push completes."),
    LineOutcome.RETURNED.value: OutcomeWords("Came back", "The partner gets the amount back."),
    LineOutcome.CONTRADICTS.value: OutcomeWords("Paid there, not here", "A case: nothing flips."),
    LineOutcome.AMOUNT_DIFFERS.value: OutcomeWords("Another amount", "A case."),
    LineOutcome.CURRENCY_DIFFERS.value: OutcomeWords("Another currency", "A case."),
    LineOutcome.IDENTITY_DIFFERS.value: OutcomeWords(
        "Another identity", "Amount, day and card are those of one push: a case."
    ),
    LineOutcome.LATE.value: OutcomeWords("Another day", "A case without money."),
    LineOutcome.DUPLICATE.value: OutcomeWords("Settled twice", "A case."),
    LineOutcome.MISSING_HERE.value: OutcomeWords("Not ours", "A case."),
    LineOutcome.CAME.value: OutcomeWords("Came after all", "The case about it is closed."),
    LineOutcome.MISSING_THERE.value: OutcomeWords("Not in the file", "Paid by our books: a case."),
}
_REFUSALS: Final = {
    "not_a_settlement_file": "This is no settlement file of the network.",
    "end_is_missing": "The end of the file is missing: it was cut off on its way. Fetch it again.",
    "window_is_not_over": "The time that the file is about is not over yet, or was not when it was "
    "made.",
    "too_large": "The file is too large.",
    "card_number_in_name": "There is a card number in the file's name.",
    "not_about_us": "The file is about instructions of somebody else ({acceptor}).",
    "currency": "The file is in {currency}, and pushes are in USD.",
    "window_overlaps": "Another file is about the same time already: {other}.",
    "line_unreadable": "Line {line} is not as it has to be, so no line counts.",
    "sums_differ": "Its end does not say what is in it ({of}), so no line counts.",
    "rejected": "Refused by a second person: {reason}",
}


def consequences(found: Sequence[Found]) -> str:
    """What acting on a file with these findings would do, in words."""
    changed = _number(found, MOVES_MONEY)
    ended = _number(found, {LineOutcome.CAME})
    opened = _number(found, {LineOutcome.CONTRADICTS, *CASE_OF})
    deeds = (
        (changed, f"complete or return {changed:,} push{pluralize(changed, 'es')}"),
        (ended, f"close {ended:,} case{pluralize(ended)} about what was missing"),
        (opened, f"open {opened:,} case{pluralize(opened)}"),
    )
    return get_text_list([words for number, words in deeds if number], "and")


def _number(found: Sequence[Found], outcomes: Collection[LineOutcome]) -> int:
    return sum(one.count for one in found if one.outcome in outcomes)


def state_words(file: SettlementFile) -> str:
    """Where the file stands."""
    return STATE_WORDS[file.state]


def refusal_words(code: str, details: Mapping[str, Any]) -> str:
    """Why a file is not taken, in a sentence."""
    return _REFUSALS[code].format_map({str(name): value for name, value in details.items()})
