"""What a list of pushes is asked for, read from an address, and the addresses that ask the same.

The page, its counts, saved views and exports all read it here, so that a file holds what the page
showed. Knows no request and no person: whether somebody may see pushes is asked elsewhere.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from consumers.admin.zone import UTC_NAME, beginning_of, known_zone
from consumers.cards import CardNetworkName
from consumers.ids import first_id_at
from payouts.approvals import Source
from payouts.finding.search import Reach
from payouts.states import Status

SEARCH: Final = "q"
# Whose days are meant; consumers.admin.filters gives the parameter its name.
ZONE: Final = "zone"
# In the order in which an address names them.
PARAMETERS: Final = (
    SEARCH, "status", "partner", "source", "network", "maker", "failure", "batch",
    "day_from", "day_to", ZONE, "amount_min", "amount_max",
)  # fmt: skip
LONGEST_TEXT: Final = 200
LARGEST_AMOUNT: Final = Decimal(10) ** 12

_DAYS: Final = frozenset({"day_from", "day_to"})
# As `payouts.declines` and networks we do not know yet spell reasons.
_CODE: Final = re.compile(r"[a-z0-9_]{1,48}")
_USER, _CLIENT = "user:", "client:"


class UnreadableQuery(ValueError):
    """A parameter of the address means nothing; `parameter` names it."""

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class PushQuery:
    """A text that is searched for, and what it is narrowed to. `given` are the values as given."""

    text: str
    reach: Reach
    given: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "PushQuery":
        """Read the parameters of an address. Others than `PARAMETERS` are not looked at.

        :raises UnreadableQuery: a value means nothing.
        """
        cleaned = ((name, _storable(values.get(name, ""))) for name in PARAMETERS)
        given = {name: text for name, text in cleaned if text}
        if not _DAYS & given.keys():
            # A zone says whose days are meant; by itself it means nothing.
            given.pop(ZONE, None)
        zone = _read(ZONE, given.get(ZONE, UTC_NAME), UTC_NAME)
        read = {name: _read(name, text, zone) for name, text in given.items()}
        maker_user_id, maker_client_id = read.get("maker", (None, None))
        reach = Reach(
            partner_id=read.get("partner"),
            # Only what failed has a reason, so an index can bear it.
            statuses=read.get("status") or ((Status.FAILED,) if "failure" in read else None),
            source=read.get("source"),
            network=read.get("network"),
            amount_min=read.get("amount_min"),
            amount_max=read.get("amount_max"),
            maker_user_id=maker_user_id,
            maker_client_id=maker_client_id,
            failure=read.get("failure"),
            batch_id=read.get("batch"),
        ).between(read.get("day_from"), read.get("day_to"))
        return cls(read.get(SEARCH, ""), reach, tuple(given.items()))

    @classmethod
    def from_address(cls, query_string: str) -> "PushQuery":
        """The same from what stands behind the question mark."""
        return cls.read(dict(parse_qsl(query_string, keep_blank_values=True)))

    @property
    def status(self) -> Status | None:
        return self.reach.statuses[0] if self.reach.statuses else None

    def address(self) -> str:
        """What stands behind the question mark of an address that asks for the same."""
        return urlencode(self.given)

    def narrowed_by(self) -> frozenset[str]:
        """The names of what is given."""
        return frozenset(name for name, _ in self.given)


def address_of(given: Iterable[tuple[str, str]], **changed: str | None) -> str:
    """The address of a query with other values; None leaves a parameter out."""
    values = {**dict(given), **changed}
    return urlencode([(name, values[name]) for name in PARAMETERS if values.get(name)])


def _read(name: str, text: str, zone: str) -> Any:
    try:
        return _DAY_READERS[name](text, zone) if name in _DAYS else _READERS[name](text)
    except (ValueError, ValidationError) as error:
        raise UnreadableQuery(name) from error


def _storable(text: str) -> str:
    # PostgreSQL stores no such character, so nothing is found by it.
    return text.replace("\0", "").strip()


def _text(text: str) -> str:
    return text[:LONGEST_TEXT]


def _zone(name: str) -> str:
    if known_zone(name) is None:
        raise ValueError(name)
    return name


def _status(text: str) -> tuple[Status, ...]:
    return (Status(text),)


def _network(text: str) -> str:
    return CardNetworkName(text).value


def _maker(text: str) -> tuple[int | None, UUID | None]:
    if text.startswith(_USER):
        number = int(text.removeprefix(_USER))
        if not 0 < number < 2**31:
            raise ValueError(text)
        return number, None
    return None, UUID(text.removeprefix(_CLIENT))


def _failure(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise ValueError(text)
    return text


def _first_key(text: str, zone: str) -> UUID:
    return first_id_at(beginning_of(_day(text), zone=zone))


def _end_key(text: str, zone: str) -> UUID:
    return first_id_at(beginning_of(_day(text) + timedelta(days=1), zone=zone))


def _day(text: str) -> date:
    day: date = forms.DateField().clean(text)
    # Keys count from 1970, and the day after the last one of year 9999 is not a date.
    if not 1971 <= day.year <= 9998:
        raise ValueError(text)
    return day


def _amount(text: str) -> Decimal:
    """Dollars as people type them: `$1,250.00`, `1250`."""
    dollars: Decimal = forms.DecimalField(min_value=0, max_value=LARGEST_AMOUNT).clean(
        text.replace("$", "").replace(",", "").strip()
    )
    return dollars


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    SEARCH: _text,
    "status": _status,
    "partner": UUID,
    "source": Source,
    "network": _network,
    "maker": _maker,
    "failure": _failure,
    "batch": UUID,
    ZONE: _zone,
    "amount_min": _amount,
    "amount_max": _amount,
}
_DAY_READERS: Final[Mapping[str, Callable[[str, str], UUID]]] = {
    "day_from": _first_key,
    "day_to": _end_key,
}


def within(reach: Reach, *, older_than: UUID | None, newer_than: UUID | None) -> Reach:
    """The part of `reach` on one side of a key, the key itself not included."""
    above = None if newer_than is None else UUID(int=newer_than.int + 1)
    return replace(reach.between(above, older_than))
