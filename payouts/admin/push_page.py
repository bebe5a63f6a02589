"""What the page of one push shows: read by a fixed number of statements, shaped for a template."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString

from consumers.admin.actors import actor_words
from consumers.admin.base import label
from payouts.admin.push_cells import status_shown
from payouts.admin.words import (
    ACCOUNT_WORDS,
    ATTEMPT_TONES,
    CAME_TO_WORDS,
    EVENT_WORDS,
    JOURNAL_TONES,
    MEANING_WORDS,
    STATUS_TONES,
    masked,
    pretty,
    status_means,
)
from payouts.approvals import Progress
from payouts.backoffice.doubt_words import FOUND_WORDS
from payouts.backoffice.words import ANYBODY, SOURCE_WORDS, rule_words
from payouts.deciding.approvers import Standing, standing_of
from payouts.declines import OWN_FAILURES, Decline, decline_for
from payouts.models import (
    ApprovalRequirement,
    Attempt,
    Case,
    Decision,
    Event,
    NetworkNotification,
    Payment,
    Posting,
)
from payouts.operations.decide import subject_digest
from payouts.payee_history import Names, PayeeHistory, payee_history
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the history."""

    words: str
    status: SafeString | None
    actor: str
    at: datetime
    details: list[tuple[str, str]]
    notification_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal, in dollars: either a debit or a credit."""

    account: str
    debit: Decimal | None
    credit: Decimal | None


@dataclass(frozen=True, slots=True)
class JournalTable:
    id: int
    kind: SafeString
    actor: str
    at: datetime
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who had to decide: which rule asked, whom, and for how many decisions.

    `given` of these count now; None once the push does not wait any more.
    """

    by: str
    whom: str
    decisions: int
    given: int | None
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and whom it was about; empty if the payee had the names of the push's making.

    `has_lapsed`: an approval that counts no more, because card or consumer were edited.
    """

    decision: Decision
    about: str
    has_lapsed: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """What the rules asked of people, and what people said."""

    asked: list[Asked]
    decisions: list[Decided]


@dataclass(frozen=True, slots=True)
class PushPage:
    payment: Payment
    payee: PayeeHistory
    total: Decimal
    status: SafeString
    means: str
    maker: str
    source: str
    failure: Decline | None
    history: list[Moment]
    approval: Approval | None
    attempt: Attempt | None
    attempt_state: SafeString | None
    answer: str
    journals: list[JournalTable] | None
    case_id: UUID | None
    next_look_seconds: int | None

    @property
    def is_in_doubt(self) -> bool:
        """Whether people may ask the network, or say what became of it."""
        return self.payment.status == Status.UNKNOWN.value

    @property
    def can_come_back(self) -> bool:
        return self.payment.status == Status.COMPLETED.value


_DETAIL_WORDS: Final = {"requirements": "because of", "found": "the answer was:", "why": "because"}
NOTIFICATIONS_SHOWN: Final = 50
# What moves by itself is looked at often, what waits for people or for an inquiry less so, and what
# is final not again.
_NEXT_LOOK_SECONDS: Final = {
    Status.PENDING.value: 1,
    Status.SUBMITTED.value: 1,
    Status.PENDING_APPROVAL.value: 5,
    Status.UNKNOWN.value: 5,
}


def push_rows() -> QuerySet[Payment]:
    """Payments with all that stands beside them in one row, and nothing that is sealed."""
    return Payment.objects.select_related(
        "partner", "consumer", "card", "maker_client", "maker_user", "attempt"
    ).defer(
        "consumer__search_vector",
        "consumer__tax_identifier_sealed",
        "card__ciphertext",
        "card__wrapped_key",
    )


def push_page(payment: Payment, *, with_journals: bool) -> PushPage:
    """Read what belongs to a payment that `push_rows` gave: five statements, two more if people
    had to decide, five more while they may, one if its money is disputed, and one each for the
    names of staff in the history and in the journals."""
    payee = payee_history(payment)
    attempt = getattr(payment, "attempt", None)
    asks = payment.approval_expires_at is not None
    return PushPage(
        payment=payment,
        payee=payee,
        total=payment.amount + payment.fee_amount,
        status=status_shown(payment),
        means=status_means(
            payment.status,
            payment.moved_otherwise,
            attempt_state="" if attempt is None else attempt.state,
        ),
        maker=_maker(payment),
        source=SOURCE_WORDS[payment.source],
        failure=_failure(payment),
        history=_history(payment.pk),
        approval=_approval(payment, payee, timezone.now()) if asks else None,
        attempt=attempt,
        attempt_state=None if attempt is None else label(attempt.state, ATTEMPT_TONES),
        answer="" if attempt is None or attempt.answer is None else pretty(attempt.answer),
        journals=_journals(payment.pk) if with_journals else None,
        case_id=_newest_case(payment.pk) if payment.moved_otherwise else None,
        next_look_seconds=_NEXT_LOOK_SECONDS.get(payment.status),
    )


def _maker(payment: Payment) -> str:
    if payment.maker_user is not None:
        return payment.maker_user.get_full_name() or payment.maker_user.get_username()
    if payment.maker_client is not None:
        return payment.maker_client.name
    return ""


def _failure(payment: Payment) -> Decline | None:
    if payment.status != Status.FAILED.value:
        return None
    if payment.failure_code in OWN_FAILURES:
        return OWN_FAILURES[payment.failure_code]
    return decline_for(payment.network_code)


def _history(payment_id: UUID) -> list[Moment]:
    """What happened, and what the network told by itself, whether anything came of it or not."""
    told = _notifications(payment_id)
    return sorted([*told, *_events(payment_id)], key=lambda moment: moment.at)


def _notifications(payment_id: UUID) -> list[Moment]:
    rows = NetworkNotification.objects.filter(payment_id=payment_id).defer("sealed").order_by("pk")
    return [
        Moment(
            words=f"The network told by itself: {MEANING_WORDS[row.meaning]}",
            status=None,
            actor=f"network: {row.network}" if row.is_genuine else "somebody, unsigned",
            at=row.received_at,
            details=[
                ("came to", CAME_TO_WORDS[row.came_to]),
                *([("received", f"{row.times_received} times")] if row.times_received > 1 else []),
            ],
            notification_id=row.pk,
        )
        for row in rows[:NOTIFICATIONS_SHOWN]
    ]


def _events(payment_id: UUID) -> list[Moment]:
    events = list(Event.objects.filter(payment_id=payment_id).order_by("number"))
    actors = actor_words({event.actor for event in events})
    return [
        Moment(
            words=EVENT_WORDS.get(event.kind, event.kind.replace("_", " ")),
            status=label(event.to_status, STATUS_TONES)
            if event.from_status != event.to_status
            else None,
            actor=actors[event.actor],
            at=event.created_at,
            details=_detail_lines(event.details),
        )
        for event in events
    ]


def _detail_lines(details: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (_DETAIL_WORDS.get(name, name.replace("_", " ")), _as_text(value))
        for name, value in masked(details).items()
        if value not in (None, "", [], {})
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        # What an approval asks for; the page lists it in full elsewhere.
        return ", ".join(
            rule_words(str(one["name"])) if isinstance(one, dict) and "name" in one else str(one)
            for one in value
        )
    if not isinstance(value, str):
        return pretty(value)
    return FOUND_WORDS.get(value, value.replace("_", " "))


def _approval(payment: Payment, payee: PayeeHistory, at: datetime) -> Approval:
    rows = ApprovalRequirement.objects.filter(payment=payment).select_related("group")
    asked = list(rows.order_by("pk"))
    decisions = _decisions(payment.pk)
    standing = _standing(payment, asked, decisions, at)
    lapsed = frozenset() if standing is None else standing.lapsed_ids
    counted = [None] * len(asked) if standing is None else standing.counted
    return Approval(
        asked=[_asked(row, one) for row, one in zip(asked, counted, strict=True)],
        decisions=[
            Decided(one, _about(payee.seen(one), payee.made), one.pk in lapsed) for one in decisions
        ],
    )


def _standing(
    payment: Payment,
    asked: list[ApprovalRequirement],
    decisions: list[Decision],
    at: datetime,
) -> Standing | None:
    """How far the decisions are; None when nobody can decide any more."""
    expires_at = payment.approval_expires_at
    if payment.status != Status.PENDING_APPROVAL.value or expires_at is None or expires_at <= at:
        return None
    digest = subject_digest(payment)
    return standing_of(payment, digest=digest, asked=asked, decisions=decisions, at=at)


def _asked(row: ApprovalRequirement, counted: Progress | None) -> Asked:
    return Asked(
        by=rule_words(row.name),
        whom=ANYBODY if row.group is None else row.group.name,
        decisions=row.decisions,
        given=None if counted is None else counted.given,
        is_blocked=counted is not None and counted.is_blocked,
    )


def _decisions(payment_id: UUID) -> list[Decision]:
    rows = Decision.objects.filter(payment_id=payment_id)
    people = rows.select_related("user", "signature").defer("signature__marks")
    return list(people.order_by("pk"))


def _about(seen: Names, made: Names) -> str:
    return "" if seen.as_decided == made.as_decided else seen.as_decided


def _newest_case(payment_id: UUID) -> UUID | None:
    cases = Case.objects.filter(payment_id=payment_id).order_by("-state", "-pk")
    return cases.values_list("pk", flat=True).first()


def _journals(payment_id: UUID) -> list[JournalTable]:
    postings = list(
        Posting.objects.filter(journal__payment_id=payment_id)
        .select_related("journal", "account")
        .order_by("pk")
    )
    actors = actor_words({posting.journal.actor for posting in postings})
    tables: dict[int, JournalTable] = {}
    for posting in postings:
        journal = posting.journal
        table = tables.setdefault(
            journal.pk,
            JournalTable(
                journal.pk,
                label(journal.kind, JOURNAL_TONES),
                actors[journal.actor],
                journal.created_at,
                [],
            ),
        )
        table.lines.append(posting_line(posting))
    return list(tables.values())


def posting_line(posting: Posting) -> Line:
    """A signed posting as a debit or a credit."""
    kind = posting.account.kind
    name = " ".join(filter(None, (ACCOUNT_WORDS.get(kind, kind), posting.account.network)))
    is_debit = posting.amount > 0
    return Line(
        account=name,
        debit=posting.amount if is_debit else None,
        credit=None if is_debit else -posting.amount,
    )
