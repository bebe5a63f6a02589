"""What must not stand in the audit trail: card numbers, secrets, sealed bytes, tax identifiers.

Fields are masked by their names and types. What people type is searched for card numbers besides,
because a number can be typed anywhere.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from consumers.cards import (
    BLANKS_AND_DASHES,
    LAST_DIGITS_SHOWN,
    LONGEST_NUMBER,
    SHORTEST_NUMBER,
    is_plausible_number,
)

HIDDEN: Final = "[hidden]"
LONGEST_TEXT: Final = 500
MOST_ITEMS: Final = 50
# Digits behind a plus (E.164): one in ten of those with 13 looks like a card's number.
LONGEST_PHONE: Final = 15

# Words that make a field's name one whose value is never kept.
_SECRET_WORDS: Final = frozenset(
    {"birth", "ciphertext", "cvc", "cvv", "digest", "fingerprint", "kek", "pan", "password",
     "password1", "password2", "pin", "sealed", "secret", "secrets", "ssn", "token", "wrapped"}
)  # fmt: skip
_TAX_IDENTIFIER: Final = "tax_identifier"
# Longer than anything that is kept, and short enough to be searched at once.
_LOOKED_AT: Final = 4 * LONGEST_TEXT
_RUN_OF_DIGITS: Final = re.compile(
    rf"(?<![0-9A-Za-z])[0-9](?:[{BLANKS_AND_DASHES}]{{0,3}}[0-9]){{{SHORTEST_NUMBER - 1},}}"
    "(?![0-9A-Za-z])"
)


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `values` that may be kept as JSON: masked, and everything of a type JSON has."""
    return {
        masked_text(one_line(str(name))): _masked_field(str(name), value)
        for name, value in values.items()
    }


def masked_text(text: str, *, longest: int = LONGEST_TEXT) -> str:
    """The text without card numbers and characters that no database stores, cut to length."""
    storable = "".join(c for c in text[:_LOOKED_AT] if c.isprintable() or c in "\n\t")
    return _RUN_OF_DIGITS.sub(_shown_number, storable)[:longest]


def one_line(text: str, *, longest: int = LONGEST_TEXT) -> str:
    """The text as one line of a list or a log: whoever wrote it cannot begin another one."""
    return "".join(c if c.isprintable() else "?" for c in text)[:longest]


def _masked_field(name: str, value: Any) -> Any:
    plain = name.lower()
    words = set(plain.split("_"))
    if plain == "number" or plain.startswith(_TAX_IDENTIFIER) or _SECRET_WORDS & words:
        return HIDDEN if value else ""
    return _masked_value(value)


def _masked_value(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            text = str(value)
            return value if masked_text(text) == text else masked_text(text)
        case bytes() | bytearray() | memoryview():
            return HIDDEN
        case Mapping():
            return masked(value)
        case str():
            return masked_text(value)
        case Iterable():
            return [_masked_value(item) for item, _ in zip(value, range(MOST_ITEMS), strict=False)]
        case _:
            return masked_text(str(value))


def _shown_number(match: re.Match[str]) -> str:
    """Mask the run if 13 to 19 digits of it may be a card's number; not a phone's with a plus."""
    digits = "".join(filter(str.isdigit, match[0]))
    if len(digits) <= LONGEST_PHONE and match.string[: match.start()].endswith("+"):
        return match[0]
    for length in range(SHORTEST_NUMBER, LONGEST_NUMBER + 1):
        for start in range(len(digits) - length + 1):
            if is_plausible_number(digits[start : start + length]):
                return f"[card ending {digits[-LAST_DIGITS_SHOWN:]}]"
    return match[0]
