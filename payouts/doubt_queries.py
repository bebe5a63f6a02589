"""What is asked about doubts: every unclear push, what was asked and answered so far, and cases.

Reads only, by a fixed number of statements a page.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, Sum

from payouts.changes import ChangeState
from payouts.doubts import CaseState
from payouts.models import Case, ChangeRequest, Event, EventKind, Payment
from payouts.models.changes import CLOSING, RESOLUTION, RETURN
from payouts.states import Status

DOUBTS_SHOWN: Final = 25
CASES_SHOWN: Final = 25


@dataclass(frozen=True, slots=True)
class DoubtSums:
    """How many pushes are in doubt, with how many dollars, and since when the oldest."""

    count: int
    amount: Decimal
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inquiries:
    """How often the network was asked about a push, and what it said last."""

    times: int
    last_found: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """An unclear push, what the network was asked, and what waits for a decision, if anything."""

    payment: Payment
    inquiries: Inquiries
    proposal: ChangeRequest | None
    is_asking: bool


def doubt_sums() -> DoubtSums:
    """Sum up everything in doubt. One statement, by the index on what is due."""
    sums = _unknown().aggregate(count=Count("pk"), amount=Sum("amount"), oldest=Min("created_at"))
    return DoubtSums(sums["count"], sums["amount"] or Decimal(0), sums["oldest"])


def doubts(*, after: UUID | None, at: datetime) -> list[Doubt]:
    """Unclear pushes, the oldest first; one more than a page shows. Three statements."""
    rows = _unknown() if after is None else _unknown().filter(pk__gt=after)
    beside = rows.select_related("partner", "consumer", "card", "attempt").defer(
        "consumer__search_vector", "consumer__tax_identifier_sealed",
        "card__ciphertext", "card__wrapped_key",
    )  # fmt: skip
    return doubts_of(beside.order_by("pk")[: DOUBTS_SHOWN + 1], at=at)


def doubts_of(payments: Iterable[Payment], *, at: datetime) -> list[Doubt]:
    """What there is to say about these, which were read with their attempts."""
    found = list(payments)
    inquiries = _inquiries([one.pk for one in found])
    waiting = _waiting([one.pk for one in found])
    return [
        Doubt(
            payment=one,
            inquiries=inquiries.get(one.pk, Inquiries(0, "", None)),
            proposal=waiting.get(str(one.pk)),
            is_asking=is_asking(one, at=at),
        )
        for one in found
    ]


def is_asking(payment: Payment, *, at: datetime) -> bool:
    """Whether a worker asks about it at this moment, or is to as soon as it can."""
    if payment.status != Status.UNKNOWN.value or not hasattr(payment, "attempt"):
        return False
    until, due_at = payment.attempt.asking_until, payment.due_at
    return bool((until and until > at) or (due_at and due_at <= at))


def resolutions_of(payment_id: UUID) -> QuerySet[ChangeRequest]:
    """Everything that people have proposed about a push, the newest first."""
    about = ChangeRequest.objects.filter(
        kind__in=[RESOLUTION, RETURN, CLOSING], subject=str(payment_id)
    )
    return about.select_related("proposed_by", "decided_by").order_by("-pk")


def closings_of(case: Case) -> QuerySet[ChangeRequest]:
    """Everything that people have proposed about a case, the newest first."""
    return resolutions_of(case.pk)


def cases(*, view: str, user_id: int, before: UUID | None) -> list[Case]:
    """Cases, the newest first; one more than a page shows. One statement."""
    rows = Case.objects.filter(_CASES[view](user_id))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    beside = rows.select_related("partner", "owner", "closed_by").order_by("-pk")
    return list(beside[: CASES_SHOWN + 1])


CASE_VIEWS: Final = ("open", "mine", "closed")
_CASES: Final[dict[str, Callable[[int], Q]]] = {
    "open": lambda _user_id: Q(state=CaseState.OPEN),
    "mine": lambda user_id: Q(state=CaseState.OPEN, owner_id=user_id),
    "closed": lambda _user_id: Q(state=CaseState.CLOSED),
}


def _unknown() -> QuerySet[Payment]:
    # Every unclear push is due some time, and the index has those only.
    return Payment.objects.filter(status=Status.UNKNOWN.value, due_at__isnull=False)


def _inquiries(payment_ids: Collection[UUID]) -> dict[UUID, Inquiries]:
    events = Event.objects.filter(payment_id__in=payment_ids, kind=EventKind.INQUIRED)
    asked: dict[UUID, list[Event]] = defaultdict(list)
    for event in events.order_by("number"):
        asked[event.payment_id].append(event)
    return {
        key: Inquiries(len(some), str(some[-1].details.get("found", "")), some[-1].created_at)
        for key, some in asked.items()
    }


def _waiting(payment_ids: Collection[UUID]) -> dict[str, ChangeRequest]:
    rows = ChangeRequest.objects.filter(
        kind__in=[RESOLUTION, RETURN],
        subject__in=[str(key) for key in payment_ids],
        state=ChangeState.PROPOSED,
    )
    return {change.subject: change for change in rows.select_related("proposed_by")}
