"""Does what follows from a judged settlement file: payments settled or returned, cases opened.

One finding a transaction, through the operations by which a network's answers are recorded anyway.
They look at the payment as it is then: what was settled meanwhile is noted and changed by nobody.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from payouts.actors import Actor
from payouts.doubts import PAID_OTHERWISE, RETURNS, CaseKind
from payouts.models import (
    Attempt,
    Case,
    FileState,
    Payment,
    SettlementFile,
    SettlementFinding,
    SettlementLine,
)
from payouts.networks.base import Approved, NetworkIdentity
from payouts.operations.cases import Disagreement, close_as_come, open_case
from payouts.operations.late_answers import note_other_amount
from payouts.operations.locked_payment import lock_payment
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import ReturnNotice, return_payment
from payouts.operations.strangers import PAID, RETURNED, Stranger, case_told, lock_stranger
from payouts.reconciliation.settlements import CASE_OF, LineOutcome
from payouts.states import UNPAID, MoneyMoved, money_moved


def act_on_next_finding() -> SettlementFile | None:
    """Do what follows from one finding, or finish a file that has none left; None if there is none.

    Any number of workers may run this at once: each finding goes to one of them, and returns are
    seen to when every credit of the file is.
    """
    file = SettlementFile.objects.filter(state=FileState.ACTING).order_by("pk").first()
    if file is None:
        return None
    with transaction.atomic():
        finding = _next_finding(file)
        if finding is not None:
            finding.case = _acted_on(file, finding, at=timezone.now())
            finding.acted_at = timezone.now()
            finding.save(update_fields=["case", "acted_at"])
        elif not _to_do(file).exists():
            acting = SettlementFile.objects.filter(pk=file.pk, state=FileState.ACTING)
            acting.update(state=FileState.DONE, finished_at=timezone.now())
        else:
            # Somebody else has the rest under way.
            return None
    return file


def _to_do(file: SettlementFile) -> Any:
    return SettlementFinding.objects.filter(file=file, acted_at__isnull=True)


def _next_finding(file: SettlementFile) -> SettlementFinding | None:
    unlocked = _to_do(file).select_for_update(skip_locked=True, no_key=True).order_by("pk")
    first = unlocked.exclude(outcome=LineOutcome.RETURNED).first()
    if first is not None or _to_do(file).exclude(outcome=LineOutcome.RETURNED).exists():
        found: SettlementFinding | None = first
        return found
    returned: SettlementFinding | None = unlocked.first()
    return returned


def _acted_on(file: SettlementFile, finding: SettlementFinding, *, at: datetime) -> Case | None:
    line = _line(file, finding.line_number)
    # Whatever else is wrong with a credit that was missing: it is not missing any more.
    came = _come(file, finding, line, at=at)
    outcome = LineOutcome(finding.outcome)
    if outcome is LineOutcome.CAME:
        return came
    if outcome in (LineOutcome.RESOLVES, LineOutcome.CONTRADICTS):
        return _answered(file, finding, line)
    differs = outcome is LineOutcome.AMOUNT_DIFFERS
    if differs and (paid := _paid_otherwise(file, finding, line, at=at)):
        return paid
    if (told := _return_told_before(finding, line)) is not None:
        return told
    if outcome is LineOutcome.RETURNED:
        return _returned(file, finding, line)
    if outcome is LineOutcome.MISSING_HERE and (told := _told_before(file, line)) is not None:
        return told
    payment = None
    if finding.payment_id is not None:
        payment = Payment.objects.select_related("card").get(pk=finding.payment_id)
    return open_case(_disagreement(file, outcome, line, payment), at=at)


def _answered(
    file: SettlementFile, finding: SettlementFinding, line: SettlementLine | None
) -> Case | None:
    """What the network's late word does, and the case if it contradicts us."""
    assert line is not None
    assert finding.payment_id is not None
    record_outcome(finding.payment_id, _approved(file, line), actor=_actor(file))
    return _case_about(f"{finding.payment_id}|paid", [CaseKind.LATE_ANSWER])


def _returned(
    file: SettlementFile, finding: SettlementFinding, line: SettlementLine | None
) -> Case | None:
    """What the network's word of a return does, and the case if it contradicts us."""
    assert line is not None
    notice = _notice(file, line)
    return_payment(notice, actor=_actor(file))
    return _case_about(f"{finding.payment_id}|{notice.reference}", RETURNS)


