"""Reads what clients send to the sandbox network; a malformed message never reaches the book.

The shape is that of Visa Direct's push funds transactions, reduced to what a push needs, with the
amount as a string so that no float is near it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from payouts.networks.base import NetworkIdentity

_AMOUNT = re.compile(r"(?!0+\.00)[0-9]{1,9}\.[0-9]{2}")
_CARD_NUMBER = re.compile(r"[0-9]{13,19}")

_REQUIRED_FORMS = {
    "acquiringBin": re.compile(r"[0-9]{6,11}"),
    "systemsTraceAuditNumber": re.compile(r"[0-9]{6}"),
    "retrievalReferenceNumber": re.compile(r"[0-9]{12}"),
    "recipientPrimaryAccountNumber": _CARD_NUMBER,
    "amount": _AMOUNT,
    "transactionCurrencyCode": re.compile(r"USD"),
}
_ACCEPTOR_FORMS = {
    "idCode": re.compile(r"[ -~]{1,15}"),
    "terminalId": re.compile(r"[ -~]{1,8}"),
}


class MalformedMessage(Exception):
    """The message lacks something or has it in the wrong form. Names the fields, never values."""

    def __init__(self, *names: str) -> None:
        super().__init__(", ".join(names))
        self.names = names


@dataclass(frozen=True, slots=True)
class Arrival:
    """A well-formed instruction to credit a card."""

    identity: NetworkIdentity
    number: str = field(repr=False)
    amount_cents: int
    currency: str


def read_instruction(body: bytes) -> Arrival:
    """Read a push. Raises MalformedMessage."""
    message = read_object(body)
    acceptor = message.get("cardAcceptor")
    acceptor = acceptor if isinstance(acceptor, dict) else {}
    wrong = _wrong_fields(message, _REQUIRED_FORMS) + _wrong_fields(acceptor, _ACCEPTOR_FORMS)
    if wrong:
        raise MalformedMessage(*wrong)
    return Arrival(
        identity=NetworkIdentity(
            acquiring_bin=message["acquiringBin"],
            systems_trace_audit_number=message["systemsTraceAuditNumber"],
            retrieval_reference_number=message["retrievalReferenceNumber"],
            card_acceptor_id=acceptor["idCode"],
            terminal_id=acceptor["terminalId"],
        ),
        number=message["recipientPrimaryAccountNumber"],
        amount_cents=int(message["amount"].replace(".", "")),
        currency=message["transactionCurrencyCode"],
    )


def read_card_number(body: bytes) -> str:
    """Read an attributes inquiry. Raises MalformedMessage."""
    number = read_object(body).get("primaryAccountNumber")
    if not isinstance(number, str) or not _CARD_NUMBER.fullmatch(number):
        raise MalformedMessage("primaryAccountNumber")
    return number


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object whose values the caller still has to check. Raises MalformedMessage."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedMessage("body") from None
    if not isinstance(message, dict):
        raise MalformedMessage("body")
    return message


def _wrong_fields(
    message: Mapping[str, object], forms: Mapping[str, re.Pattern[str]]
) -> tuple[str, ...]:
    return tuple(name for name, form in forms.items() if not _has_form(message.get(name), form))


def _has_form(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
