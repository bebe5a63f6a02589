"""Finds card numbers in texts that people give us, where none may be. Plain Python."""

import re
from typing import Final

from consumers.cards import (
    BLANKS_AND_DASHES,
    LONGEST_NUMBER,
    SHORTEST_NUMBER,
    is_plausible_number,
)

_GAP: Final = f"[{BLANKS_AND_DASHES}]"
# One pass over the text says that nearly every text holds none.
_WORTH_A_LOOK: Final = re.compile(rf"[0-9](?:{_GAP}{{0,3}}[0-9]){{{SHORTEST_NUMBER - 1}}}")
_RUN: Final = re.compile(rf"[0-9]+(?:{_GAP}{{1,3}}[0-9]+)*")
_BLANKS: Final = re.compile(rf"[\s{BLANKS_AND_DASHES}]")
_GROUP: Final = re.compile("[0-9]+")
_HEX: Final = "[0-9a-fA-F]"
# By chance the digits of an id look like anything.
_UUID: Final = re.compile(
    rf"(?<![0-9A-Za-z]){_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}(?![0-9A-Za-z])"
)
# Country code and number (E.164), at most 15 digits in all: one in ten of 13 looks like a card's.
_PHONE: Final = re.compile(rf"\+[0-9](?:{_GAP}{{0,3}}[0-9]){{1,14}}(?!{_GAP}{{0,3}}[0-9])")


def held_card_number(text: str) -> str | None:
    """Return the first card number in the text as bare digits, or None.

    A number is 13 to 19 digits, in groups or not, whose prefix, length and check digit fit a
    network. Neighbours may be digits too (`3 x 4111 1111 1111 1111 12/28`), so every row of whole
    groups is tried. Ids are not looked into, nor phone numbers with a plus.
    """
    if _WORTH_A_LOOK.search(text) is None:
        return None
    for run in _RUN.finditer(_PHONE.sub("phone", _UUID.sub("id", text))):
        groups = _GROUP.findall(run[0])
        for first in range(len(groups)):
            if found := _number_from(groups[first:]):
                return found
    return None


def last_four_of_whole_number(text: str) -> str:
    """The last four digits, if the text is a whole card number and nothing else; else nothing."""
    digits = _BLANKS.sub("", text)
    return digits[-4:] if is_plausible_number(digits) else ""


def _number_from(groups: list[str]) -> str | None:
    row = ""
    for group in groups:
        row += group
        if len(row) > LONGEST_NUMBER:
            return None
        if len(row) >= SHORTEST_NUMBER and is_plausible_number(row):
            return row
    return None
