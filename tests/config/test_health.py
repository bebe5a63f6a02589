"""Probes and `check_health`: facts, cheap, and true when something is away."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from config import health
from config.health import LATE, Health
from payouts.models import Payment
from tests.pushes import make_payee, push


def test_healthz_needs_nothing(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_readyz_tells_the_facts(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": True,
        "migrations": True,
        "broker": True,
        "oldest_due_seconds": None,
    }


@pytest.mark.django_db
def test_readyz_asks_the_database_twice(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/readyz")
    with django_assert_num_queries(2):
        client.get("/readyz")


def test_readyz_is_503_while_the_database_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> bool:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(health, "_are_migrations_applied", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] is False
    assert "closed the connection" not in answer.content.decode()


@pytest.mark.django_db
def test_readyz_is_503_before_the_migrations(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_are_migrations_applied", lambda: False)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] is True


@pytest.mark.django_db
def test_readyz_takes_requests_while_the_broker_is_away(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "gone")}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (200, False)


def test_a_broker_that_refuses_the_connection_is_not_reachable(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "amqp://127.0.0.1:1//"
    settings.CELERY_BROKER_TRANSPORT = None
    assert not health._is_broker_reachable()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


class TestCheckHealth:
    @pytest.fixture(autouse=True)
    def _worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "config.management.commands.check_health.workers_alive", lambda: ["celery@here"]
        )

    def facts(self) -> dict[str, Any]:
        out = StringIO()
        try:
            call_command("check_health", "--json", stdout=out)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return {**json.loads(out.getvalue()), "exit": code}

    @pytest.mark.django_db
    def test_is_well(self) -> None:
        facts = self.facts()
        assert (facts["status"], facts["exit"]) == ("ok", 0)
        assert facts["workers"] == ["celery@here"]

    @pytest.mark.django_db
    def test_is_unwell_without_a_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("config.management.commands.check_health.workers_alive", list)
        assert self.facts()["exit"] == 1

    @pytest.mark.django_db
    def test_is_unwell_when_a_payment_is_late(self) -> None:
        late = push(make_payee())
        due_at = timezone.now() - LATE - timedelta(seconds=5)
        Payment.objects.filter(pk=late.pk).update(due_at=due_at)
        facts = self.facts()
        assert facts["oldest_due_seconds"] >= LATE.seconds
        assert (facts["status"], facts["exit"]) == ("unwell", 1)

    @pytest.mark.django_db
    def test_speaks_to_people_too(self) -> None:
        out = StringIO()
        call_command("check_health", stdout=out)
        assert "workers              celery@here" in out.getvalue()


def test_is_late_only_beyond_the_bound() -> None:
    def late(seconds: int) -> bool:
        return Health(
            database=True, migrations=True, broker=True, oldest_due_seconds=seconds
        ).is_late

    assert not late(60)
    assert late(61)
