"""The charts of the first page, each with the table that says the same to whoever sees no chart.

A chart is drawn by `payouts/static/payouts/home.js` from the JSON that stands beside it. Pushes
count on the day on which they were asked for, whatever happened to them later, because that is how
lists show them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.template.defaultfilters import pluralize

from payouts.admin.home_links import Days, pushes_address
from payouts.rollups.figures import DayFigures, Figures
from payouts.states import Status

REASONS_SHOWN: Final = 8
MEDIAN: Final = 0.5
NEARLY_ALL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; with an address it leads to the rows behind it."""

    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its table. `drawing` is what the script draws; empty if there is nothing to."""

    name: str
    title: str
    summary: str
    drawing: str
    heads: tuple[str, ...]
    rows: list[list[Cell]]


@dataclass(frozen=True, slots=True)
class _Series:
    """Values of one colour, which is a variable of the style sheet; None where there is none."""

    label: str
    colour: str
    values: Sequence[str | None]
    links: list[str]


def charts(figures: Figures, days: Days) -> list[Chart]:
    """Volume, success, time to paid, and reasons of failures, of all the days."""
    return [
        _volume(figures, days),
        _success(figures, days),
        _times(figures, days),
        _reasons(figures, days),
    ]


def duration(seconds: float | None) -> str:
    """About how long: `0.4 s`, `12 s`, `4 min`, `3 h`, `2 days`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if seconds < size * (60 if unit != "h" else 48):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def _volume(figures: Figures, days: Days) -> Chart:
    paid = _links(days, Status.COMPLETED)
    failed = _links(days, Status.FAILED)
    every = _links(days, None)
    rows = [
        [
            Cell(_day(on)),
            Cell(f"{day.asked.payments:,}", every[n]),
            Cell(f"${day.asked.amount:,.2f}", every[n]),
            Cell(f"${day.of('completed').amount:,.2f}", paid[n]),
            Cell(f"${day.failed.amount:,.2f}", failed[n]),
            Cell(f"${_rest(day):,.2f}", every[n]),
        ]
        for n, (on, day) in enumerate(_by_day(figures, days))
    ][::-1]
    total = sum((day.asked.amount for day in figures.days), Decimal(0))
    pushes = sum(day.asked.payments for day in figures.days)
    series = [
        _Series("Completed", "--po-success", _amounts(figures, "completed"), paid),
        _Series("Failed", "--po-danger", _amounts(figures, "failed"), failed),
        _Series("Open and others", "--po-info", [str(_rest(day)) for day in figures.days], every),
    ]
    return Chart(
        "volume",
        "Volume by day",
        f"{pushes:,} push{pluralize(pushes, 'es')} of ${total:,.2f} in all.",
        _drawing("stack", "dollars", days, series) if pushes else "",
        ("Day", "Pushes", "Asked for", "Completed", "Failed", "Open and others"),
        rows,
    )


def _success(figures: Figures, days: Days) -> Chart:
    rates = [day.success_percent for day in figures.days]
    links = _links(days, Status.FAILED)
    paid = sum(day.paid.payments for day in figures.days)
    failed = sum(day.failed.payments for day in figures.days)
    rows = [
        [
            Cell(_day(on)),
            Cell(_percent(day.success_percent)),
            Cell(f"{day.paid.payments:,}"),
            Cell(f"{day.failed.payments:,}", links[n]),
        ]
        for n, (on, day) in enumerate(_by_day(figures, days))
    ][::-1]
    whole = Decimal(100 * paid) / (paid + failed) if paid + failed else None
    values = [None if rate is None else f"{rate:.2f}" for rate in rates]
    return Chart(
        "success",
        "Success rate by day",
        f"{_percent(whole)} of what the network decided about was paid.",
        _drawing("line", "percent", days, [_Series("Paid", "--po-success", values, links)])
        if whole is not None
        else "",
        ("Day", "Success rate", "Paid", "Failed"),
        rows,
    )


def _times(figures: Figures, days: Days) -> Chart:
    links = _links(days, Status.COMPLETED)
    halves = [day.seconds_to_paid(MEDIAN) for day in figures.days]
    most = [day.seconds_to_paid(NEARLY_ALL) for day in figures.days]
    rows = [
        [Cell(_day(on)), Cell(duration(halves[n])), Cell(duration(most[n]), links[n])]
        for n, on in enumerate(days.dates)
    ][::-1]
    series = [
        _Series("Half of them", "--po-accent", _seconds(halves), links),
        _Series("95 of 100", "--po-warning", _seconds(most), links),
    ]
    return Chart(
        "times",
        "Time to paid by day",
        "From being asked for to being paid, waiting for approval included, to within a tenth.",
        _drawing("log", "seconds", days, series) if any(halves) else "",
        ("Day", "Half within", "95 of 100 within"),
        rows,
    )


def _reasons(figures: Figures, days: Days) -> Chart:
    failures = figures.failures()
    first, last = days.dates[0], days.dates[-1]

    def of(code: str) -> str:
        return pushes_address(days, first, last, status=Status.FAILED, failure=code)

    rows = [
        [Cell(_reason(code)), Cell(f"{some.payments:,}", of(code)), Cell(f"${some.amount:,.2f}")]
        for code, some in failures.items()
    ]
    shown = list(failures.items())[:REASONS_SHOWN]
    counts = [str(some.payments) for _, some in shown]
    series = [_Series("Failed", "--po-danger", counts, [of(code) for code, _ in shown])]
    total = sum(some.payments for some in failures.values())
    labels = [_reason(code) for code, _ in shown]
    return Chart(
        "reasons",
        "Failures by reason",
        f"{total:,} failed.",
        _drawing("bars", "count", labels, series) if shown else "",
        ("Reason", "Pushes", "Asked for"),
        rows,
    )


def _by_day(figures: Figures, days: Days) -> Iterable[tuple[date, DayFigures]]:
    return zip(days.dates, figures.days, strict=True)


def _links(days: Days, status: Status | None) -> list[str]:
    return [pushes_address(days, on, status=status) for on in days.dates]


def _amounts(figures: Figures, status: str) -> list[str]:
    return [str(day.of(status).amount) for day in figures.days]


def _rest(day: DayFigures) -> Decimal:
    return day.asked.amount - day.of("completed").amount - day.failed.amount


def _seconds(values: list[float | None]) -> list[str | None]:
    return [None if value is None else f"{value:.3f}" for value in values]


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate:.1f}%"


def _day(on: date) -> str:
    return f"{on:%d %b %Y}"


def _reason(code: str) -> str:
    return code.replace("_", " ")


def _drawing(kind: str, unit: str, along: Days | list[str], series: list[_Series]) -> str:
    labels = [f"{on:%d %b}" for on in along.dates] if isinstance(along, Days) else along
    told = [
        {"label": one.label, "colour": one.colour, "values": [*one.values], "links": one.links}
        for one in series
    ]
    return json.dumps({"kind": kind, "unit": unit, "labels": labels, "series": told})
