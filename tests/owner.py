"""Does what only the owner of the tables can, who is a superuser in the tests' own cluster.

Everything else in the tests runs as the role that the product works as, which owns nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, connections

OWNER = settings.DATABASE_OWNER.get("USER", settings.DATABASE_ROLE)
# Read before anybody has changed sides.
_AS_APPLICATION = {name: settings.DATABASES["default"][name] for name in ("USER", "PASSWORD")}


def let_application_become_owner() -> None:
    """As the owner: let a test change sides within a transaction. It inherits no right by that."""
    if settings.DATABASE_ROLE != OWNER:
        _execute(f"GRANT {OWNER} TO {settings.DATABASE_ROLE} WITH INHERIT FALSE")


@contextmanager
def as_application() -> Iterator[None]:
    """From here on this process works as the product's role, even inside `as_owner`."""
    spoken = connection.settings_dict
    kept = {name: spoken[name] for name in _AS_APPLICATION}
    connections.close_all()
    spoken.update(_AS_APPLICATION)
    yield
    connections.close_all()
    spoken.update(kept)


@contextmanager
def owning() -> Iterator[None]:
    """Inside a transaction: be the owner until the block ends."""
    _execute(f"SET LOCAL ROLE {OWNER}")
    yield
    _execute("SET LOCAL ROLE NONE")


@contextmanager
def triggers_asleep() -> Iterator[None]:
    """Inside a transaction: be somebody whom no trigger stops until the block ends."""
    with owning():
        _execute("SET LOCAL session_replication_role = replica")
        yield
        _execute("SET LOCAL session_replication_role = origin")


def forced(sql: str, *parameters: Any) -> None:
    """Run it as somebody whom no trigger stops."""
    with triggers_asleep():
        _execute(sql, *parameters)


def _execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
