"""Speaking to the database as the role that owns the tables, for the few commands that need it.

The product works as a role that owns nothing (config/rights.py says what it may). What changes
tables, or puts triggers to sleep in a development database, does it inside `as_owner`. No request
and no task may.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

_TAKEN: Final = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


class InsideATransaction(Exception):
    """The role cannot change while a transaction is open: another connection would not see it."""


@contextmanager
def as_owner() -> Iterator[None]:
    """Let this process's connections to the database be the owner's until the block ends.

    For commands with one thread. Without `DATABASE_OWNER_URL` there is one role for everything, and
    nothing changes. The database's name stays, so that a test's own database is meant in a test.

    :raises InsideATransaction: and nothing has been changed.
    """
    spoken = {name: settings.DATABASE_OWNER[name] for name in _TAKEN if settings.DATABASE_OWNER}
    connection = connections[DEFAULT_DB_ALIAS]
    kept = {name: connection.settings_dict[name] for name in spoken}
    if kept == spoken:
        yield
        return
    if connection.in_atomic_block:
        # Whoever has become the owner by `SET ROLE` need not connect as it.
        if _current_role(connection) != spoken["USER"]:
            raise InsideATransaction
        yield
        return
    connection.close()
    # New connections of any thread are made from this dictionary.
    connection.settings_dict.update(spoken)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def _current_role(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (role,) = cursor.fetchone()
    return str(role)
