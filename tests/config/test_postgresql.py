"""Connections: one that the server closed is replaced, and none holds a transaction for long."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from config import env
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


def test_the_server_undoes_a_transaction_in_which_nothing_happens_for_a_minute() -> None:
    assert fetch_row("SHOW idle_in_transaction_session_timeout", {}) == ("1min",)


def test_a_database_address_may_set_another_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "postgresql:///?options=-c%20idle_in_transaction_session_timeout%3D300ms"
    monkeypatch.setenv("DATABASE_URL", address)
    read: dict[str, Any] = env.database("DATABASE_URL", unset=str)
    with psycopg.connect(**_server(), options=read["OPTIONS"]["options"]) as stalled:
        stalled.execute("SELECT 1")
        time.sleep(1)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            stalled.execute("SELECT 1")
        stalled.close()


def _end_from_outside(pid: int) -> None:
    with psycopg.connect(**_server(), autocommit=True) as administrator:
        ended = administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone()
        assert ended == (True,)


def _server() -> dict[str, Any]:
    """Where the database is and who asks, without what our connections set."""
    settings = connection.get_connection_params()
    names = {"dbname", "user", "password", "host", "port"}
    return {name: settings[name] for name in names & settings.keys()}
