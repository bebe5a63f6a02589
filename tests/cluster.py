"""Gives every test run a PostgreSQL cluster of its own, in a temporary folder.

Loaded with `-p tests.cluster`, because the address must stand in the environment before
pytest-django reads the settings. Workers of pytest-xdist inherit it and use a database each on the
same cluster.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from config import embedded

_MEMORY: Final = Path("/dev/shm")  # noqa: S108
_ENOUGH_BYTES: Final = 4 * 1024**3


def _roomiest() -> Path | None:
    """Memory where there is plenty of it: the tables are emptied some thousand times."""
    if "TMPDIR" in os.environ or IS_DURABLE or not os.access(_MEMORY, os.W_OK):
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES else None


# One that is stopped under load must keep what it has acknowledged: `make faults` asks for that.
IS_DURABLE: Final = os.environ.get("PAYOUTS_TESTS") == "durable"
# None when the caller has brought a database along, and in the workers of pytest-xdist.
folder: Path | None = None
_OURS: Final = "PAYOUTS_TESTS_CLUSTER"

if "DATABASE_URL" not in os.environ:
    folder = Path(tempfile.mkdtemp(prefix="payouts-tests-", dir=_roomiest()))
    _cleanup: Final = "stop" if IS_DURABLE else "delete"
    os.environ["DATABASE_URL"] = embedded.database_url(folder, cleanup=_cleanup)
    os.environ["DATABASE_OWNER_URL"] = embedded.database_url(
        folder, cleanup=_cleanup, role=embedded.OWNER
    )
    os.environ[_OURS] = str(folder)

# Whether this run's cluster goes with the run, whatever is left in it.
IS_OURS: Final = _OURS in os.environ


def pytest_unconfigure() -> None:
    if folder is not None and IS_DURABLE:
        embedded.release(folder)
        shutil.rmtree(folder, ignore_errors=True)
