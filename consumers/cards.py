"""What is true about payment card numbers: networks, check digit, expiry, masking, and `Pan`.

Plain Python on purpose: no Django, no keys, no storage, no network calls. The vault, the scrubbing
of logs, the API and the screens all ask this room, so that a rule about card numbers stands once.

No message, `repr` or error that leaves this module holds more of a number than its last four.
"""

import hmac
import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn, final

# ISO/IEC 7812 allows 12 to 19 digits. Twelve is left out: only retired Maestro cards were that
# short, and a retrieval reference number, which logs have to show, has twelve digits too.
SHORTEST_NUMBER = 13
LONGEST_NUMBER = 19
LAST_DIGITS_SHOWN = 4

# What people put between the groups of a number, as the inside of a regular expression's [...]:
# ASCII, no-break and thin blanks, and every dash that a word processor makes. Line breaks are not
# here: two lines are two things.
BLANKS_AND_DASHES = (
    r" \t\-\u00a0\u2000-\u200b\u202f\u2060\u3000\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
)

# The one problem of typed card data that is about the card and not about what was typed.
CARD_EXPIRED = "card_expired"

# Issuers print at most some years ahead; a year beyond this is a typing error.
YEARS_AHEAD_AT_MOST = 20

_SEPARATOR = re.compile(f"[{BLANKS_AND_DASHES}]+")
_DOUBLED_DIGIT_SUMS = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class CardNetworkName(StrEnum):
    """A network as stored, sent and shown by the API."""

    VISA = "visa"
    MASTERCARD = "mastercard"
    AMEX = "amex"
    DISCOVER = "discover"
    JCB = "jcb"
    DINERS = "diners"
    UNIONPAY = "unionpay"
    MAESTRO = "maestro"

    @property
    def words(self) -> str:
        """As people read it, who know it from cards."""
        return _WRITTEN.get(self, self.value.capitalize())


_WRITTEN: Final = {
    CardNetworkName.AMEX: "American Express",
    CardNetworkName.JCB: "JCB",
    CardNetworkName.DINERS: "Diners Club",
    CardNetworkName.UNIONPAY: "UnionPay",
}


class PrefixRange(NamedTuple):
    """All numbers whose first digits lie between `low` and `high`, which are equally long."""

    low: str
    high: str
    network: CardNetworkName


class CardProblem(NamedTuple):
    """One thing that is wrong with card input; `message` may be shown to anybody."""

    field: str
    code: str
    message: str


class NotACardNumber(ValueError):
    """The text is not 13 to 19 digits. The message never repeats the text."""


# The ranges do not overlap, so their order does not matter. 622126 to 622925 are co-branded with
# Discover in the United States and stay UnionPay here, as the number says. Of the many numbers that
# once carried Maestro only the ranges that nobody else issues are named.
PREFIX_RANGES = (
    PrefixRange("4", "4", CardNetworkName.VISA),
    PrefixRange("51", "55", CardNetworkName.MASTERCARD),
    PrefixRange("2221", "2720", CardNetworkName.MASTERCARD),
    PrefixRange("34", "34", CardNetworkName.AMEX),
    PrefixRange("37", "37", CardNetworkName.AMEX),
    PrefixRange("6011", "6011", CardNetworkName.DISCOVER),
    PrefixRange("644", "649", CardNetworkName.DISCOVER),
    PrefixRange("65", "65", CardNetworkName.DISCOVER),
    PrefixRange("3528", "3589", CardNetworkName.JCB),
    PrefixRange("300", "305", CardNetworkName.DINERS),
    PrefixRange("3095", "3095", CardNetworkName.DINERS),
    PrefixRange("36", "36", CardNetworkName.DINERS),
    PrefixRange("38", "39", CardNetworkName.DINERS),
    PrefixRange("62", "62", CardNetworkName.UNIONPAY),
    PrefixRange("8100", "8171", CardNetworkName.UNIONPAY),
    PrefixRange("5018", "5018", CardNetworkName.MAESTRO),
    PrefixRange("5020", "5020", CardNetworkName.MAESTRO),
    PrefixRange("5038", "5038", CardNetworkName.MAESTRO),
    PrefixRange("5893", "5893", CardNetworkName.MAESTRO),
    PrefixRange("6304", "6304", CardNetworkName.MAESTRO),
    PrefixRange("6390", "6390", CardNetworkName.MAESTRO),
    PrefixRange("67", "67", CardNetworkName.MAESTRO),
)