def _paid_otherwise(
    file: SettlementFile, finding: SettlementFinding, line: SettlementLine | None, *, at: datetime
) -> Case | None:
    """The case about a push that ended unpaid here, and was settled with another amount than ours.

    It disputes that no money moved, and is the one that a notification of the same has opened.
    """
    if line is None or line.kind != "credit" or finding.payment_id is None:
        return None
    payment = lock_payment(finding.payment_id)
    moved = money_moved(payment.status, payment.moved_otherwise)
    if payment.status not in UNPAID or moved is MoneyMoved.YES:
        return None
    said = _approved(file, line)
    note_other_amount(payment, said, amount=line.amount, actor=_actor(file), at=at)
    subject = f"{payment.id}|{PAID_OTHERWISE}|{line.amount:.2f}"
    return _case_about(subject, [CaseKind.LATE_ANSWER])


def _told_before(file: SettlementFile, line: SettlementLine | None) -> Case | None:
    """The case about the same money that a notification has opened; others are kept out until we
    have opened ours."""
    assert line is not None
    says = PAID if line.kind == "credit" else RETURNED
    stranger = Stranger(file.network, _identity(line), says, line.amount)
    lock_stranger(stranger)
    return case_told(stranger)


def _return_told_before(finding: SettlementFinding, line: SettlementLine | None) -> Case | None:
    """The case about the return of this line that a notification has opened, closed or not."""
    if line is None or line.kind != "return" or finding.payment_id is None:
        return None
    if finding.outcome not in _RETURNS_AGAIN:
        return None
    lock_payment(finding.payment_id)
    about = Case.objects.filter(kind__in=RETURNS, payment_id=finding.payment_id, amount=line.amount)
    seen = SettlementFinding.objects.filter(case__isnull=False).values("case")
    return about.exclude(pk__in=seen).order_by("pk").first()


def _come(
    file: SettlementFile, finding: SettlementFinding, line: SettlementLine | None, *, at: datetime
) -> Case | None:
    """End the case that says that this credit is missing, which it is not any more."""
    counts = line is not None and line.kind == "credit" and finding.outcome in _COMES
    if not counts or finding.payment_id is None:
        return None
    came_with = f"file {file.reference}, line {finding.line_number}"
    subject = str(finding.payment_id)
    return close_as_come(CaseKind.MISSING_THERE, subject, came_with=came_with, at=at)


# What the line of a return can be that a notification has told of.
_RETURNS_AGAIN: Final = (LineOutcome.RETURNED, LineOutcome.AMOUNT_DIFFERS, LineOutcome.DUPLICATE)
# What a credit can be that a payment has been waiting for, right or not.
_COMES: Final = frozenset(
    {LineOutcome.CAME, LineOutcome.LATE, LineOutcome.AMOUNT_DIFFERS, LineOutcome.CURRENCY_DIFFERS}
)


def _line(file: SettlementFile, number: int | None) -> SettlementLine | None:
    return None if number is None else SettlementLine.objects.get(file=file, number=number)


def _case_about(subject: str, kinds: Collection[CaseKind]) -> Case | None:
    """The case that an operation has opened, if it found that the network contradicts us."""
    return Case.objects.filter(kind__in=kinds, subject=subject).first()


def _actor(file: SettlementFile) -> Actor:
    return Actor(f"settlement file {file.reference}")


def _approved(file: SettlementFile, line: SettlementLine) -> Approved:
    return Approved(
        "00",
        approval_code="",
        transaction_id=line.transaction_id,
        raw={
            "settlement_file": file.reference,
            "line": line.number,
            "settled_on": line.settled_on.isoformat(),
        },
    )


def _notice(file: SettlementFile, line: SettlementLine) -> ReturnNotice:
    return ReturnNotice(
        network=file.network,
        identity=_identity(line),
        amount=line.amount,
        reference=f"{file.reference} line {line.number}",
        is_settled=True,
    )


def _identity(line: SettlementLine) -> NetworkIdentity:
    return NetworkIdentity(
        line.acquiring_bin,
        line.trace_number,
        line.retrieval_reference_number,
        line.card_acceptor_id,
        line.terminal_id,
    )


