"""What there is to prove about one push: a document of plain values, its digest, its place in the
chain. Reads only, a fixed number of statements.

The document is the same, byte for byte, whenever it is made, until something else happens to the
push: whoever holds a print of it can make it anew and compare the SHA-256. So it names the payee as
it was named then, and not as today: that stands beside the document. It holds no card number.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from consumers.audit.masking import masked, masked_text
from consumers.models import AuditEntry
from consumers.statements import fetch_rows
from payouts.audit.chain import Head, chain_head
from payouts.deciding.signatures import mark_of, part_digests, part_of
from payouts.finding.push_columns import attempt_of, maker_of
from payouts.models import ApprovalRequirement, Attempt, Decision, Event, Payment, Posting
from payouts.payee_history import Names, PayeeHistory, payee_history
from payouts.states import Status, money_moved

FORMAT: Final = "payouts evidence 3"
LOOKS_AT_MOST: Final = 50

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """Where some rows of the push stand in the chain; `block` is None while they wait for it."""

    source: str
    rows: int
    block: int | None
    hash: str


@dataclass(frozen=True, slots=True)
class Evidence:
    document: Document
    content: bytes
    payee: PayeeHistory
    links: list[Link]
    head: Head | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def evidence_of(payment: Payment, *, with_journals: bool) -> Evidence:
    """The evidence about a payment that was read with all that stands beside it."""
    events = list(Event.objects.filter(payment=payment).order_by("number"))
    requirements = list(
        ApprovalRequirement.objects.filter(payment=payment).select_related("group").order_by("pk")
    )
    signed = Decision.objects.filter(payment=payment).select_related("user", "signature")
    decisions = list(signed.order_by("pk"))
    postings = _postings(payment.pk) if with_journals else []
    payee = payee_history(payment)
    document: Document = {
        "format": FORMAT,
        "push": _push(payment, payee.made),
        "history": [_event(one) for one in events],
        "approval": [_requirement(one) for one in requirements],
        "decisions": [_decision(one, payee.seen(one)) for one in decisions],
        "network": _attempt(attempt_of(payment), payee),
        "journals": _journals(postings) if with_journals else "not for this reader",
    }
    rows = {
        "event": [one.pk for one in events],
        "requirement": [one.pk for one in requirements],
        "decision": [one.pk for one in decisions],
        "signature": [one.signature_id for one in decisions if one.signature_id is not None],
        "journal": list(dict.fromkeys(one.journal_id for one in postings)),
        "posting": [one.pk for one in postings],
        "renaming": payee.renaming_ids,
    }
    return Evidence(document, _content(document), payee, _links(rows), chain_head())


def who_looked(payment_id: UUID) -> list[AuditEntry]:
    """The newest entries of the audit trail about the push: one statement."""
    entries = AuditEntry.objects.filter(subject_id=str(payment_id)).order_by("-pk")
    return list(entries[:LOOKS_AT_MOST])


def _content(document: Document) -> bytes:
    return json.dumps(
        document, ensure_ascii=False, indent=2, sort_keys=True, default=_plain
    ).encode()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(value)


def _push(payment: Payment, made: Names) -> Document:
    card = payment.card
    return {
        "id": payment.pk,
        "partner": payment.partner.name,
        "consumer": {
            "id": payment.consumer_id,
            "name": made.full_name,
            "pcid": made.pcid,
        },
        "card": {
            "network": card.network,
            "bin": card.bin,
            "last_four": card.last4,
            "cardholder": made.cardholder_name,
        },
        "currency": "USD",
        "amount": payment.amount,
        "fee": payment.fee_amount,
        "total": payment.amount + payment.fee_amount,
        "status": payment.status,
        "money_moved": money_moved(Status(payment.status), payment.moved_otherwise).value,
        "failure": payment.failure_code,
        "network_code": payment.network_code,
        "reference": masked_text(payment.reference),
        "description": masked_text(payment.description),
        "metadata": masked(payment.metadata),
        "source": payment.source,
        "made_by": maker_of(payment),
        "request_id": payment.request_id,
        "asked_for_at": payment.created_at,
        "paid_at": payment.completed_at,
    }


def _event(event: Event) -> Document:
    return {
        "number": event.number,
        "kind": event.kind,
        "from": event.from_status,
        "to": event.to_status,
        "by": event.actor,
        "at": event.created_at,
        "details": masked(event.details),
        "request_id": event.request_id,
    }


def _requirement(one: ApprovalRequirement) -> Document:
    return {
        "rule": one.name,
        "decisions": one.decisions,
        "group": "" if one.group is None else one.group.name,
    }


def _decision(decision: Decision, seen: Names) -> Document:
    said = {
        "verdict": decision.verdict,
        "by": decision.user.get_username(),
        "at": decision.created_at,
        "reason": decision.reason,
        "payee_seen": {"name": seen.full_name, "cardholder": seen.cardholder_name},
        "sha256_of_what_was_seen": bytes(decision.digest).hex(),
    }
    signature = decision.signature
    if signature is None:
        return said
    marks, place = bytes(signature.marks), decision.place or 0
    return {
        **said,
        "mark": mark_of(decision.payment_id, bytes(decision.digest)).hex(),
        "marks_of_its_part": part_of(marks, place).hex(),
        "sha256_of_each_part": [digest.hex() for digest in part_digests(marks)],
        "signed_by_passkey": signature.passkey,
        "statement": signature.statement,
        "place_in_statement": decision.place,
        "public_key": bytes(signature.public_key).hex(),
        "authenticator_data": bytes(signature.authenticator_data).hex(),
        "client_data": bytes(signature.client_data).decode("utf-8", "replace"),
        "signature": bytes(signature.signature).hex(),
    }


def _attempt(attempt: Attempt | None, payee: PayeeHistory) -> Document | None:
    if attempt is None:
        return None
    names = (
        "network", "acquiring_bin", "retrieval_reference_number", "trace_number",
        "card_acceptor_id", "terminal_id", "state", "times_sent", "times_inquired",
        "unknown_reason", "network_code", "approval_code", "transaction_id", "answer", "sent_at",
        "answered_at",
    )  # fmt: skip
    told = {name: getattr(attempt, name) for name in names}
    # Answers are stored without card numbers; this is the second net.
    answer = masked({"answer": attempt.answer})["answer"]
    sent_to = attempt.recipient_name or payee.at(attempt.sent_at).recipient_name
    return told | {"recipient_name": sent_to, "answer": answer}


def _postings(payment_id: UUID) -> list[Posting]:
    rows = Posting.objects.filter(journal__payment_id=payment_id)
    return list(rows.select_related("journal", "account").order_by("pk"))


def _journals(postings: Sequence[Posting]) -> list[Document]:
    journals: dict[int, Document] = {}
    for posting in postings:
        journal = posting.journal
        lines: list[Document] = journals.setdefault(
            journal.pk,
            {"id": journal.pk, "kind": journal.kind, "by": journal.actor,
             "at": journal.created_at, "postings": []},
        )["postings"]  # fmt: skip
        account = " ".join(filter(None, (posting.account.kind, posting.account.network)))
        lines.append({"account": account, "amount": posting.amount})
    return list(journals.values())


_BLOCKS: Final = """
SELECT wanted.source, wanted.rows, block.number, block.hash
FROM unnest(%(sources)s::text[], %(last_ids)s::bigint[], %(rows)s::integer[])
    AS wanted(source, last_id, rows)
LEFT JOIN LATERAL (
    SELECT number, hash FROM payouts_auditblock
    WHERE source = wanted.source AND to_id >= wanted.last_id ORDER BY to_id LIMIT 1
) block ON TRUE
"""


def _links(rows: Mapping[str, Sequence[int]]) -> list[Link]:
    """The block of the newest row of each source; the older ones stand in it or before it."""
    there = {source: ids for source, ids in rows.items() if ids}
    found = fetch_rows(
        _BLOCKS,
        {
            "sources": list(there),
            "last_ids": [max(ids) for ids in there.values()],
            "rows": [len(ids) for ids in there.values()],
        },
    )
    return [
        Link(source, count, number, "" if digest is None else bytes(digest).hex())
        for source, count, number, digest in found
    ]
