from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.sandbox import SandboxServer


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """One quick sandbox network for all tests that leave its switches alone."""
    with _started(tmp_path_factory.mktemp("sandbox")) as server:
        yield server


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    """A sandbox network of the test's own, to switch and to kill."""
    with _started(tmp_path) as server:
        yield server


def _started(folder: Path) -> AbstractContextManager[SandboxServer]:
    return SandboxServer.started(folder / "book.sqlite3", latency_ms=0, late_ms=300)
