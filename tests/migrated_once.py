"""One migrated database for all processes of a run: the first one makes it, each copies it.

Migrating takes ten seconds of a processor, a copy a tenth of one. Only for a cluster that goes with
the run: nobody drops what is copied.
"""

import fcntl
from pathlib import Path
from typing import Final

from django.db import connection

_NAME: Final = "migrated_once"


def copy_what_one_migrates(folder: Path) -> None:
    """As the owner: let the tests' database of this process be a copy. The first caller migrates.

    `folder` is one that the processes of this run share, and no other run.
    """
    with (folder / f"{_NAME}.lock").open("a+") as lock:
        # Let go when the file is closed, also by the end of a process that was killed.
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            _migrate()
            lock.write("done")
    connection.settings_dict["TEST"]["TEMPLATE"] = _NAME


def _migrate() -> None:
    own, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    name, test["NAME"] = test["NAME"], _NAME
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # Keeps it: only this process leaves it, because nobody may be in a database that is copied.
    connection.creation.destroy_test_db(own, verbosity=0, keepdb=True)
    test["NAME"] = name
