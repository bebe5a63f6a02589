"""The ladder of times: what is read off it is near what was put on it."""

import math

import pytest

from payouts.rollups.paces import NOT_PAID, STEPS_PER_DOUBLING, seconds_at


def step_of(seconds: float) -> int:
    """As the database computes it."""
    return 1 + math.floor(STEPS_PER_DOUBLING * math.log2(max(seconds * 1000, 1)))


@pytest.mark.parametrize("seconds", [0.002, 0.35, 1.0, 2.6, 45.0, 3600.0, 86400.0, 2e6])
def test_a_time_comes_back_within_nine_per_cent(seconds: float) -> None:
    assert seconds_at({step_of(seconds): 1}, share=0.5) == pytest.approx(seconds, rel=0.091)


def test_half_and_nearly_all_are_told_apart() -> None:
    counts = {step_of(1.0): 90, step_of(30.0): 10}
    assert seconds_at(counts, share=0.5) == pytest.approx(1.0, rel=0.1)
    assert seconds_at(counts, share=0.95) == pytest.approx(30.0, rel=0.1)


def test_what_is_not_paid_does_not_count() -> None:
    assert seconds_at({NOT_PAID: 50}, share=0.5) is None
    assert seconds_at({NOT_PAID: 50, step_of(1.0): 1}, share=0.95) == pytest.approx(1.0, rel=0.1)


def test_nothing_has_no_time() -> None:
    assert seconds_at({}, share=0.5) is None
