"""What every test gets: no broker, no connection left in a thread, tables that can be emptied.

Of subjects there is only the card that most tests push to; builders are in `tests/builders.py` and
`tests/pushes.py`.
"""

import gc
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management.commands import flush
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from consumers.models import PaymentCard
from consumers.table_owner import as_owner
from payouts import dispatch
from payouts.operations.reconciliation import read_statement, take_settlement
from payouts.webhooks import deliver
from payouts.work import batch_work, drain, settlement_work, statement_work
from tests import cluster
from tests.migrated_once import copy_what_one_migrates
from tests.owner import OWNER, as_application, let_application_become_owner
from tests.pushes import make_payee
from tests.racing import let_connections_go

# What migrations wrote and no test changes for good: it is kept when the tables are emptied.
_KEPT_TABLES = frozenset(
    {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
)


_AN_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case alike in every run: workers of xdist must collect the same names."""
    text = str(val) if isinstance(val, str | UUID) else ""
    return _AN_ID.sub("<id>", text) if _AN_ID.search(text) else None


def pytest_configure() -> None:
    # Nothing of what collecting makes is garbage.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    _let_the_collector_pass_over_what_is_there()


def _let_the_collector_pass_over_what_is_there() -> None:
    """What is loaded, and what migrating has left, stays to the end; looking through it again and
    again took a sixth of the whole run."""
    gc.collect()
    gc.freeze()


class Bell:
    """Counts the rings that would have become messages to the broker."""

    def __init__(self) -> None:
        self._rung: Counter[str] = Counter()
        self._lock = threading.Lock()

    def ring(self, task_name: str) -> None:
        with self._lock:
            self._rung[task_name] += 1

    @property
    def rings(self) -> int:
        """How often the sender was rung for."""
        return self._rung[dispatch.SEND_DUE_PAYMENTS]

    @property
    def rings_for_inquiries(self) -> int:
        return self._rung[dispatch.INQUIRE]

    @property
    def rings_for_notifications(self) -> int:
        return self._rung[dispatch.USE_NOTIFICATIONS]

    @property
    def rings_for_webhooks(self) -> int:
        return self._rung[dispatch.DELIVER_WEBHOOKS]

    @property
    def rings_for_batches(self) -> int:
        return self._rung[dispatch.WORK_ON_BATCHES]


@pytest.fixture(autouse=True)
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    """Stands in for Celery, so that no test talks to a broker by accident.

    Rings come on commit: in a test without `transaction=True` only inside
    `django_capture_on_commit_callbacks(execute=True)`.
    """
    stand_in = Bell()
    monkeypatch.setattr(dispatch, "_ring", stand_in.ring)
    return stand_in


@pytest.fixture
def card() -> PaymentCard:
    """A card of a new consumer, of a partner with money."""
    return make_payee()


@pytest.fixture(autouse=True)
def _no_thread_keeps_a_connection() -> Iterator[None]:
    """A database with open connections cannot be dropped at the end of the run."""
    yield
    _close_connections_of(drain._database)
    _close_connections_of(batch_work._lanes)
    _close_connections_of(deliver._database)


@pytest.fixture(autouse=True)
def _nobody_is_told_to_stop() -> Iterator[None]:
    """A worker that shuts down tells this process's drains, and nobody tells them to go on."""
    yield
    for room in (drain, batch_work, settlement_work, statement_work, deliver):
        room._stopping.clear()


def _close_connections_of(pool: ThreadPoolExecutor) -> None:
    threads = len(pool._threads)
    if not threads:
        return
    # Each thread waits for the others, so that no thread does the closing twice.
    together = threading.Barrier(threads)

    def close() -> None:
        connections.close_all()
        together.wait(10)

    for closing in [pool.submit(close) for _ in range(threads)]:
        closing.result(10)


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_when_asked_for() -> Iterator[None]:
    """Not listed for each of the thousands of test clients, which took a fifth of the suite."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _files_may_be_about_times_to_come() -> Iterator[None]:
    """What tests pay just now has to lie well within the time of a file, so that it can be missed
    there and at the bank; that such a time must be over has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(take_settlement, "CLOCKS_APART", timedelta(days=365))
        patch.setattr(read_statement, "AHEAD", timedelta(days=365))
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_quickly() -> Iterator[None]:
    """They are hashed often here, and how is Django's affair; the demo's test hashes for good."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """The owner makes the tests' database, and drops it at the end."""
    with django_db_blocker.unblock(), as_owner():
        if "PYTEST_XDIST_WORKER" in os.environ and cluster.IS_OURS:
            copy_what_one_migrates(tmp_path_factory.getbasetemp().parent)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests work as the product does: as a role that owns nothing.

    It may become the owner where a test says so (`tests.owner`); nothing of the product does that,
    and without it the membership gives no right.
    """
    with django_db_blocker.unblock():
        let_application_become_owner()
        _let_the_collector_pass_over_what_is_there()
        with as_application():
            yield
            let_connections_go()


@pytest.fixture(scope="session", autouse=True)
def _tables_can_be_emptied() -> Iterator[None]:
    """Let the flush after a `transaction=True` test empty tables that refuse it.

    Only here, only as the superuser of the tests' own cluster: triggers sleep in a session whose
    replication role is replica.
    """

    def sql_flush(
        _: DatabaseOperations, _style: Any, tables: Sequence[str], **__: Any
    ) -> list[str]:
        emptied = [table for table in tables if table not in _KEPT_TABLES]
        role = "SET LOCAL session_replication_role"
        owner = f"SET LOCAL ROLE {OWNER}"
        empty = _EMPTY % ", ".join(f"'{table}'" for table in emptied)
        return [owner, f"{role} = replica", empty, f"{role} = origin", *_HOUSE_ACCOUNTS]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        # It would make the rows of the kept tables again, which takes longer than most tests.
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield


# A test fills few tables with few rows. TRUNCATE gives each table and each of its indexes a new
# file, which takes longer than deleting them; it is for what has grown.
_EMPTY = """
DO $$ DECLARE name regclass; size bigint; BEGIN
    FOR name, size IN SELECT t, pg_relation_size(t) FROM unnest(ARRAY[%s]::regclass[]) t LOOP
        IF size > 262144 THEN EXECUTE 'TRUNCATE ' || name || ' CASCADE';
        ELSIF size > 0 THEN EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
END $$"""
# As the migration wrote them.
_HOUSE_ACCOUNTS = (
    "INSERT INTO payouts_account (kind, network) VALUES"
    " ('bank', ''), ('fee_revenue', ''), ('suspense', ''), ('network_payable', 'sandbox')",
)
