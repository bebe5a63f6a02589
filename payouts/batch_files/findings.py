"""What is against a file, or against one line of it: codes, and the words for people.

A problem keeps a line from being issued; a warning is for a person to look at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class FileRefused(Exception):
    """The file as a whole cannot be taken, and nothing of it may be stored; `code` says why.

    `details` never hold what stood in a cell.
    """

    def __init__(self, code: str, **details: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one line. `details` fill the gaps in its words."""

    code: str
    is_problem: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> list[Any]:
        """The finding as JSON; `words_of` reads it back."""
        return [self.code, self.is_problem, dict(self.details)]


def problem(code: str, **details: Any) -> Finding:
    return Finding(code, is_problem=True, details=details)


def warning(code: str, **details: Any) -> Finding:
    return Finding(code, is_problem=False, details=details)


REFUSAL_WORDS: Final = {
    "empty": "The file is empty.",
    "too_large": "The file is larger than {most} MB.",
    "not_a_table": "This is neither a CSV file nor an XLSX workbook.",
    "encoding": "The file is not text in UTF-8 or Windows-1252. Save it as “CSV UTF-8”.",
    "zero_byte": "Line {line} holds a zero byte: this is no CSV file.",
    "broken_csv": "Line {line} cannot be read as CSV: a quotation mark is not closed or misplaced.",
    "no_header": "The first line does not name the columns. Begin with the template.",
    "column_missing": "There is no column “{column}”. Begin with the template.",
    "column_unknown": "The column “{column}” is not known. Take it out, or use the template.",
    "column_twice": "Two columns say “{column}”.",
    "too_many_columns": "There are more than {most} columns.",
    "no_rows": "Below the names of the columns there is no line.",
    "too_many_rows": "There are more than {most:,} lines. Split the file.",
    "cell_too_long": "A cell in line {line} is longer than {most:,} characters.",
    "card_number": "Line {line} holds a card number in the column “{column}”. "
    "Nothing of the file was kept. Name cards by their id or by their last four digits.",
    "card_number_in_name": "The name holds a card number. Nothing was kept.",
    "broken_workbook": "The workbook is damaged or protected by a password.",
    "workbook_too_large": "Unpacked, the workbook is larger than {most} MB.",
    "workbook_unsafe": "The workbook contains definitions that no spreadsheet program writes.",
    "which_sheet": "The workbook has several sheets. Name the one with the lines “Pushes”.",
    "kills_its_reader": "Reading the file has ended the program that read it, {times} times. It is "
    "not read again. Split it, or save it anew as CSV; if that fails as well, tell whoever runs "
    "the product.",
    "sealed_by_lost_key": "The file could not be opened again. Upload it once more.",
}

FINDING_WORDS: Final = {
    "partner_inactive": "The partner is switched off.",
    "consumer_missing": "The consumer is missing.",
    "consumer_not_found": "The partner has no such consumer.",
    "consumer_inactive": "The consumer's account is closed.",
    "card_unclear": "“{given}” is neither a card's id nor its last four digits.",
    "card_missing": "The consumer has no card that can be used.",
    "card_ambiguous": "The consumer has {cards} cards that fit. Name one by its id.",
    "card_not_found": "The consumer has no such card.",
    "card_inactive": "The card is deactivated.",
    "card_expired": "The card has expired.",
    "card_not_eligible": "The network says that this card takes no pushes.",
    "amount_missing": "The amount is missing.",
    "amount_unclear": "“{given}” cannot be read as one amount without doubt. Write dollars "
    "above 0 with at most two decimals, like 1250.00.",
    "amount_too_small": "The amount must be more than 0.",
    "amount_too_large": "The amount must be at most $50,000.00.",
    "text_too_long": "“{column}” has more than {most} characters.",
    "control_characters": "“{column}” holds characters that cannot be seen.",
    "metadata_too_many": "There are more than {most} pieces of metadata.",
    "formula": "“{column}” is a formula. Put its value there.",
    "not_text": "“{column}” is neither a text nor a number.",
    "digits_lost": "“{column}” is a number too long for a spreadsheet. Format the cell as text.",
    "too_many_cells": "The line has more cells than there are columns.",
    "limit_exceeded": "A limit would be passed: {limit}, at most {maximum}, {used} used.",
    "insufficient_funds": "The partner has not enough money available for it.",
    "repeats_line": "The line repeats line {line} in everything. To pay twice, give it a reference "
    "of its own.",
    "same_card_and_amount": "Line {line} pushes the same amount to the same card.",
    "paid_recently": "The same amount was pushed to this card on {on}.",
    "limit_within_file": "With the lines before it, a limit would be passed: {limit}, at most "
    "{maximum}.",
    "funds_within_file": "With the lines before it, the partner's money is not enough.",
    "key_taken": "Another push carries this line's key. Tell whoever runs the product.",
    "terms_changed": "The fee has changed since the batch was checked.",
}


def refusal_words(code: str, details: Mapping[str, Any]) -> str:
    """Why the file was refused, in a sentence or two."""
    return REFUSAL_WORDS[code].format_map(dict(details))


def finding_words(code: str, details: Mapping[str, Any]) -> str:
    """A finding in a sentence; one that is not known is said as it is."""
    words = FINDING_WORDS.get(code)
    return code.replace("_", " ") if words is None else words.format_map(dict(details))
