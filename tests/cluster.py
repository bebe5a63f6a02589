"""Gives every test run a PostgreSQL cluster of its own, in a temporary folder.

Loaded with `-p tests.cluster`, because the address must stand in the environment before
pytest-django reads the settings. Workers of pytest-xdist inherit it and use a database each on the
same cluster.
"""

import os
import tempfile
from pathlib import Path

from config import embedded

if "DATABASE_URL" not in os.environ:
    _folder = Path(tempfile.mkdtemp(prefix="payouts-tests-"))
    os.environ["DATABASE_URL"] = embedded.database_url(_folder, cleanup="delete")
    os.environ["DATABASE_OWNER_URL"] = embedded.database_url(
        _folder, cleanup="delete", role=embedded.OWNER
    )
