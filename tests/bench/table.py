"""What was measured, as one table for people and as JSON, with the targets beside it."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.bench.load import Sample

_WIDTH: Final = 46
_HEADER: Final = (
    f"{'':{_WIDTH}}{'a second: median [least-most]':>30}"
    f"{'p50':>9}{'p95':>8}{'p99 ms':>9}{'web':>8}{'db ms/req':>11}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured once in every round."""

    name: str
    samples: tuple[Sample, ...]

    @property
    def per_second(self) -> float:
        return statistics.median(sample.per_second for sample in self.samples)

    @property
    def is_valid(self) -> bool:
        return all(sample.is_valid for sample in self.samples)

    def median(self, name: str) -> float | None:
        values = [getattr(sample, name) for sample in self.samples]
        return statistics.median(values) if None not in values else None


@dataclass(frozen=True, slots=True)
class Target:
    """What the product has to reach, and what it did."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_reached(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


def table(
    rows: Iterable[Row], pages: Mapping[str, Sequence[float]], targets: Iterable[Target]
) -> str:
    """All of it as text."""
    return "\n".join(
        [
            _HEADER,
            *(_line(row) for row in rows),
            "",
            f"{'':{_WIDTH}}{'milliseconds: median [least-most]':>34}",
            *(_page_line(name, times) for name, times in pages.items()),
            "",
            *(_target_line(target) for target in targets),
        ]
    )


def as_json(
    rows: Iterable[Row], pages: Mapping[str, Sequence[float]], targets: Iterable[Target]
) -> dict[str, Any]:
    """All of it for programs, every single sample included."""
    return {
        "rows": {row.name: [asdict(sample) for sample in row.samples] for row in rows},
        "pages_ms": {name: list(times) for name, times in pages.items()},
        "targets": [{**asdict(target), "is_reached": target.is_reached} for target in targets],
    }


def _line(row: Row) -> str:
    rates = [sample.per_second for sample in row.samples]
    rate = f"{row.per_second:,.0f} [{min(rates):,.0f}-{max(rates):,.0f}]"
    p50 = row.median("p50_ms")
    mean = row.median("mean_ms")
    shown = _number(p50) if mean is None else f"~{mean:.1f}"
    line = (
        f"{row.name:{_WIDTH}}{rate:>30}{shown:>9}{_number(row.median('p95_ms')):>8}"
        f"{_number(row.median('p99_ms')):>9}{_number(row.median('web_ms'), 2):>8}"
        f"{_number(row.median('database_ms'), 2):>11}"
    )
    if row.is_valid:
        return line
    refused = sum(sample.refused for sample in row.samples)
    broken = sum(sample.socket_errors for sample in row.samples)
    return f"{line}  NOT VALID: {refused:,} refused, {broken:,} broken connections"


def _page_line(name: str, times: Sequence[float]) -> str:
    shown = f"{statistics.median(times):,.1f} [{min(times):,.1f}-{max(times):,.1f}]"
    return f"{name:{_WIDTH}}{shown:>34}"


def _target_line(target: Target) -> str:
    bound = (
        f"at least {target.at_least:,}"
        if target.at_least is not None
        else f"at most {target.at_most:,}"
    )
    shown = f"{target.value:,.2f}" if target.value < 100 else f"{target.value:,.0f}"
    verdict = "reached" if target.is_reached else "NOT REACHED"
    return f"{target.name:{_WIDTH}}{shown:>12}   {bound:<18} {verdict}"


def _number(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"
