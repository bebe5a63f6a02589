"""The one table of what every answer of the sandbox network means, and what of it staff may see.

Pure: bytes go in, outcomes come out. Only a readable answer that echoes our identity and has an
action code is definite; everything else is unknown. What is kept as raw is a chosen list of short
fields, so that a card number cannot slip through with an answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import orjson

from payouts.declines import APPROVAL_CODES, DUPLICATE_CODE, UNCLEAR_CODES
from payouts.networks.base import (
    Approved,
    CardType,
    Declined,
    Eligibility,
    EligibilityUnknown,
    NetworkIdentity,
    NotFound,
    Raw,
    RawValue,
    Speed,
    Unknown,
    UnknownReason,
)

_ACTION_CODE = re.compile(r"[0-9A-Z]{2}")
_APPROVAL_CODE = re.compile(r"[0-9A-Za-z]{1,6}")
# Visa's have fifteen digits, one less than the shortest number of any card that we push to.
_TRANSACTION_IDENTIFIER = re.compile(r"[0-9]{1,15}")
_STATUS_IDENTIFIER = re.compile(r"(?!.*\d{16})[0-9A-Za-z_-]{1,64}")

# Fields that are shown as they are if they have the form, and masked like any text if not.
_FORMS = {
    "statusIdentifier": _STATUS_IDENTIFIER,
    "transactionIdentifier": _TRANSACTION_IDENTIFIER,
}
_SHOWN_FIELDS = (
    "actionCode",
    "amount",
    "approvalCode",
    "errorCode",
    "recipientLastFour",
    "responseCode",
    "retrievalReferenceNumber",
    "statusCode",
    "statusIdentifier",
    "systemsTraceAuditNumber",
    "transactionIdentifier",
    "transmissionDateTime",
    "pushFundsBlockIndicator",
    "fastFundsIndicator",
    "cardTypeCode",
)
_SHOWN_LENGTH = 64
_LIKE_A_CARD_NUMBER = re.compile(r"\d(?:[ -]?\d){12,}")
_MASK = "****"

_FAST_FUNDS = frozenset("BCD")
_CARD_TYPES: Mapping[str, CardType] = {
    "C": "credit",
    "H": "credit",
    "D": "debit",
    "R": "debit",
    "P": "prepaid",
}


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """What came back over HTTP, read whole."""

    status: int
    body: bytes
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The network says that it has had this identity before, and not what became of it."""

    raw: Raw


def read_push(
    answer: WireAnswer, identity: NetworkIdentity
) -> Approved | Declined | Unknown | Duplicate:
    """What an answer to a push means."""
    message = object_in(answer.body)
    raw = shown(answer, message)
    if answer.status == 200:
        return _read_decision(message, identity, raw)
    if answer.status == 202:
        return _read_in_progress(message, identity, raw)
    if answer.status == 303:
        return Unknown(UnknownReason.STILL_RUNNING, raw=raw)
    return _unknown_status(answer.status, raw)


def read_inquiry(
    answer: WireAnswer, identity: NetworkIdentity
) -> Approved | Declined | Unknown | NotFound:
    """What an answer to an inquiry, by identity or by status identifier, means."""
    message = object_in(answer.body)
    raw = shown(answer, message)
    if answer.status == 404 and _says_not_found(message, identity):
        return NotFound(raw)
    if answer.status == 202 or (
        answer.status == 200 and _field(message, "statusCode") == "PENDING"
    ):
        return _read_in_progress(message, identity, raw)
    if answer.status != 200:
        return _unknown_status(answer.status, raw)
    decision = _read_decision(message, identity, raw)
    if isinstance(decision, Duplicate):
        return Unknown(UnknownReason.UNRESOLVED_DUPLICATE, raw=raw)
    return decision


def concerns(answer: WireAnswer, *, amount: Decimal, last4: str) -> bool:
    """Whether an inquiry's answer is about this amount and card.

    A duplicate may be somebody else's instruction under the same identity. Only then the echo of
    the identity is not enough.
    """
    message = object_in(answer.body)
    return (_field(message, "amount"), _field(message, "recipientLastFour")) == (
        f"{amount:.2f}",
        last4,
    )


def read_card(answer: WireAnswer) -> Eligibility:
    """What an answer to an attributes inquiry means. Raises EligibilityUnknown."""
    message = object_in(answer.body)
    blocked = _field(message, "pushFundsBlockIndicator")
    fast = _field(message, "fastFundsIndicator")
    if answer.status != 200 or blocked not in ("Y", "N") or fast is None:
        raise EligibilityUnknown(f"The network answered {answer.status} without card attributes.")
    raw = shown(answer, message)
    card_type = _CARD_TYPES.get(_field(message, "cardTypeCode") or "")
    if blocked == "Y":
        return Eligibility(eligible=False, speed="not_supported", card_type=card_type, raw=raw)
    speed: Speed = "fast_funds" if fast in _FAST_FUNDS else "standard"
    return Eligibility(eligible=True, speed=speed, card_type=card_type, raw=raw)


