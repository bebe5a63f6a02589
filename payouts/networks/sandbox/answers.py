"""What the sandbox network's answers look like on the wire, and how a fault spoils them.

Pure: an entry of the book goes in, bytes or a breakage come out. The shape is Visa Direct's: HTTP
200 does not mean paid, only `actionCode` says so. No answer ever holds a whole card number.
"""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from payouts.declines import DUPLICATE_CODE
from payouts.networks.base import NetworkIdentity
from payouts.networks.sandbox.behaviour import APPROVED, CardAnswer, Fault, is_approval
from payouts.networks.sandbox.entries import Entry
from payouts.networks.sandbox.notices import DECISION
from payouts.networks.sandbox.wire import Answer, Breakage, Reply, Sending

OTHER_DECLINE = "05"

_FAST_FUNDS_INDICATORS = {"fast_funds": "D", "standard": "N", "not_supported": "N"}
_CARD_TYPE_CODES = {"debit": "D", "prepaid": "P", "credit": "C"}

_BREAKAGES = {
    Fault.ANSWER_LOST: Breakage.SILENCE,
    Fault.RESET_BEFORE: Breakage.RESET,
    Fault.RESET_AFTER: Breakage.RESET,
    Fault.GARBAGE: Breakage.GARBAGE,
    Fault.HIDDEN_ONCE: Breakage.RESET,
    Fault.HIDDEN_LONG: Breakage.RESET,
    Fault.CLOSED_AFTER: Breakage.CLOSE,
    Fault.RETURNED_UNSEEN: Breakage.RESET,
}


def as_json(content: Mapping[str, object], *, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(content))


def refused(error_code: str, *, status: int, names: tuple[str, ...] = ()) -> Answer:
    """An answer that says that nothing was done, and why."""
    return as_json({"errorCode": error_code, "fields": names}, status=status)


def decided(entry: Entry) -> Answer:
    """The answer to a push that has been decided; the same for every repeat."""
    return as_json(_decision(entry))


def in_progress(entry: Entry) -> Answer:
    """The answer of a network that is still at it: ask with the status identifier."""
    return as_json(
        {"statusIdentifier": entry.status_identifier, **_identity(_identity_of(entry))}, status=202
    )


def still_running(entry: Entry) -> Answer:
    """The answer to a repeat that came while the first call is still being worked on."""
    return as_json({"errorCode": "still_running", **_identity(_identity_of(entry))}, status=303)


def duplicate(identity: NetworkIdentity) -> Answer:
    """The answer to an identity that the network says it has had before."""
    return as_json({"actionCode": DUPLICATE_CODE, "responseCode": "5", **_identity(identity)})


def inquired(entry: Entry) -> Answer:
    """The answer to an inquiry by identity or by status identifier."""
    content = {
        "amount": f"{entry.amount_cents // 100}.{entry.amount_cents % 100:02d}",
        "transactionCurrencyCode": entry.currency,
        "recipientLastFour": entry.card_last4,
    }
    if entry.code is None:
        content |= {"statusCode": "PENDING", "statusIdentifier": entry.status_identifier}
        return as_json({**content, **_identity(_identity_of(entry))})
    return as_json({**content, "statusCode": "COMPLETED", **_decision(entry)})


def told(entry: Entry, kind: str, *, returned: bool = False) -> bytes:
    """What the network posts by itself about an instruction, ready to be signed."""
    content: dict[str, object] = {
        "notificationType": kind,
        "amount": f"{entry.amount_cents // 100}.{entry.amount_cents % 100:02d}",
        "transactionCurrencyCode": entry.currency,
        "recipientLastFour": entry.card_last4,
        "statusIdentifier": entry.status_identifier,
    }
    if returned:
        content["returnReference"] = f"RET{entry.id:09d}"
    decision = _decision(entry) if kind == DECISION else _identity(_identity_of(entry))
    return orjson.dumps({**content, **decision})


def as_planned(entry: Entry) -> Entry:
    """The entry as if it had been decided already."""
    return replace(entry, code=entry.planned_code)


