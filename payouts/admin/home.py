"""The first page: what waits, from the counts that the database keeps. It reads no payment."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse

from payouts.models import PaymentTally
from payouts.states import Status

_TILES: Final = (
    (Status.PENDING_APPROVAL, "Waiting for approval", "approval"),
    (Status.PENDING, "About to be sent", "schedule_send"),
    (Status.SUBMITTED, "With the network", "sync"),
    (Status.UNKNOWN, "In doubt", "help_center"),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """How many pushes are in a status now, with their sum in dollars and where they are listed."""

    title: str
    icon: str
    pushes: int
    amount: Decimal
    address: str
    is_urgent: bool


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows to the theme's context; one statement."""
    may_see = request.user.has_perm("payouts.view_payment")
    return {**context, "title": "Home", "tiles": _tiles() if may_see else []}


def _tiles() -> list[Tile]:
    rows = (
        PaymentTally.objects.filter(status__in=[status.value for status, _, _ in _TILES])
        .values("status")
        .annotate(pushes=Sum("payments"), dollars=Sum("amount"))
    )
    tallies = {row["status"]: (row["pushes"], row["dollars"]) for row in rows}
    tiles = []
    for status, title, icon in _TILES:
        pushes, amount = tallies.get(status.value, (0, Decimal(0)))
        address = reverse("admin:payouts_payment_changelist", query={"status": status.value})
        is_urgent = status is Status.UNKNOWN and pushes > 0
        tiles.append(Tile(title, icon, pushes, amount, address, is_urgent))
    return tiles