def _disagreement(
    file: SettlementFile,
    outcome: LineOutcome,
    line: SettlementLine | None,
    payment: Payment | None,
) -> Disagreement:
    more = _taken_more(outcome, line, payment)
    return Disagreement(
        kind=CASE_OF[outcome],
        subject=_subject(file, outcome, line, payment),
        title=_title(outcome, line, payment),
        amount=_at_stake(outcome, more, payment),
        payment_id=None if payment is None else payment.pk,
        partner_id=None if payment is None else payment.partner_id,
        ours={} if payment is None else _ours(payment),
        theirs={
            "network": file.network,
            "file": file.reference,
            "difference": f"{more:.2f}",
            **({"says": "not settled"} if line is None else _theirs(line)),
        },
    )


_NO_DIFFERENCE: Final = (
    LineOutcome.LATE,
    LineOutcome.IDENTITY_DIFFERS,
    LineOutcome.CURRENCY_DIFFERS,
)


def _taken_more(
    outcome: LineOutcome, line: SettlementLine | None, payment: Payment | None
) -> Decimal:
    """How many dollars more than by our books the network takes by this line; less is below 0."""
    if line is None or outcome in _NO_DIFFERENCE:
        return Decimal("0.00")
    ours = payment.amount if payment is not None and outcome is LineOutcome.AMOUNT_DIFFERS else 0
    more = line.amount - ours
    return more if line.kind == "credit" else -more


def _at_stake(outcome: LineOutcome, more: Decimal, payment: Payment | None) -> Decimal:
    if outcome in (
        LineOutcome.MISSING_THERE,
        LineOutcome.CURRENCY_DIFFERS,
        LineOutcome.IDENTITY_DIFFERS,
    ):
        return Decimal(0) if payment is None else payment.amount
    return abs(more)


def _subject(
    file: SettlementFile, outcome: LineOutcome, line: SettlementLine | None, payment: Payment | None
) -> str:
    """The same whenever the same thing is found; each repeat of a line is a thing of its own."""
    if line is None:
        assert payment is not None
        return str(payment.pk)
    return f"{file.pk}|{line.number}"


def _title(outcome: LineOutcome, line: SettlementLine | None, payment: Payment | None) -> str:
    ours = Decimal(0) if payment is None else payment.amount
    if line is None:
        return f"${ours:,.2f}: paid by our books, and in no settlement file"
    theirs = f"${line.amount:,.2f}"
    match outcome:
        case LineOutcome.AMOUNT_DIFFERS:
            return f"${ours:,.2f}: the network settled {theirs}"
        case LineOutcome.CURRENCY_DIFFERS:
            return f"${ours:,.2f}: the network settled {line.amount:,.2f} {line.currency}"
        case LineOutcome.IDENTITY_DIFFERS:
            return f"${ours:,.2f}: settled under an identity that is not ours"
        case LineOutcome.LATE:
            return f"${ours:,.2f}: settled on {line.settled_on:%d %b %Y}, another day"
        case LineOutcome.DUPLICATE:
            return f"{theirs}: the network settled the same {line.kind} again"
        case _:
            return f"{theirs}: a {line.kind} that nobody here knows"


def _ours(payment: Payment) -> dict[str, str]:
    attempt = Attempt.objects.get(pk=payment.pk)
    completed_at = payment.completed_at
    return {
        "status": payment.status,
        "amount": f"{payment.amount:.2f}",
        "completed_at": "" if completed_at is None else f"{completed_at:%Y-%m-%d %H:%M:%S} UTC",
        "retrieval_reference_number": attempt.retrieval_reference_number,
        "trace_number": attempt.trace_number,
        "terminal": attempt.terminal_id,
        "card": payment.card.last4,
    }


def _theirs(line: SettlementLine) -> dict[str, str]:
    return {
        "line": str(line.number),
        "says": line.kind,
        "amount": f"{line.amount:.2f} {line.currency}",
        "settled_on": line.settled_on.isoformat(),
        "retrieval_reference_number": line.retrieval_reference_number,
        "trace_number": line.trace_number,
        "terminal": line.terminal_id,
        "card": line.card_last4,
        "transaction": line.transaction_id,
    }
