"""What waits for people: rows of the queue with who asked, who may decide, and how far each is.

A page costs a fixed number of statements, however long the queue is. It is ordered by what expires
first, and pages by that; the index on due payments gives both.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet, Sum

from payouts.approvals import (
    POSSIBLE_DUPLICATE,
    Approver,
    Progress,
    bar_to_deciding,
    progress,
    who_can_decide,
)
from payouts.backoffice.payees import has_been_paid
from payouts.backoffice.words import BAR_WORDS, NOT_COUNTED, SOURCE_WORDS, rule_words
from payouts.deciding.approvers import (
    Editors,
    approver_of,
    editors_of,
    is_valid_yes,
    matter_of,
    name_of,
    open_to,
    people_named,
    permitted_approvers,
    required,
    waiting,
)
from payouts.models import ApprovalRequirement, Decision, Payment
from payouts.operations.decide import subject_digest

ROWS_SHOWN: Final = 25
COUNTED_AT_MOST: Final = 1000
URGENT_WITHIN: Final = timedelta(days=1)

# What a row shows and its digest is made of, and nothing that is sealed.
_COLUMNS: Final = (
    "amount", "fee_amount", "status", "source", "reference", "description", "created_at",
    "approval_expires_at", "maker_user_id", "maker_client_id",
    "partner__name", "consumer__first_name", "consumer__last_name", "consumer__pcid",
    "card__network", "card__bin", "card__last4", "card__cardholder_name", "card__fingerprint",
    "card__edited_by_user_id", "consumer__edited_by_user_id", "maker_client__name",
    "maker_user__first_name", "maker_user__last_name", "maker_user__username",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ask:
    """One requirement of a push: which rule, which group if any, how many it has and needs.

    `is_about_twins`: asked because the push may be a repetition.
    """

    why: str
    is_about_twins: bool
    group: str
    given: int
    needed: int
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One push of the queue, as the one who looks at it stands to it.

    `hindrance` says why that person cannot decide, if so; `is_of_use` whether a yes would bring it
    further, `is_last` whether it would then be sent, `is_urgent` whether it expires within a day.
    """

    payment: Payment
    digest: str
    maker: str
    source: str
    is_first_time: bool
    asks: list[Ask]
    approved_by: list[str]
    hindrance: str
    is_of_use: bool
    is_last: bool
    is_urgent: bool

    @property
    def is_blocked(self) -> bool:
        return any(ask.is_blocked for ask in self.asks)

    @property
    def note(self) -> str:
        """What is to be said to whoever looks before they decide; empty: nothing is."""
        return self.hindrance or ("" if self.is_of_use else NOT_COUNTED)

    @property
    def alike(self) -> str:
        """What finds the pushes of this amount to this person in the list of pushes."""
        return f"{self.payment.consumer.full_name} ${self.payment.amount:,.2f}"

    @property
    def mark(self) -> str:
        """What a form sends back: which push, and what was on the screen about it."""
        return f"{self.payment.pk}.{self.digest}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody is about to decide: pushes in dollars, summed up as a person looks at them."""

    rows: list[Row]

    @property
    def total(self) -> Decimal:
        return sum((row.payment.amount for row in self.rows), Decimal(0))

    @property
    def fees(self) -> Decimal:
        return sum((row.payment.fee_amount for row in self.rows), Decimal(0))

    @property
    def largest(self) -> Row:
        return max(self.rows, key=lambda row: row.payment.amount)

    @property
    def first_time(self) -> int:
        """How many cards nothing was ever paid to, however many of the pushes go there."""
        return len({row.payment.card_id for row in self.rows if row.is_first_time})

    @property
    def finally_sent(self) -> int:
        """How many go out at once with this person's yes."""
        return sum(row.is_last for row in self.rows)


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the first `COUNTED_AT_MOST`: how many, dollars in all, the largest, first-time cards."""

    count: int
    total: Decimal
    largest: Decimal
    first_time: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some rows of the queue, and the keys to begin its neighbours from; None if there is none."""

    rows: list[Row]
    earlier: UUID | None
    later: UUID | None


def rows_waiting(*, at: datetime, partner_id: UUID | None) -> QuerySet[Payment]:
    """Everything that waits for somebody."""
    rows = waiting(Payment.objects.all(), at=at)
    return rows if partner_id is None else rows.filter(partner_id=partner_id)


def rows_open_to(person: User, *, at: datetime, partner_id: UUID | None) -> QuerySet[Payment]:
    """What waits and this person may decide about."""
    return open_to(person.pk, rows_waiting(at=at, partner_id=partner_id), at=at)


def summary(rows: QuerySet[Payment]) -> Summary:
    """Sum up with a bound, in one statement."""
    some = rows.annotate(was_paid=has_been_paid("card_id")).order_by("due_at", "pk")
    sums = some[: COUNTED_AT_MOST + 1].aggregate(
        count=Count("pk"),
        total=Sum("amount"),
        largest=Max("amount"),
        first_time=Count("card_id", filter=Q(was_paid=False), distinct=True),
    )
    zero = Decimal(0)
    return Summary(
        count=min(sums["count"], COUNTED_AT_MOST),
        total=sums["total"] or zero,
        largest=sums["largest"] or zero,
        first_time=sums["first_time"],
        is_exact=sums["count"] <= COUNTED_AT_MOST,
    )


def count(rows: QuerySet[Payment]) -> int:
    """Count with a bound."""
    return rows.order_by()[: COUNTED_AT_MOST + 1].count()


