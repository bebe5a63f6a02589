"""Which days statements of our bank are about, and by when a settlement has to be on one."""

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db.models import Max, Min

from payouts.models import BankStatement, FileState

_JUDGED: Final = (FileState.WAITING, FileState.ACTING, FileState.DONE)


class Covered(NamedTuple):
    """The first and the last day that statements of all our accounts are about; None if of none.

    Between them nothing can be missing: each statement opens with what the one before closed with.
    """

    since: date | None
    until: date | None


def covered_days() -> Covered:
    """Which days the statements are about whose entries are judged. One statement."""
    judged = BankStatement.objects.filter(
        file__state__in=_JUDGED, account__in=settings.BANK_ACCOUNTS
    )
    rows: Any = judged.values("account").annotate(first=Min("opens_on"), last=Max("closes_on"))
    spans = [(row["first"], row["last"]) for row in rows.order_by("account")]
    if not spans or len(spans) < len(settings.BANK_ACCOUNTS):
        return Covered(None, None)
    return Covered(max(first for first, _ in spans), min(last for _, last in spans))


def must_be_settled_by(last_day: date) -> date:
    """The day by whose end the bank shows what a network settled for a file that ends so."""
    return last_day + timedelta(days=settings.BANK_SETTLES_WITHIN_DAYS)
