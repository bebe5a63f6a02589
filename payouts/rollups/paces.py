"""The ladder by which times to paid are counted: each step is a quarter of a doubling. Pure.

A median or a 95th percentile that is read off it lies within nine per cent of the exact one, for
two bytes per row instead of every time ever measured.
"""

from collections.abc import Mapping
from typing import Final

STEPS_PER_DOUBLING: Final = 4
NOT_PAID: Final = 0


def seconds_at(counts: Mapping[int, int], *, share: float) -> float | None:
    """The time within which `share` of the paid ones were paid; None if none was.

    `counts` says how many stand on each step; those on `NOT_PAID` do not count.
    """
    steps = sorted(step for step, count in counts.items() if step != NOT_PAID and count > 0)
    wanted = share * sum(counts[step] for step in steps)
    passed = 0
    for step in steps:
        passed += counts[step]
        if passed >= wanted:
            return _middle_of(step)
    return None


def _middle_of(step: int) -> float:
    """Seconds in the middle of a step. The first holds everything up to a millisecond and a bit."""
    doublings: float = 2 ** ((step - 0.5) / STEPS_PER_DOUBLING)
    return doublings / 1000
