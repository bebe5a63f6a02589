"""Random lives of payments on the real PostgreSQL, beside a model of them in plain Python.

The model knows what was asked and what the network did, and from that alone what each payment and
each dollar must be. After every step both are compared, and every invariant of the books is asked.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)
from pytest_django import Settings

from tests.faults.lives import FOUND, Lives


def _run(**bounds: Any) -> None:
    run_state_machine_as_test(
        Lives,
        settings=settings(deadline=None, suppress_health_check=list(HealthCheck), **bounds),
    )


@pytest.fixture(autouse=True)
def _nobody_waits(settings: Settings) -> None:
    settings.NETWORK_VISIBILITY_SECONDS = 0
    settings.INQUIRY_PAUSES_SECONDS = [0]


@pytest.mark.django_db
def test_some_lives_go_as_modelled() -> None:
    # The same lives in every run, and no search for a shorter one when one goes wrong.
    phases = [Phase.explicit, Phase.generate]
    _run(max_examples=7, stateful_step_count=25, derandomize=True, database=None, phases=phases)


@pytest.fixture
def life(db: None) -> Iterator[Lives]:
    made = Lives()
    made.open_the_house()
    FOUND.clear()
    yield made
    made.teardown()


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("", []),
        ("another amount", ["amount_differs"]),
        ("twice", ["duplicate"]),
        ("left out", ["missing_there"]),
    ],
)
def test_a_life_with_a_file_goes_as_modelled(life: Lives, wrong: str, found: list[str]) -> None:
    """What random lives do not all live through."""
    first, _ = life.model
    life.live_through_a_file(first, "9.99", "z", "approved", comes_back=False, wrong=wrong)
    assert list(FOUND) == found
    life.live_through_a_file(first, "9.99", "y", "approved", comes_back=True, wrong="")
    life.people_are_asked_about_what_is_wrong_and_nothing_else()
    life.the_payments_are_as_modelled()
    life.the_books_are_right()


@pytest.mark.faults
@pytest.mark.django_db
def test_many_lives_go_as_modelled(tell: Callable[[str], None]) -> None:
    lives, steps = int(os.environ.get("FAULTS_LIVES", "200")), 50
    _run(max_examples=lives, stateful_step_count=steps)
    assert {"resolves", "returned"} <= set(FOUND)
    tell(
        f"{lives} random lives of up to {steps} steps, every invariant after each: no difference; "
        f"in settlement files {dict(FOUND)}"
    )
