"""The second net for card numbers: masks them in log records and in answers of other systems.

The first net is that numbers live in `Pan` and are not logged. This one catches what slips through:
a number in a typed note, in a network's error text, in a traceback. It cannot know every secret, so
it replaces nothing of the first. Nothing here decides, stores or sends anything.

Hang `ScrubbingFilter` on every *handler*: a filter on a logger does not see the records of its
children. A formatter that turns objects of `extra` into text of its own should pass its finished
line through `scrub`, because a filter cannot know what text an object becomes.
"""

import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from decimal import Decimal

from consumers.cards import (
    BLANKS_AND_DASHES,
    LAST_DIGITS_SHOWN,
    LONGEST_NUMBER,
    SHORTEST_NUMBER,
    is_plausible_number,
)

HIDDEN = "[hidden]"
DEEPEST_NESTING = 32

# Compared in lower case and without `_`, `-` and blanks, so `primary_account_number` is here too.
SECRET_NAMES = frozenset(
    {
        "accounturi",
        "apikey",
        "authorization",
        "cavv",
        "cookie",
        "cvc",
        "cvc2",
        "cvv",
        "cvv2",
        "number",
        "pan",
        "passwd",
        "pin",
        "pinblock",
        "pindata",
        "privatekey",
        "proxyauthorization",
        "securitycode",
        "setcookie",
        "ssn",
        "taxidentifier",
        "track1",
        "track1data",
        "track2",
        "track2data",
        "trackdata",
        "xapikey",
    }
)
# `senderPrimaryAccountNumber`, `recipient_account_uri`, `client_secret`, `access_token` and so on.
SECRET_ENDINGS = ("accountnumber", "accounturi", "cardnumber", "password", "secret", "token")
# What a network calls its transaction is evidence when a payment is unclear, and by chance it looks
# like a card number: Visa's has 15 digits, as an Amex number has.
IDENTIFIER_NAMES = frozenset(
    {
        "retrievalreferencenumber",
        "statusidentifier",
        "systemstraceauditnumber",
        "transactionid",
        "transactionidentifier",
    }
)

# Blanks as they appear in text, in a form body (`+`) and in a URL (`%20`). Three of them in a row,
# as in `4111 - 1111`, are still one gap.
_GAP = rf"(?:[{BLANKS_AND_DASHES}+]|%20|%2[Dd]){{1,3}}"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# A digest or a trace id. Three letters at least: `4111111111111111D2512...` is a card's track 2.
_HEX = r"(?=(?:[0-9]*[a-fA-F]){3})[0-9a-fA-F]{24,}"
# Whole words in which a run of digits is chance and no card.
_NOT_A_CARD = rf"(?<![0-9A-Za-z])(?:{_UUID}|{_HEX})(?![0-9A-Za-z])"

# Most lines hold no card number: this decides so in one pass over the line.
_WORTH_A_LOOK = re.compile(rf"[0-9](?:(?:{_GAP})?[0-9]){{{SHORTEST_NUMBER - 1}}}")
_RUN_OF_DIGITS = re.compile(
    rf"{_NOT_A_CARD}|%[0-9a-fA-F]{{2}}|(?P<run>[0-9]+(?:{_GAP}(?!{_NOT_A_CARD})[0-9]+)*)"
)
_GROUP = re.compile(rf"{_GAP}|(?P<digits>[0-9]+)")
_FIRST_TOO_LONG = 10**LONGEST_NUMBER
_NAME_FILLING = re.compile(r"[_\-\s]")

_STANDARD_ATTRIBUTES = frozenset(
    vars(logging.LogRecord("", logging.INFO, "", 0, "", None, None))
) | {"message", "asctime"}
_FORMATTER = logging.Formatter()