# Written out prefix by prefix: the scrubbing of logs asks for many numbers that are none.
_NETWORK_BY_PREFIX = {
    str(prefix): network
    for low, high, network in PREFIX_RANGES
    for prefix in range(int(low), int(high) + 1)
}
_PREFIX_LENGTHS = sorted({len(prefix) for prefix in _NETWORK_BY_PREFIX})

NUMBER_LENGTHS: Mapping[CardNetworkName, frozenset[int]] = MappingProxyType(
    {
        CardNetworkName.VISA: frozenset({13, 16, 19}),
        CardNetworkName.MASTERCARD: frozenset({16}),
        CardNetworkName.AMEX: frozenset({15}),
        CardNetworkName.DISCOVER: frozenset(range(16, 20)),
        CardNetworkName.JCB: frozenset(range(16, 20)),
        # ISO would allow 15 too, but nobody issues it, and Visa's transaction ids have 15 digits.
        CardNetworkName.DINERS: frozenset({14, *range(16, 20)}),
        CardNetworkName.UNIONPAY: frozenset(range(16, 20)),
        CardNetworkName.MAESTRO: frozenset(range(SHORTEST_NUMBER, LONGEST_NUMBER + 1)),
    }
)


def normalise_number(number: str) -> str:
    """Take blanks and dashes out of what a person typed; everything else stays, right or wrong."""
    return _SEPARATOR.sub("", number)


def network_of(number: str) -> CardNetworkName | None:
    """Name the network by the first digits of a number or BIN; None if no network issues it.

    Only the prefix is looked at: length and check digit are `is_plausible_number`'s business.
    """
    if not _is_digits(number):
        return None
    for length in _PREFIX_LENGTHS:
        network = _NETWORK_BY_PREFIX.get(number[:length])
        if network is not None:
            return network
    return None


def passes_luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    if not _is_digits(number):
        return False
    digits = [int(digit) for digit in reversed(number)]
    total = sum(digits[0::2]) + sum(_DOUBLED_DIGIT_SUMS[digit] for digit in digits[1::2])
    return total % 10 == 0


def has_network_length(number: str, network: CardNetworkName) -> bool:
    """Whether `network` issues numbers with that many digits."""
    return len(number) in NUMBER_LENGTHS[network]


def is_plausible_number(number: str) -> bool:
    """Whether a string of digits could be a card number: network, length and check digit agree."""
    network = network_of(number)
    return network is not None and has_network_length(number, network) and passes_luhn(number)


def bin_of(number: str) -> str:
    """The digits of the issuer that may be kept and shown in clear beside the last four.

    Eight of a number with 16 or more digits, else six: PCI SSC FAQ 1091 on truncation.

    :raises NotACardNumber: the text is not 13 to 19 digits.
    """
    _require_card_digits(number)
    return number[: _bin_length(len(number))]


def last4_of(number: str) -> str:
    """The last four digits.

    :raises NotACardNumber: the text is not 13 to 19 digits.
    """
    _require_card_digits(number)
    return number[-LAST_DIGITS_SHOWN:]


def masked(bin_digits: str, last4: str, length: int) -> str:
    """A number as screens may show it, e.g. `41111111****1111`.

    Shows never more than FAQ 1091 allows for `length` digits, even if `bin_digits` has more.
    """
    first = bin_digits[: _bin_length(length)]
    last = last4[-LAST_DIGITS_SHOWN:]
    return first + "*" * (length - len(first) - len(last)) + last


def expires_after(month: int, year: int) -> date:
    """The last day on which a card with this printed month and four-digit year is good."""
    return date(year, month, monthrange(year, month)[1])


def is_expired(month: int, year: int, *, on: date) -> bool:
    """Whether the card is past its last day on the day `on`; on the last day itself it is good."""
    return on > expires_after(month, year)


def problems_with_card(
    number: str, expiration_month: int, expiration_year: int, today: date
) -> list[CardProblem]:
    """Name everything that is wrong with typed card data; an empty list means acceptable.

    In `number` blanks and dashes do not count; months are 1 to 12, years have four digits; `today`
    is the day by which a card is expired or not.
    """
    return [
        *problems_with_number(number),
        *problems_with_expiry(expiration_month, expiration_year, today),
    ]