def opposite(entry: Entry) -> Entry:
    """The entry as if the other thing had been decided."""
    assert entry.code is not None
    return replace(entry, code=OTHER_DECLINE if is_approval(entry.code) else APPROVED)


def not_found(query: Mapping[str, str]) -> Answer:
    """The network knows nothing of this identity; the echo proves that it looked for ours."""
    return as_json(
        {
            "errorCode": "transaction_not_found",
            "retrievalReferenceNumber": query.get("rrn", ""),
            "systemsTraceAuditNumber": query.get("stan", ""),
            "acquiringBin": query.get("acquiringBIN", ""),
        },
        status=404,
    )


def card_attributes(answer: CardAnswer) -> Answer:
    """The answer to an attributes inquiry."""
    return as_json(
        {
            "pushFundsBlockIndicator": "Y" if answer.speed == "not_supported" else "N",
            "fastFundsIndicator": _FAST_FUNDS_INDICATORS[answer.speed],
            "cardTypeCode": _CARD_TYPE_CODES[answer.card_type],
        }
    )


def spoiled(entry: Entry, fault: Fault | None) -> Reply:
    """What the client of a decided or dropped instruction gets when this fault strikes."""
    if fault in _BREAKAGES:
        return _BREAKAGES[fault]
    if fault in (Fault.CALLED_DUPLICATE, Fault.CALLED_DUPLICATE_BEFORE):
        return duplicate(_identity_of(entry))
    if fault in (Fault.ERROR_BEFORE, Fault.FORBIDDEN_BEFORE):
        return refused("unavailable", status=503 if fault is Fault.ERROR_BEFORE else 403)
    return _spoiled_answer(entry, decided(entry), fault)


def _spoiled_answer(entry: Entry, answer: Answer, fault: Fault | None) -> Answer:
    if fault is Fault.ERROR_AFTER:
        return refused("internal_error", status=500)
    if fault is Fault.HTML:
        body = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
        return Answer(200, body, content_type="text/html")
    if fault is Fault.EMPTY:
        return replace(answer, body=b"")
    if fault is Fault.TRUNCATED:
        return replace(answer, sending=Sending.TRUNCATED)
    if fault is Fault.SLOW_DRIP:
        return replace(answer, sending=Sending.DRIPPED)
    if fault is Fault.CONTRADICTED:
        return decided(opposite(entry))
    if fault is Fault.NO_CODE:
        return as_json({**_decision(entry), "actionCode": None})
    if fault is Fault.WRONG_IDENTITY:
        return as_json({**_decision(entry), **_identity(_other_identity(entry))})
    return answer


def _decision(entry: Entry) -> dict[str, object]:
    assert entry.code is not None
    approval = {"approvalCode": entry.approval_code} if is_approval(entry.code) else {}
    return {
        "transactionIdentifier": entry.transaction_identifier,
        "actionCode": entry.code,
        **approval,
        "responseCode": "5",
        "transmissionDateTime": entry.decided_at,
        **_identity(_identity_of(entry)),
    }


def _identity_of(entry: Entry) -> NetworkIdentity:
    return NetworkIdentity(
        acquiring_bin=entry.acquiring_bin,
        systems_trace_audit_number=entry.systems_trace_audit_number,
        retrieval_reference_number=entry.retrieval_reference_number,
        card_acceptor_id=entry.card_acceptor_id,
        terminal_id=entry.terminal_id,
    )


def _other_identity(entry: Entry) -> NetworkIdentity:
    trace_number = f"{(int(entry.systems_trace_audit_number) + 1) % 1_000_000:06d}"
    return replace(_identity_of(entry), systems_trace_audit_number=trace_number)


def _identity(identity: NetworkIdentity) -> dict[str, object]:
    return {
        "acquiringBin": identity.acquiring_bin,
        "systemsTraceAuditNumber": identity.systems_trace_audit_number,
        "retrievalReferenceNumber": identity.retrieval_reference_number,
        "cardAcceptor": {
            "idCode": identity.card_acceptor_id,
            "terminalId": identity.terminal_id,
        },
    }