class ScrubbingFilter(logging.Filter):
    """Lets every record pass, with card numbers masked in message, traceback, stack and extras.

    The arguments are merged into the message, so that a number spread over `%s` is seen whole. A
    traceback with a number in it replaces the exception itself, which could be formatted again. A
    record whose message cannot be formatted is replaced by a sentence saying so: logging's own
    report of that would print the raw arguments.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _scrubbed_message(record), ()
        _scrub_traceback(record)
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        for name in record.__dict__.keys() - _STANDARD_ATTRIBUTES:
            record.__dict__[name] = _scrubbed_entry(name, record.__dict__[name], depth=0)
        return True


def scrub(text: str) -> str:
    """Replace every card number in a text by `[card ending 1111]`; the rest stays as it is.

    A card number is 13 to 19 digits, with or without blanks and dashes between them, whose prefix,
    length and check digit fit a network. Digits inside UUIDs and hexadecimal words are not looked
    at. Scrubbing what was scrubbed changes nothing.
    """
    if _WORTH_A_LOOK.search(text) is None:
        return text
    return _RUN_OF_DIGITS.sub(_scrubbed_run, text)


def scrub_mapping(mapping: Mapping[str, object]) -> dict[str, object]:
    """A copy of a JSON-like structure that may be stored or logged.

    Values under names like `pan`, `cvv` or `authorization` become `[hidden]` whatever they are;
    card numbers in all other texts and numbers are masked, at any depth. A network's own names
    for a transaction (`transactionIdentifier` and the like) are kept as they are.
    """
    return _scrubbed_mapping(mapping, depth=0)


def _scrubbed_mapping(mapping: Mapping[str, object], *, depth: int) -> dict[str, object]:
    return {
        scrub(str(name)): _scrubbed_entry(str(name), value, depth=depth)
        for name, value in mapping.items()
    }


def _scrubbed_entry(name: str, value: object, *, depth: int) -> object:
    plain_name = _NAME_FILLING.sub("", name).lower()
    if plain_name in SECRET_NAMES or plain_name.endswith(SECRET_ENDINGS):
        return HIDDEN
    if plain_name in IDENTIFIER_NAMES and isinstance(value, str | int):
        return value
    return _scrubbed_value(value, depth=depth + 1)


def _scrubbed_value(value: object, *, depth: int) -> object:
    if depth > DEEPEST_NESTING:
        return HIDDEN
    match value:
        case str():
            return scrub(value)
        case int() if abs(value) >= _FIRST_TOO_LONG:
            return value
        case int() | float() | Decimal():
            return _unless_scrubbed(value, str(value))
        case BaseException():
            return _unless_scrubbed(value, "".join(traceback.format_exception_only(value)).strip())
        case bytes():
            return scrub(value.decode("latin-1")).encode("latin-1")
        case Mapping():
            return _scrubbed_mapping(value, depth=depth)
        case tuple():
            return tuple(_scrubbed_value(item, depth=depth + 1) for item in value)
        case list() | set() | frozenset():
            return [_scrubbed_value(item, depth=depth + 1) for item in value]
        case _:
            return value


def _unless_scrubbed(value: object, text: str) -> object:
    scrubbed = scrub(text)
    return value if scrubbed == text else scrubbed


def _scrubbed_message(record: logging.LogRecord) -> str:
    try:
        return scrub(record.getMessage())
    # Whatever goes wrong in the text of an argument, a line of log must not stop a payment.
    except Exception as error:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        return f"{scrub(message)} (arguments left out: {type(error).__name__})"


def _scrub_traceback(record: logging.LogRecord) -> None:
    if record.exc_info and not record.exc_text:
        # Formatters take this text as it is and do not format the exception again.
        record.exc_text = _FORMATTER.formatException(record.exc_info)
    if not record.exc_text:
        return
    scrubbed = scrub(record.exc_text)
    if scrubbed != record.exc_text:
        record.exc_text, record.exc_info = scrubbed, None


def _scrubbed_run(match: re.Match[str]) -> str:
    run = match["run"]
    if run is None or len(run) < SHORTEST_NUMBER:
        return match[0]
    pieces, shown_up_to = [], 0
    for start, end, last_digits in _card_spans(run):
        pieces += [run[shown_up_to:start], f"[card ending {last_digits}]"]
        shown_up_to = end
    return "".join([*pieces, run[shown_up_to:]])


def _card_spans(run: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and last digits of each stretch of the run that must not be shown.

    The neighbours of a number may be digits too (`3 x 4111 1111 1111 1111 12/28`), so every row of
    whole groups is tried. Rows that overlap are one stretch, since either may be the real one.
    """
    groups = [group for group in _GROUP.finditer(run) if group["digits"]]
    start, end, last_digits = 0, 0, ""
    for first in range(len(groups)):
        for row_start, row_end, row in _plausible_rows(groups, first):
            if end and row_start >= end:
                yield start, end, last_digits
                end = 0
            if not end:
                start = row_start
            if row_end > end:
                end, last_digits = row_end, row[-LAST_DIGITS_SHOWN:]
    if end:
        yield start, end, last_digits


def _plausible_rows(groups: list[re.Match[str]], first: int) -> Iterator[tuple[int, int, str]]:
    row = ""
    for group in groups[first : first + LONGEST_NUMBER]:
        row += group["digits"]
        if len(row) > LONGEST_NUMBER:
            return
        if len(row) >= SHORTEST_NUMBER and is_plausible_number(row):
            yield groups[first].start(), group.end(), row