def queue_page(
    rows: QuerySet[Payment],
    person: User,
    *,
    at: datetime,
    after: UUID | None = None,
    before: UUID | None = None,
) -> QueuePage:
    """The rows next to a key, or the first ones; a key that is gone from the queue still works."""
    ordered = rows.order_by("due_at", "pk")
    if before is not None and (place := _place(before)) is not None:
        backwards = ordered.filter(_is_before(*place)).order_by("-due_at", "-pk")
        found = list(backwards.values_list("pk", flat=True)[: ROWS_SHOWN + 1])
        ids = found[:ROWS_SHOWN][::-1]
        return _page(ids, person, at, has_earlier=len(found) > ROWS_SHOWN, has_later=True)
    place = None if after is None else _place(after)
    if place is not None:
        ordered = ordered.filter(_is_after(*place))
    found = list(ordered.values_list("pk", flat=True)[: ROWS_SHOWN + 1])
    return _page(
        found[:ROWS_SHOWN],
        person,
        at,
        has_earlier=place is not None,
        has_later=len(found) > ROWS_SHOWN,
    )


def queue_rows(payment_ids: Sequence[UUID], person: User, *, at: datetime) -> list[Row]:
    """These pushes as the queue shows them, in the given order; what does not exist is left out.

    Eight statements for any number.
    """
    payments = {row.pk: row for row in _payments(payment_ids)}
    asked: dict[UUID, list[ApprovalRequirement]] = defaultdict(list)
    for requirement in _requirements(payment_ids):
        asked[requirement.payment_id].append(requirement)
    decisions: dict[UUID, list[Decision]] = defaultdict(list)
    for decision in Decision.objects.filter(payment_id__in=payment_ids).order_by("pk"):
        decisions[decision.payment_id].append(decision)
    editors = editors_of(payments.values())
    decided = {one.user_id for of_push in decisions.values() for one in of_push}
    look = _Look(
        at=at,
        person=approver_of(person),
        everybody=permitted_approvers(),
        decided={one.user_id: one for one in people_named(decided)},
    )
    return [
        _row(payments[key], asked[key], decisions[key], editors[key], look)
        for key in payment_ids
        if key in payments
    ]


@dataclass(frozen=True, slots=True)
class _Look:
    """Who looks and when, everybody who may approve, and everybody who has decided something."""

    at: datetime
    person: Approver
    everybody: list[Approver]
    decided: dict[int, Approver]


def _row(
    payment: Payment,
    asked: list[ApprovalRequirement],
    decisions: list[Decision],
    editors: Editors,
    look: _Look,
) -> Row:
    digest = subject_digest(payment)
    matter = matter_of(payment, digest=digest, decisions=decisions, editors=editors, at=look.at)
    valid = [look.decided[one.user_id] for one in decisions if is_valid_yes(one, editors, digest)]
    could = who_can_decide(matter, look.everybody)
    me = [one for one in could if one.user_id == look.person.user_id]
    requirements = [required(row) for row in asked]
    now = progress(requirements, approved_by=valid, can_decide=could)
    then = progress(requirements, approved_by=[*valid, *me], can_decide=())
    bar = bar_to_deciding(look.person, matter)
    return Row(
        payment=payment,
        digest=digest.hex(),
        maker=_maker(payment),
        source=SOURCE_WORDS[payment.source],
        is_first_time=not payment.was_paid,  # type: ignore[attr-defined]
        asks=[_ask(row, one) for row, one in zip(asked, now, strict=True)],
        approved_by=[one.name for one in valid],
        hindrance="" if bar is None else BAR_WORDS[bar],
        is_of_use=any(
            after.given > before.given
            for before, after in zip(now, then, strict=True)
            if not before.is_met
        ),
        is_last=all(one.is_met for one in then),
        is_urgent=payment.approval_expires_at is not None
        and payment.approval_expires_at - look.at < URGENT_WITHIN,
    )


def _ask(row: ApprovalRequirement, counted: Progress) -> Ask:
    return Ask(
        why=rule_words(row.name),
        is_about_twins=row.name == POSSIBLE_DUPLICATE.name,
        group=row.group.name if row.group else "",
        given=counted.given,
        needed=row.decisions,
        is_blocked=counted.is_blocked,
    )


def _payments(payment_ids: Iterable[UUID]) -> QuerySet[Payment]:
    rows = Payment.objects.filter(pk__in=list(payment_ids))
    beside = rows.select_related("partner", "consumer", "card", "maker_client", "maker_user")
    return beside.only(*_COLUMNS).annotate(was_paid=has_been_paid("card_id"))


def _requirements(payment_ids: Iterable[UUID]) -> QuerySet[ApprovalRequirement]:
    rows = ApprovalRequirement.objects.filter(payment_id__in=list(payment_ids))
    return rows.select_related("group").order_by("pk")


def _maker(payment: Payment) -> str:
    if payment.maker_user is not None:
        return name_of(payment.maker_user)
    return payment.maker_client.name if payment.maker_client is not None else "Somebody"


def _page(
    ids: list[UUID], person: User, at: datetime, *, has_earlier: bool, has_later: bool
) -> QueuePage:
    return QueuePage(
        rows=queue_rows(ids, person, at=at),
        earlier=ids[0] if ids and has_earlier else None,
        later=ids[-1] if ids and has_later else None,
    )


def _place(key: UUID) -> tuple[datetime, UUID] | None:
    expiries = Payment.objects.filter(pk=key).values_list("approval_expires_at", flat=True)
    expires_at = expiries.first()
    return None if expires_at is None else (expires_at, key)


def _is_after(due_at: datetime, key: UUID) -> Q:
    return Q(due_at__gte=due_at) & (Q(due_at__gt=due_at) | Q(pk__gt=key))


def _is_before(due_at: datetime, key: UUID) -> Q:
    return Q(due_at__lte=due_at) & (Q(due_at__lt=due_at) | Q(pk__lt=key))