def problems_with_number(number: str) -> list[CardProblem]:
    """Name everything that is wrong with a typed number; see `problems_with_card`."""
    digits = normalise_number(number)
    if not digits:
        return [CardProblem("number", "required", "Enter the card number.")]
    if not _is_digits(digits):
        return [CardProblem("number", "not_digits", "A card number consists of digits only.")]
    problems = []
    network = network_of(digits)
    if network is None:
        message = "No card network that we know issues numbers that begin like this."
        problems.append(CardProblem("number", "unknown_network", message))
    if not _has_possible_length(digits, network):
        message = "The card number has too few or too many digits."
        problems.append(CardProblem("number", "wrong_length", message))
    if not passes_luhn(digits):
        message = "The card number is mistyped: its last digit does not fit the others."
        problems.append(CardProblem("number", "wrong_check_digit", message))
    return problems


def problems_with_expiry(month: int, year: int, today: date) -> list[CardProblem]:
    """Name everything that is wrong with a typed expiry; see `problems_with_card`."""
    problems = []
    if not 1 <= month <= 12:
        message = "The month is a number from 1 to 12."
        problems.append(CardProblem("expiration_month", "out_of_range", message))
    if not 1000 <= year <= 9999:
        message = "The year has four digits."
        problems.append(CardProblem("expiration_year", "out_of_range", message))
    elif year > today.year + YEARS_AHEAD_AT_MOST:
        message = f"No card is valid for more than {YEARS_AHEAD_AT_MOST} years."
        problems.append(CardProblem("expiration_year", "too_far_ahead", message))
    if problems or not is_expired(month, year, on=today):
        return problems
    field = "expiration_month" if year == today.year else "expiration_year"
    return [CardProblem(field, CARD_EXPIRED, "The card has expired.")]


def _is_digits(text: str) -> bool:
    # `isdigit` alone also accepts the digits of other scripts.
    return text.isascii() and text.isdigit()


def _has_possible_length(digits: str, network: CardNetworkName | None) -> bool:
    if network is None:
        return SHORTEST_NUMBER <= len(digits) <= LONGEST_NUMBER
    return has_network_length(digits, network)


def _bin_length(number_length: int) -> int:
    return 8 if number_length >= 16 else 6


def _require_card_digits(number: str) -> None:
    if not (_is_digits(number) and SHORTEST_NUMBER <= len(number) <= LONGEST_NUMBER):
        raise NotACardNumber("Not a card number: 13 to 19 digits are needed.")


@final
class Pan:
    """A whole card number (primary account number) that cannot be shown or stored by accident.

    `repr`, `str`, `format` and f-strings give `****1111`; pickle, copy and JSON raise TypeError; it
    has no hash, so that it cannot become the key of a cache. Two are compared in constant time.
    Only `reveal()` gives the digits: searching the code for it finds every place that sees them.

    The digits need not pass `problems_with_card`: what was once sealed stays readable when a rule
    about networks changes.

    :raises NotACardNumber: without blanks and dashes the text is not 13 to 19 digits.
    """

    __slots__ = ("__digits",)
    __digits: str

    def __init__(self, number: str) -> None:
        digits = normalise_number(number)
        _require_card_digits(digits)
        object.__setattr__(self, "_Pan__digits", digits)

    def reveal(self) -> str:
        """The digits. Keep them in no variable that outlives the call they are needed for."""
        return self.__digits

    # Django's template language calls whatever it can call; this makes `{{ pan.reveal }}` empty.
    reveal.alters_data = True  # type: ignore[attr-defined]

    @property
    def network(self) -> CardNetworkName | None:
        return network_of(self.__digits)

    @property
    def bin(self) -> str:
        return bin_of(self.__digits)

    @property
    def last4(self) -> str:
        return last4_of(self.__digits)

    @property
    def length(self) -> int:
        return len(self.__digits)

    def __repr__(self) -> str:
        return f"Pan(****{self.last4})"

    def __str__(self) -> str:
        return f"****{self.last4}"

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)

    # Equality without `__hash__` also takes the hash away, which is wanted here.
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pan):
            return NotImplemented
        return hmac.compare_digest(self.__digits, other.__digits)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("A Pan cannot be changed.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("A Pan cannot be changed.")

    # pickle, copy and deepcopy ask one of these; since Python 3.11 every object has `__getstate__`,
    # and the inherited one would hand out the slot.
    def __getstate__(self) -> NoReturn:
        raise TypeError("A Pan is never pickled or copied.")

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Pan is never pickled or copied.")
