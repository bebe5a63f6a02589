"""Where the figures of the first page lead: lists of pushes that show exactly what was counted."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from consumers.admin.filters import ZONE
from consumers.admin.zone import UTC_NAME
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class Days:
    """Adjoining days of a zone, oldest first."""

    dates: list[date]
    zone: str


def pushes_address(
    days: Days,
    first: date,
    last: date | None = None,
    *,
    status: Status | None = None,
    failure: str | None = None,
) -> str:
    """The list of pushes that were asked for from one of the days to another, both included."""
    query = {"day_from": first.isoformat(), "day_to": (last or first).isoformat()}
    if status is not None:
        query["status"] = status.value
    if failure is not None:
        query["failure"] = failure
    if days.zone != UTC_NAME:
        query[ZONE] = days.zone
    return reverse("admin:payouts_payment_changelist", query=query)
