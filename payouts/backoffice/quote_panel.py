"""What stands beside the form while somebody issues a push: the quote, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.utils.safestring import SafeString

from consumers.admin.base import label
from consumers.ids import first_id_at
from payouts.admin.words import STATUS_TONES
from payouts.approvals import Matter, who_can_decide
from payouts.backoffice.approval_lines import ApprovalLine, approval_lines
from payouts.backoffice.words import SCOPE_WORDS, problem_words
from payouts.deciding.approvers import permitted_approvers
from payouts.limits import Headroom
from payouts.models import Payment
from payouts.operations.facts import Wish
from payouts.operations.quote_payment import Quote, quote_payment
from payouts.states import UNPAID

SIMILAR_WITHIN: Final = timedelta(days=7)
_SIMILAR_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class RoomLine:
    """What a limit has room for now, in dollars and pushes; None where it sets no bound."""

    scope: str
    amount: Decimal | None
    count: int | None
    is_short: bool


@dataclass(frozen=True, slots=True)
class Similar:
    """A push that this one could be a repetition of."""

    payment: Payment
    status: SafeString


@dataclass(frozen=True, slots=True)
class QuotePanel:
    """The quote as the page shows it. `problems` is empty if the push can be issued."""

    quote: Quote
    problems: list[str]
    available_after: Decimal
    approvals: list[ApprovalLine]
    rooms: list[RoomLine]
    similar: list[Similar]

    @property
    def is_blocked(self) -> bool:
        return any(line.is_blocked for line in self.approvals)


def quote_panel(wish: Wish, *, matter: Matter) -> QuotePanel:
    """Quote the push and say who would decide about `matter`. Six statements at most; changes
    nothing."""
    quote = quote_payment(wish)
    return QuotePanel(
        quote=quote,
        problems=[problem_words(reason, quote) for reason in quote.reasons],
        available_after=quote.available - quote.total,
        approvals=_approvals(quote, matter) if quote.approvals else [],
        rooms=[_room(room, wish.amount) for room in quote.headrooms],
        similar=similar_pushes(UUID(wish.consumer_ref), amount=wish.amount, at=wish.at),
    )


def similar_pushes(consumer_id: UUID, *, amount: Decimal, at: datetime) -> list[Similar]:
    """The consumer's newest pushes of the same amount within a week, to whichever card."""
    rows = Payment.objects.filter(
        consumer_id=consumer_id, pk__gte=first_id_at(at - SIMILAR_WITHIN), amount=amount
    ).exclude(status__in=[status.value for status in UNPAID])
    shown = ("created_at", "status", "reference", "card__network", "card__last4")
    newest = rows.select_related("card").only(*shown).order_by("-pk")[:_SIMILAR_SHOWN]
    return [Similar(payment, label(payment.status, STATUS_TONES)) for payment in newest]


def _approvals(quote: Quote, matter: Matter) -> list[ApprovalLine]:
    required = quote.terms.requirements
    named = zip(required, quote.approvals, strict=True)
    return approval_lines(
        required,
        could=who_can_decide(matter, permitted_approvers()),
        groups={asked.group_id: approval.group for asked, approval in named if approval.group},
    )


def _room(room: Headroom, amount: Decimal) -> RoomLine:
    is_short = (room.amount is not None and room.amount < amount) or room.count == 0
    return RoomLine(SCOPE_WORDS[room.scope], room.amount, room.count, is_short)
