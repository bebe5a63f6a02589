"""What staff read about statements of our bank. Words only."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from payouts.backoffice.file_words import STATE_WORDS, OutcomeWords
from payouts.models import FileState, StatementFile
from payouts.reconciliation.bank_statements import EntryOutcome, Problem

ENTRY_WORDS: Final = {
    EntryOutcome.SETTLED.value: OutcomeWords("Settled", "Booked as the network's files say."),
    EntryOutcome.FUNDED.value: OutcomeWords("A partner's money", "Two people have booked it."),
    EntryOutcome.AMOUNT_DIFFERS.value: OutcomeWords(
        "Another amount", "Booked; the difference is in suspense, and a case."
    ),
    EntryOutcome.REFERENCE_DIFFERS.value: OutcomeWords(
        "Another reference", "Booked: amount and day are those of one file. A case without money."
    ),
    EntryOutcome.SETTLED_AGAIN.value: OutcomeWords("Settled twice", "Not booked: a case."),
    EntryOutcome.UNKNOWN.value: OutcomeWords("Unknown", "Not booked: a case."),
    EntryOutcome.NO_MONEY.value: OutcomeWords("No money", "Nothing is to be done."),
}
_STATES: Final = {**STATE_WORDS, FileState.ACTING.value: "Being booked"}
FORMAT_WORDS: Final = {"camt.053": "camt.053", "csv": "CSV"}
_PROBLEMS: Final = {
    "empty": "There is nothing in the file.",
    "too_large": "The file is larger than 32 MB.",
    "card_number_in_name": "There is a card number in the file's name.",
    "no_statement_file": "This is neither a camt.053 statement nor a CSV of the form that is "
    "described in the documentation.",
    "document_type": "The file has a document type, which no bank sends. Nothing of it was read.",
    "broken_xml": "The XML is broken here, or was cut off on its way.",
    "broken_csv": "The CSV is broken here: a quote is not closed.",
    "too_deep": "Its elements lie in each other without end.",
    "too_many_entries": "The file has more than 100,000 entries.",
    "encoding": "The text is not UTF-8.",
    "record": "No such record, or not as many cells as it has to have",
    "reference": "The bank's number of the statement is missing or too long",
    "account": "The account is missing or too long",
    "amount": "No amount in dollars",
    "balance": "No balance in dollars",
    "day": "No day",
    "direction": "Neither a credit nor a debit",
    "status": "It does not say whether it is booked",
    "card_number": "There is a card number in its text",
    "no_opening_balance": "The balance that it opens with is missing: is this a part of a "
    "statement?",
    "no_closing_balance": "The balance that it closes with is missing: is this a part of a "
    "statement?",
    "other_currency": "Something is in another currency than the account",
    "count_differs": "It does not have as many entries as it says",
    "period": "It ends before it begins",
    "does_not_add_up": "Its opening balance and its entries do not make its closing balance",
    "not_our_account": "This account is not one of ours",
    "currency": "The account is not in dollars",
    "day_to_come": "The day that it closes on has not come yet",
    "day_is_known": "A statement of this account for this day was imported before",
    "does_not_follow": "It does not open with what the one before closed with. Import the "
    "statement that lies between",
    "readers_died": "Whoever read this file died of it, several times. Tell somebody.",
    "rejected": "Refused by a second person",
}


def statement_state(file: StatementFile) -> str:
    """Where the file stands."""
    return _STATES[file.state]


def problem_words(problem: Problem) -> str:
    """What is wrong, where, and what stands there, in a sentence."""
    where = f"{problem.where[:1].upper()}{problem.where[1:]}: " if problem.where else ""
    found = f" ({problem.found})" if problem.found else ""
    return f"{where}{_PROBLEMS[problem.code].removesuffix('.')}{found}."


def problems_in_words(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Everything that is wrong in a refused file."""
    return [problem_words(Problem(**one)) for one in problems]
