"""What the tests of faults share: the figures that a run tells at its end."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

# What was measured or counted, by what it was about; told after the last test.
_figures: list[tuple[str, str]] = []

Tell = Callable[[str], None]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Keep one line of figures for the end of the run, under the test's name."""
    name = request.node.name
    return lambda line: _figures.append((name, line))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None] | None:
    if _figures:
        terminalreporter.section("figures")
        for name, line in _figures:
            terminalreporter.write_line(f"{name}: {line}")
    return None
