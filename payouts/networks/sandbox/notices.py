"""What the sandbox network posts by itself: how it is signed, and what it says. Both ends use it.

Pure. The signature is `t=<unix seconds>,v1=<hex>`, HMAC-SHA256 of `t.body` with a key that the
network and we share; during a rotation either of several keys is good.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from payouts.networks.base import (
    Approved,
    Declined,
    NetworkIdentity,
    Notice,
    Returned,
    Unknown,
    UnknownReason,
)
from payouts.networks.sandbox import reading
from payouts.networks.sandbox.reading import Duplicate, WireAnswer

SIGNATURE_HEADER: Final = "Network-Signature"
# Also what was sent days late is signed when it is sent.
FRESH_SECONDS: Final = 300
DECISION: Final = "DECISION"
IN_PROGRESS: Final = "IN_PROGRESS"
RETURN: Final = "RETURN"

_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_AMOUNT = re.compile(r"(?!0+\.00)[0-9]{1,9}\.[0-9]{2}")
_REFERENCE = re.compile(r"[0-9A-Za-z-]{1,64}")


def sign(body: bytes, *, key: str, at: datetime) -> str:
    """The value of the signature's header for this body, sent now."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(seconds, body, key)}"


def is_signed(body: bytes, *, signature: str, keys: Sequence[str], at: datetime) -> bool:
    """Whether somebody who knows one of the keys has signed this body within five minutes."""
    match = _SIGNATURE.fullmatch(signature)
    if match is None or abs(at.timestamp() - int(match[1])) > FRESH_SECONDS:
        return False
    seconds, signed = int(match[1]), match[2]
    return any(hmac.compare_digest(_digest(seconds, body, key), signed) for key in keys)


def read_notice(body: bytes) -> Notice | None:
    """What a notification says; None if nobody can read it."""
    message = reading.object_in(body)
    identity = None if message is None else _identity(message)
    if message is None or identity is None:
        return None
    amount = _amount(message.get("amount"))
    says = _says(message, body, identity, amount)
    return None if says is None else Notice(identity, says, amount)


def _says(
    message: Mapping[str, object], body: bytes, identity: NetworkIdentity, amount: Decimal | None
) -> Approved | Declined | Unknown | Returned | None:
    answer = WireAnswer(200, body, 0)
    kind = message.get("notificationType")
    if kind == IN_PROGRESS:
        return Unknown(UnknownReason.IN_PROGRESS)
    if kind == RETURN:
        reference = message.get("returnReference")
        if amount is None or not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
            return None
        return Returned(amount, reference, reading.shown(answer, message))
    if kind != DECISION:
        return None
    decision = reading.read_push(answer, identity)
    return None if isinstance(decision, Duplicate | Unknown) else decision


def _digest(seconds: int, body: bytes, key: str) -> str:
    return hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def _amount(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and _AMOUNT.fullmatch(value) else None


def _identity(message: Mapping[str, object]) -> NetworkIdentity | None:
    acceptor = message.get("cardAcceptor")
    within = acceptor if isinstance(acceptor, dict) else {}
    values = [
        message.get("acquiringBin"),
        message.get("systemsTraceAuditNumber"),
        message.get("retrievalReferenceNumber"),
        within.get("idCode"),
        within.get("terminalId"),
    ]
    texts = [value for value in values if isinstance(value, str) and 0 < len(value) <= 15]
    # PostgreSQL stores no NUL, so nothing of ours has one.
    if len(texts) != len(values) or any(not text.isprintable() for text in texts):
        return None
    return NetworkIdentity(*texts)
