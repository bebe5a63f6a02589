"""A connection that the server has closed is replaced before it fails a request."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from consumers.statements import fetch_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def between_requests() -> Iterator[None]:
    """As a thread of the web server has it: connected, and a new request about to begin."""
    connection.ensure_connection()
    close_old_connections()
    yield
    connection.close()


def backend_id() -> int:
    row = fetch_row("SELECT pg_backend_pid()", {})
    assert row is not None
    return int(row[0])


def test_replaces_a_connection_that_the_server_ended(between_requests: None) -> None:
    first = backend_id()
    _end_from_outside(first)
    close_old_connections()
    assert backend_id() != first


def test_keeps_a_good_connection_without_asking_the_server(between_requests: None) -> None:
    first = backend_id()
    close_old_connections()
    with CaptureQueriesContext(connection) as captured:
        assert backend_id() == first
    assert len(captured) == 1


def test_is_not_usable_when_closed() -> None:
    connection.ensure_connection()
    connection.connection.close()
    assert not connection.is_usable()
    connection.close()


def _end_from_outside(pid: int) -> None:
    settings = connection.get_connection_params()
    names = {"dbname", "user", "password", "host", "port"}
    other = {name: settings[name] for name in names & settings.keys()}
    with psycopg.connect(**other, autocommit=True) as administrator:
        ended = administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone()
        assert ended == (True,)
