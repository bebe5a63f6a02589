"""What screens ask of the rollups: sums by day, and how long each partner's money lasts.

One statement each, of the same cost with a million payments or ten. What has happened since the
rollups were written is added from the events themselves, so figures are true to the instant.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from consumers.statements import fetch_row, fetch_rows
from payouts.money import ZERO
from payouts.rollups.paces import seconds_at
from payouts.rollups.sql import CURSOR, of_events
from payouts.states import UNPAID, Status

# More events than this are not added: then nobody follows any more, and the page says so.
NEWER_AT_MOST: Final = 20_000
RUNWAY_DAYS: Final = 14

_PAID: Final = (Status.COMPLETED.value, Status.RETURNED.value)


@dataclass(frozen=True, slots=True)
class Sum:
    """How many payments, and their amounts in dollars without fees."""

    payments: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.payments + other.payments, self.amount + other.amount)


@dataclass(slots=True)
class DayFigures:
    """What became of the payments that were asked for within one day, as it stands now.

    `failures` are by our failure code. `paces` say how many took how long; see `paces`.
    """

    begins_at: datetime
    by_status: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    failures: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    paces: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def asked(self) -> Sum:
        return self.of(*self.by_status)

    @property
    def paid(self) -> Sum:
        """Completed, and of these what came back later."""
        return self.of(*_PAID)

    @property
    def failed(self) -> Sum:
        return self.of(Status.FAILED.value)

    @property
    def success_percent(self) -> Decimal | None:
        """Of those that the network decided about, the share that was paid; None without any."""
        paid, failed = self.paid.payments, self.failed.payments
        return Decimal(100 * paid) / (paid + failed) if paid + failed else None

    def of(self, *statuses: str) -> Sum:
        found = (self.by_status[status] for status in statuses if status in self.by_status)
        return sum(found, Sum())

    def seconds_to_paid(self, share: float) -> float | None:
        """The time within which `share` of the paid ones were paid."""
        return seconds_at(self.paces, share=share)


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of adjoining days, oldest first. `is_behind`: the newest events are not in them."""

    days: list[DayFigures]
    is_behind: bool

    def failures(self) -> dict[str, Sum]:
        """All days' failures by code, the most frequent first."""
        sums: defaultdict[str, Sum] = defaultdict(Sum)
        for day in self.days:
            for code, some in day.failures.items():
                sums[code] += some
        return dict(sorted(sums.items(), key=lambda one: (-one[1].payments, one[0])))


_WITHIN: Final = """began_at >= %(since)s
        AND began_at < COALESCE(%(until)s::timestamptz, 'infinity')"""
_FACTS: Final = f"""
WITH newer AS MATERIALIZED (
    SELECT * FROM payouts_event WHERE id > {CURSOR} ORDER BY id LIMIT %(newer_at_most)s + 1
), facts AS (
    SELECT began_at, status, failure_code, pace, payments, amount FROM payouts_pushrollup
    WHERE {_WITHIN}
    UNION ALL
    SELECT began_at, status, failure_code, pace, payments, amount FROM (
        {of_events("(SELECT * FROM newer ORDER BY id LIMIT %(newer_at_most)s)")}
    ) AS since WHERE {_WITHIN}
)"""  # noqa: S608  # nosec B608: constants only
_BY_DAY: Final = f"""{_FACTS}
SELECT width_bucket(began_at, %(begins)s::timestamptz[]), status, failure_code, pace,
    sum(payments)::bigint, sum(amount), (SELECT count(*) FROM newer) > %(newer_at_most)s
FROM facts GROUP BY 1, 2, 3, 4 HAVING sum(payments) <> 0
"""  # noqa: S608  # nosec B608: constants only


def figures_of_days(begins: Sequence[datetime]) -> Figures:
    """Sum up days that begin at these instants, oldest first; the last one goes on until now.

    Every instant must begin a quarter of an hour, as days do in every zone. One statement.
    """
    days = [DayFigures(at) for at in begins]
    rows = fetch_rows(
        _BY_DAY,
        {
            "begins": list(begins),
            "since": begins[0],
            "until": None,
            "newer_at_most": NEWER_AT_MOST,
        },
    )
    for number, status, code, pace, payments, amount, _ in rows:
        day, some = days[number - 1], Sum(payments, amount)
        day.by_status[status] += some
        day.paces[pace] += payments
        if status == Status.FAILED.value:
            day.failures[code] += some
    return Figures(days, is_behind=bool(rows) and bool(rows[0][-1]))


_OF_PERIOD: Final = f"""{_FACTS}
SELECT COALESCE(sum(payments), 0)::bigint, COALESCE(sum(amount), 0),
    (SELECT count(*) FROM newer) > %(newer_at_most)s
FROM facts
WHERE (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(failure)s::text IS NULL OR failure_code = %(failure)s)
"""  # noqa: S608  # nosec B608: constants only


def sum_of_period(
    since: datetime, until: datetime, *, status: Status | None, failure: str | None
) -> Sum | None:
    """Sum up what was asked for from `since` up to but not including `until`, of all partners.

    Both must begin a quarter of an hour. `status` and `failure`, our code, narrow it. None if the
    newest events are not counted yet. One statement.
    """
    row = fetch_row(
        _OF_PERIOD,
        {
            "since": since,
            "until": until,
            "newer_at_most": NEWER_AT_MOST,
            "status": status and status.value,
            "failure": failure,
        },
    )
    assert row is not None
    payments, amount, is_behind = row
    return None if is_behind else Sum(payments, amount)


@dataclass(frozen=True, slots=True)
class Runway:
    """What a partner has, in dollars, and how long that lasts at the pace of the last days.

    `days` is None if nothing was spent. `spent_a_day` is amounts and fees, of payments that were
    paid or still may be.
    """

    partner_id: UUID
    name: str
    available: Decimal
    held: Decimal
    spent_a_day: Decimal
    days: Decimal | None


_RUNWAYS: Final = """
WITH balances AS (
    SELECT account.partner_id,
        -sum(part.balance) FILTER (WHERE account.kind = 'available') AS available,
        -sum(part.balance) FILTER (WHERE account.kind = 'held') AS held
    FROM payouts_account account JOIN payouts_accountpart part ON part.account_id = account.id
    WHERE account.partner_id IS NOT NULL GROUP BY account.partner_id
), spending AS (
    SELECT partner_id, sum(amount + fees) / (%(today)s::date - min(day)) AS a_day
    FROM payouts_partnerrollup
    WHERE day >= %(since)s AND day < %(today)s AND status <> ALL(%(unpaid)s)
    GROUP BY partner_id
)
SELECT partner.id, partner.name, COALESCE(available, 0), COALESCE(held, 0), COALESCE(a_day, 0),
    CASE WHEN a_day > 0 THEN available / a_day END AS days
FROM consumers_partner partner
LEFT JOIN balances ON balances.partner_id = partner.id
LEFT JOIN spending ON spending.partner_id = partner.id
WHERE partner.is_active
ORDER BY days NULLS LAST, available, partner.name LIMIT %(limit)s
"""


def shortest_runways(*, today: date, limit: int) -> list[Runway]:
    """The active partners whose money lasts shortest, these first. One statement.

    The pace is that of the fourteen whole days in UTC before `today`, or of as many as the partner
    has pushed for. What happened within the last seconds of them may not be in it yet.
    """
    rows = fetch_rows(
        _RUNWAYS,
        {
            "today": today,
            "since": today - timedelta(days=RUNWAY_DAYS),
            "unpaid": sorted(status.value for status in UNPAID),
            "limit": limit,
        },
    )
    return [Runway(*row) for row in rows]
