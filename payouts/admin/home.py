"""The first page: today, what waits, whose money runs out, and how the last weeks went.

All of it is read from sums that the database keeps, by a fixed number of statements: no page of it
reads a payment that is counted already. What a role may not see is neither read nor shown. Every
figure leads to the rows behind it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Sum as SumOf
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from consumers.admin.zone import beginning_of, in_zone, viewer_zone
from payouts.admin.home_charts import Chart, charts
from payouts.admin.home_links import Days, pushes_address
from payouts.backoffice.changes import changes_open_to_me
from payouts.backoffice.queue import COUNTED_AT_MOST, count, rows_open_to
from payouts.models import PaymentTally
from payouts.queries import (
    WebhookAlarm,
    notifications_set_aside,
    oldest_of_status,
    webhook_alarm,
)
from payouts.rollups.figures import Figures, Runway, figures_of_days, shortest_runways
from payouts.staff import APPROVE_PAYMENT
from payouts.states import Status

PERIODS: Final = (7, 30, 90)
USUAL_PERIOD: Final = 30
PARTNERS_SHOWN: Final = 8
# Money that lasts less is to be looked at, and much less at once.
LOW_DAYS: Final = 7
VERY_LOW_DAYS: Final = 2

_NOW: Final = (
    (Status.PENDING_APPROVAL, "Waiting for approval", "approval"),
    (Status.PENDING, "About to be sent", "schedule_send"),
    (Status.SUBMITTED, "With the network", "sync"),
    (Status.UNKNOWN, "In doubt", "help_center"),
)
_TODAY: Final = (
    (None, "Pushed", "send_money"),
    (Status.COMPLETED, "Completed", "task_alt"),
    (Status.FAILED, "Failed", "error"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """How many pushes, or changes, their sum in dollars if it is known, and where they are listed.

    `oldest_at` is when the oldest of them was asked for; `note` is one more word about them.
    """

    title: str
    icon: str
    pushes: str
    amount: Decimal | None = None
    address: str
    is_urgent: bool = False
    oldest_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PartnerLine:
    """A partner's money, and the tone in which the days that it lasts are told."""

    runway: Runway
    tone: str
    address: str


@dataclass(frozen=True, slots=True)
class HomePage:
    """What the first page shows; a part that is not the viewer's is empty."""

    zone: str
    today: list[Tile]
    now: list[Tile]
    partners: list[PartnerLine]
    charts: list[Chart]
    periods: list[tuple[int, bool]]
    is_behind: bool
    webhooks: WebhookAlarm | None
    notifications: int


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows to the theme's context. At most ten statements."""
    return {**context, "title": "Home", "page": _page(request)}


def _page(request: HttpRequest) -> HomePage | None:
    """None for somebody whom nothing here is for."""
    assert isinstance(request.user, User)
    if not request.user.has_perm("payouts.view_payment"):
        return None
    at, period = timezone.now(), _period(request)
    days = _days(at, period)
    figures = figures_of_days([beginning_of(day, zone=days.zone) for day in days.dates])
    return HomePage(
        zone=days.zone.replace("_", " "),
        today=_today(figures, days),
        now=[*_mine(request.user, at), *_now()],
        partners=_partners(at) if request.user.has_perm("consumers.view_partner") else [],
        charts=charts(figures, days),
        periods=[(one, one == period) for one in PERIODS],
        is_behind=figures.is_behind,
        webhooks=_webhooks(request.user),
        notifications=_notifications(request.user),
    )


def _webhooks(person: User) -> WebhookAlarm | None:
    """What is wrong with webhooks, for whoever can do something about it."""
    if not person.has_perm("payouts.view_webhookendpoint"):
        return None
    alarm = webhook_alarm()
    return alarm if any(alarm) else None


def _notifications(person: User) -> int:
    """How many words of networks count for nothing until somebody has them used again."""
    if not person.has_perm("payouts.view_networknotification"):
        return 0
    return notifications_set_aside()


