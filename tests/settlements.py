"""Builders for tests about settlement files: what a network that credited everything would send."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from payouts.models import Attempt, Payment, SettlementFile, SettlementFinding
from payouts.networks.sandbox.settlement import CREDIT, Header, Line, Window, file_text
from payouts.operations.reconciliation.brought_files import FileUpload
from payouts.operations.reconciliation.take_settlement import take_settlement
from payouts.work.settlement_work import work_on_settlements


def window_around_now() -> Window:
    """From yesterday to tomorrow: everything that a test makes lies well in it."""
    now = timezone.now().astimezone(UTC).replace(microsecond=0)
    return Window(now - timedelta(days=1), now + timedelta(days=1))


def line_about(payment: Payment, **changes: Any) -> Line:
    """The line of a network that credited the payment."""
    attempt = Attempt.objects.get(pk=payment.pk)
    line = Line(
        CREDIT,
        attempt.acquiring_bin,
        attempt.trace_number,
        attempt.retrieval_reference_number,
        attempt.card_acceptor_id,
        attempt.terminal_id,
        "300000000000001",
        "",
        int(payment.amount * 100),
        "USD",
        (payment.completed_at or timezone.now()).astimezone(UTC).date(),
        payment.card.last4,
    )
    return line._replace(**changes)


def settlement_of(
    lines: Iterable[Line], *, window: Window | None = None, reference: str = "S1", **header: Any
) -> bytes:
    """A whole file, made when its window was over."""
    window = window or window_around_now()
    named = {
        "acquiring_bin": "408999",
        "card_acceptor_id": "PAYOUTS00000001",
        "made_at": window.ends_at,
        **header,
    }
    head = Header(window=window, reference=reference, **named)
    return "".join(file_text(head, lines)).encode()


def bring(content: bytes, **upload: Any) -> SettlementFile:
    """Take the file in, and do all that follows."""
    taken = take_settlement(FileUpload("settlement.csv", content, **upload))
    work_on_settlements()
    return SettlementFile.objects.get(pk=taken.file.pk)


def findings_of(file: SettlementFile) -> list[str]:
    """What is not simply right, in the order in which it was found."""
    found = SettlementFinding.objects.filter(file=file).order_by("pk")
    return list(found.values_list("outcome", flat=True))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
