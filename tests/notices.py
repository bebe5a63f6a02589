"""What a network posts about a payment, and posting it."""

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from payouts.models import Attempt, NetworkNotification, Payment
from payouts.networks.sandbox.notices import SIGNATURE_HEADER, sign
from payouts.work.notification_work import use_waiting_notifications

ADDRESS = "/networks/sandbox/notifications/"


def notice(payment: Payment, kind: str = "DECISION", **said: Any) -> bytes:
    """A notification about the payment; it approves unless told otherwise."""
    attempt = Attempt.objects.get(payment=payment)
    message = {
        "notificationType": kind,
        "amount": f"{payment.amount:.2f}",
        "actionCode": "00",
        "approvalCode": "12345S",
        "transactionIdentifier": "300000000000001",
        "acquiringBin": attempt.acquiring_bin,
        "systemsTraceAuditNumber": attempt.trace_number,
        "retrievalReferenceNumber": attempt.retrieval_reference_number,
        "cardAcceptor": {"idCode": attempt.card_acceptor_id, "terminalId": attempt.terminal_id},
        **said,
    }
    return json.dumps(message).encode()


def post(body: bytes, *, key: str | None = None, at: datetime | None = None) -> int:
    """Post it, signed by the network or with another key; return the status of the answer."""
    good = settings.SANDBOX_NOTIFICATION_KEYS[0]
    signature = sign(body, key=good if key is None else key, at=at or timezone.now())
    headers = {SIGNATURE_HEADER: signature}
    answer = Client().post(ADDRESS, body, content_type="application/json", headers=headers)
    return answer.status_code


def told(body: bytes, **named: Any) -> NetworkNotification:
    """Post it and let a worker use all that waits; return its row."""
    assert post(body, **named) == 200
    use_waiting_notifications()
    return NetworkNotification.objects.order_by("-pk")[0]