def _period(request: HttpRequest) -> int:
    named = {str(days): days for days in PERIODS}
    return named.get(request.GET.get("days", ""), USUAL_PERIOD)


def _days(at: datetime, period: int) -> Days:
    zone = viewer_zone()
    today: date = in_zone(at, zone=zone).date()
    return Days([today - timedelta(days=ago) for ago in reversed(range(period))], zone)


def _today(figures: Figures, days: Days) -> list[Tile]:
    today, date_ = figures.days[-1], days.dates[-1]
    tiles = []
    for status, title, icon in _TODAY:
        some = today.asked if status is None else today.of(status.value)
        address = pushes_address(days, date_, status=status)
        tile = Tile(
            title=title,
            icon=icon,
            pushes=f"{some.payments:,}",
            amount=some.amount,
            address=address,
        )
        tiles.append(tile)
    return tiles


def _mine(person: User, at: datetime) -> list[Tile]:
    """What this person may decide about, if deciding is theirs at all."""
    return [*_my_pushes(person, at), *_my_changes(person)]


def _my_pushes(person: User, at: datetime) -> list[Tile]:
    if not person.has_perm(APPROVE_PAYMENT):
        return []
    pushes = count(rows_open_to(person, at=at, partner_id=None))
    tile = Tile(
        title="Waiting for me",
        icon="person_check",
        pushes=f"{pushes:,}" if pushes <= COUNTED_AT_MOST else f"more than {COUNTED_AT_MOST:,}",
        address=reverse("backoffice:approvals"),
        is_urgent=pushes > 0,
        note="for you to decide about",
    )
    return [tile]


def _my_changes(person: User) -> list[Tile]:
    """Shown while there are any: most days nobody proposes one."""
    changes = changes_open_to_me(person)
    if not changes:
        return []
    tile = Tile(
        title="Changes for me",
        icon="published_with_changes",
        pushes=f"{changes:,}",
        address=reverse("backoffice:changes"),
        is_urgent=True,
        note="of money, terms or access",
    )
    return [tile]


def _now() -> list[Tile]:
    rows = (
        PaymentTally.objects.filter(status__in=[status.value for status, _, _ in _NOW])
        .values("status")
        .annotate(pushes=SumOf("payments"), dollars=SumOf("amount"))
    )
    tallies = {row["status"]: (row["pushes"], row["dollars"]) for row in rows}
    tiles = []
    for status, title, icon in _NOW:
        pushes, amount = tallies.get(status.value, (0, Decimal(0)))
        is_doubt = status is Status.UNKNOWN and pushes > 0
        tile = Tile(
            title=title,
            icon=icon,
            pushes=f"{pushes:,}",
            amount=amount,
            address=_board_of(status),
            is_urgent=is_doubt,
            oldest_at=_oldest_at(status) if is_doubt else None,
        )
        tiles.append(tile)
    return tiles


def _board_of(status: Status) -> str:
    """Where the pushes of a status are worked on; in the list, if there is no such place."""
    if status is Status.PENDING_APPROVAL:
        return reverse("backoffice:approvals", query={"view": "all"})
    if status is Status.UNKNOWN:
        return reverse("backoffice:in_doubt")
    return reverse("admin:payouts_payment_changelist", query={"status": status.value})


def _oldest_at(status: Status) -> datetime | None:
    """When the oldest push of the status was asked for: its key says so, no row is read."""
    key = oldest_of_status(status)
    return None if key is None else datetime.fromtimestamp((key.int >> 80) // 1000, UTC)


def _partners(at: datetime) -> list[PartnerLine]:
    runways = shortest_runways(today=at.astimezone(UTC).date(), limit=PARTNERS_SHOWN)
    page = "admin:consumers_partner_change"
    return [
        PartnerLine(runway, _tone(runway), reverse(page, args=[runway.partner_id]))
        for runway in runways
    ]


def _tone(runway: Runway) -> str:
    if runway.days is None:
        return "neutral"
    if runway.days < VERY_LOW_DAYS:
        return "danger"
    return "warning" if runway.days < LOW_DAYS else "success"
