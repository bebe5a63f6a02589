"""Finds card numbers in texts that people give us, where none may be. Plain Python."""

import re
from collections.abc import Iterator
from typing import Final

from consumers.cards import (
    BLANKS_AND_DASHES,
    LAST_DIGITS_SHOWN,
    LONGEST_NUMBER,
    SHORTEST_NUMBER,
    is_plausible_number,
)

_GAP: Final = f"[{BLANKS_AND_DASHES}]"
# One pass over the text says that nearly every text holds none.
_WORTH_A_LOOK: Final = re.compile(rf"[0-9](?:{_GAP}{{0,3}}[0-9]){{{SHORTEST_NUMBER - 1}}}")
_RUN: Final = re.compile(rf"[0-9]+(?:{_GAP}{{1,3}}[0-9]+)*")
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
    for start, end in _places(text):
        return "".join(_GROUP.findall(text[start:end]))
    return None


def with_last_fours(text: str) -> str:
    """The text with only the last four digits of each card number in it, for a search."""
    kept, done = "", 0
    for start, end in _places(text):
        kept += text[done:start] + text[end - LAST_DIGITS_SHOWN : end]
        done = end
    return kept + text[done:]


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where the numbers stand in the text, from and up to."""
    if _WORTH_A_LOOK.search(text) is None:
        return
    bare = _PHONE.sub(_nothing, _UUID.sub(_nothing, text))
    for run in _RUN.finditer(bare):
        groups = [*_GROUP.finditer(bare, run.start(), run.end())]
        while groups:
            used = _groups_of_number([group[0] for group in groups])
            if used:
                yield groups[0].start(), groups[used - 1].end()
            del groups[: used or 1]


def _nothing(found: re.Match[str]) -> str:
    """As many letters, so that everything else stays where it is."""
    return "x" * len(found[0])


def _groups_of_number(groups: list[str]) -> int:
    """How many of the groups, from the first one on, make a card number; 0 if none do."""
    row = ""
    for used, group in enumerate(groups, start=1):
        row += group
        if len(row) > LONGEST_NUMBER:
            return 0
        if len(row) >= SHORTEST_NUMBER and is_plausible_number(row):
            return used
    return 0