def shown(answer: WireAnswer, message: Mapping[str, object] | None) -> Raw:
    """What staff may see of an answer."""
    raw: dict[str, RawValue] = {"http_status": answer.status, "elapsed_ms": answer.elapsed_ms}
    if message is None:
        return raw | {"body_bytes": len(answer.body), "body_start": _start_of(answer.body)}
    for name in _SHOWN_FIELDS:
        value = _field(message, name)
        if value is not None:
            raw[name] = value if _has_form(name, value) else _masked(value)[:_SHOWN_LENGTH]
    return raw


def _read_decision(
    message: Mapping[str, object] | None, identity: NetworkIdentity, raw: Raw
) -> Approved | Declined | Unknown | Duplicate:
    code = _field(message, "actionCode")
    if message is None or code is None or not _ACTION_CODE.fullmatch(code):
        return Unknown(UnknownReason.UNREADABLE_ANSWER, raw=raw)
    if not _echoes(message, identity):
        return Unknown(UnknownReason.IDENTITY_MISMATCH, raw=raw)
    if code == DUPLICATE_CODE:
        return Duplicate(raw)
    if code in UNCLEAR_CODES:
        return Unknown(UnknownReason.UNCLEAR_CODE, raw=raw)
    if code not in APPROVAL_CODES:
        return Declined(code, raw)
    return Approved(
        network_code=code,
        approval_code=_formed(message, "approvalCode", _APPROVAL_CODE) or "",
        transaction_id=_formed(message, "transactionIdentifier", _TRANSACTION_IDENTIFIER) or "",
        raw=raw,
    )


def _read_in_progress(
    message: Mapping[str, object] | None, identity: NetworkIdentity, raw: Raw
) -> Unknown:
    # A status identifier for another instruction would make us ask after somebody else's money.
    if message is None or not _echoes(message, identity):
        return Unknown(UnknownReason.IN_PROGRESS, raw=raw)
    identifier = _formed(message, "statusIdentifier", _STATUS_IDENTIFIER)
    return Unknown(UnknownReason.IN_PROGRESS, identifier, raw)


def _unknown_status(status: int, raw: Raw) -> Unknown:
    server_error = status >= 500
    why = UnknownReason.SERVER_ERROR if server_error else UnknownReason.UNEXPECTED_STATUS
    return Unknown(why, raw=raw)


def _says_not_found(message: Mapping[str, object] | None, identity: NetworkIdentity) -> bool:
    # A proxy's or a wrong address's 404 knows nothing about our money.
    return _field(message, "errorCode") == "transaction_not_found" and (
        _field(message, "retrievalReferenceNumber"),
        _field(message, "systemsTraceAuditNumber"),
        _field(message, "acquiringBin"),
    ) == (
        identity.retrieval_reference_number,
        identity.systems_trace_audit_number,
        identity.acquiring_bin,
    )


def _echoes(message: Mapping[str, object], identity: NetworkIdentity) -> bool:
    acceptor = message.get("cardAcceptor")
    acceptor = acceptor if isinstance(acceptor, dict) else {}
    return identity == NetworkIdentity(
        acquiring_bin=_field(message, "acquiringBin") or "",
        systems_trace_audit_number=_field(message, "systemsTraceAuditNumber") or "",
        retrieval_reference_number=_field(message, "retrievalReferenceNumber") or "",
        card_acceptor_id=_field(acceptor, "idCode") or "",
        terminal_id=_field(acceptor, "terminalId") or "",
    )


def object_in(body: bytes) -> Mapping[str, object] | None:
    """The message, if the body is one: an object of JSON."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


def _field(message: Mapping[str, object] | None, name: str) -> str | None:
    value = message.get(name) if message is not None else None
    return value if isinstance(value, str) else None


def _formed(message: Mapping[str, object], name: str, form: re.Pattern[str]) -> str | None:
    value = _field(message, name)
    return value if value is not None and form.fullmatch(value) else None


def _has_form(name: str, value: str) -> bool:
    form = _FORMS.get(name)
    return form is not None and form.fullmatch(value) is not None


def _start_of(body: bytes) -> str:
    # Masked before it is cut, so that no part of a number survives at the end.
    return _masked(body[:1024].decode("utf-8", "replace"))[:_SHOWN_LENGTH]


def _masked(text: str) -> str:
    return _LIKE_A_CARD_NUMBER.sub(_MASK, text)
