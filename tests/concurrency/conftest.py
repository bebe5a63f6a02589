import fcntl
import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _one_race_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A race of a hundred takes most of the cluster's connections: test processes take turns."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / "races.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
