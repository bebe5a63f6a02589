"""Runs the few hot statements that are written in SQL, prepared once per connection.

Everything else goes through the ORM. These go through the same connection, transaction, query log
and execute wrappers, only with parameters bound by the server, so that PostgreSQL parses and plans
each statement once per connection instead of once per request.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.rows import TupleRow, tuple_row
from psycopg.types.json import set_json_loads

Row = tuple[Any, ...]

# Five times as fast as the standard library's; a list reads one document a row.
set_json_loads(orjson.loads)


def fetch_row(statement: str, parameters: Mapping[str, Any]) -> Row | None:
    """Return the first row of `statement`, or None. Parameters are written `%(name)s`."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        row: Row | None = cursor.fetchone()
        return row


def fetch_rows(statement: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Return all rows of `statement`. The caller bounds their number in the statement."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def _cursor() -> Any:
    # `django.db.connection` looks this one up anew for each of its attributes.
    wrapper = connections[DEFAULT_DB_ALIAS]
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    raw: psycopg.Connection[TupleRow] = wrapper.connection
    # Django's own cursors interpolate on the client, which PostgreSQL cannot prepare. Results come
    # in binary form, which psycopg turns into Python's values in half the time.
    cursor = psycopg.Cursor(raw, row_factory=tuple_row)
    cursor.format = psycopg.pq.Format.BINARY
    return wrapper._prepare_cursor(cursor)  # type: ignore[attr-defined]
