"""Production refuses to start on anything that is not safe, and names all of it at once."""

import base64
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from config.checks import find_development, find_unsafe_settings, require_safe_settings

SAFE: dict[str, Any] = {
    "PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": "made for this test alone, and longer than fifty characters",
    "ALLOWED_HOSTS": ["payouts.example.com"],
    "CSRF_TRUSTED_ORIGINS": ["https://payouts.example.com"],
    "CARD_ENCRYPTION_KEYS": "first:" + base64.b64encode(b"e" * 32).decode(),
    "CARD_FINGERPRINT_KEYS": "first:" + base64.b64encode(b"f" * 32).decode(),
    "CELERY_BROKER_URL": "amqps://broker.example/",
    "CARD_NETWORK_SANDBOX_URL": "http://sandbox.example",
    "SANDBOX_NETWORK_IN_PRODUCTION": True,
    "SANDBOX_NOTIFICATION_KEYS": (),
    "WEBHOOK_LOOPBACK_ALLOWED": False,
}


@pytest.fixture
def production(settings: Settings) -> Settings:
    for name, value in SAFE.items():
        setattr(settings, name, value)
    return settings


def found() -> list[str | None]:
    return [finding.id for finding in find_unsafe_settings(None)]


def test_is_silent_about_safe_settings(production: Settings) -> None:
    assert found() == []
    require_safe_settings()


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("DEBUG", True, "payouts.E002"),
        ("SECRET_KEY", "", "payouts.E003"),
        ("SECRET_KEY", "too short", "payouts.E003"),
        ("SECRET_KEY", django_settings.DEVELOPMENT_SECRET_KEY, "payouts.E003"),
        ("ALLOWED_HOSTS", [], "payouts.E004"),
        ("ALLOWED_HOSTS", ["payouts.example.com", "*"], "payouts.E004"),
        ("ALLOWED_HOSTS", [".example.com", "*.example.com"], "payouts.E004"),
        ("CSRF_TRUSTED_ORIGINS", ["http://payouts.example.com"], "payouts.E005"),
        ("DEMO_SHOWS_CODES", True, "payouts.E012"),
        ("SESSION_COOKIE_AGE", 901, "payouts.E013"),
        ("SIGN_IN_TRIES", 11, "payouts.E013"),
        ("SIGN_IN_LOCK_SECONDS", 1799, "payouts.E013"),
        ("WEBHOOK_LOOPBACK_ALLOWED", True, "payouts.E014"),
        (
            "SANDBOX_NOTIFICATION_KEYS",
            ("good", django_settings.DEVELOPMENT_NOTIFICATION_KEY),
            "payouts.E017",
        ),
        ("CARD_ENCRYPTION_KEYS", "", "payouts.E006"),
        ("CARD_ENCRYPTION_KEYS", "first:not base64", "payouts.E006"),
        ("CARD_FINGERPRINT_KEYS", SAFE["CARD_ENCRYPTION_KEYS"], "payouts.E006"),
        ("CARD_ENCRYPTION_KEYS", django_settings.DEVELOPMENT_CARD_KEY, "payouts.E007"),
        (
            "CARD_ENCRYPTION_KEYS",
            f"{SAFE['CARD_ENCRYPTION_KEYS']},{django_settings.DEVELOPMENT_CARD_KEY}",
            "payouts.E007",
        ),
        ("CARD_FINGERPRINT_KEYS", django_settings.DEVELOPMENT_FINGERPRINT_KEY, "payouts.E007"),
        ("CELERY_BROKER_URL", "", "payouts.E009"),
        ("CELERY_BROKER_URL", "filesystem://localhost", "payouts.E009"),
        ("CELERY_BROKER_URL", "amqp://broker.example/", "payouts.E019"),
        ("CELERY_BROKER_URL", "redis://:secret@10.1.2.3:6379/0", "payouts.E019"),
        ("CARD_NETWORK_SANDBOX_URL", "", "payouts.E010"),
        ("SANDBOX_NETWORK_IN_PRODUCTION", False, "payouts.E011"),
    ],
)
def test_finds(production: Settings, name: str, value: object, finding: str) -> None:
    setattr(production, name, value)
    assert found() == [finding]


@pytest.mark.parametrize(
    ("host", "sslmode", "findings"),
    [
        ("", None, []),
        ("/run/postgresql", None, []),
        ("localhost", None, []),
        ("::1", "disable", []),
        ("database.example", None, ["payouts.E018"]),
        ("10.1.2.3", "prefer", ["payouts.E018"]),
        ("database.example", "require", ["payouts.E018"]),
        ("database.example", "verify-full", []),
    ],
)
def test_wants_the_database_to_show_who_it_is(
    production: Settings,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    sslmode: str | None,
    findings: list[str],
) -> None:
    database = production.DATABASES["default"]
    monkeypatch.setitem(database, "HOST", host)
    monkeypatch.setitem(database, "OPTIONS", {} if sslmode is None else {"sslmode": sslmode})
    assert found() == findings


def test_asks_nothing_of_a_trusted_network(
    production: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    production.TRUSTED_NETWORK = True
    production.CELERY_BROKER_URL = "amqp://broker.example/"
    monkeypatch.setitem(production.DATABASES["default"], "HOST", "database.example")
    assert found() == []


@pytest.mark.parametrize("url", ["amqp://127.0.0.1/", "redis://localhost/0", "amqp://[::1]:5672//"])
def test_lets_a_broker_of_this_machine_do_without_tls(production: Settings, url: str) -> None:
    production.CELERY_BROKER_URL = url
    assert found() == []


def test_names_every_finding_with_its_hint(production: Settings) -> None:
    production.DEBUG = True
    production.ALLOWED_HOSTS = []
    with pytest.raises(ImproperlyConfigured) as refusal:
        require_safe_settings()
    assert "payouts.E002" in str(refusal.value)
    assert "Set DJANGO_ALLOWED_HOSTS" in str(refusal.value)


def test_never_shows_a_key(production: Settings) -> None:
    production.CARD_ENCRYPTION_KEYS = SAFE["CARD_ENCRYPTION_KEYS"] + "x"
    production.SECRET_KEY = "short and secret"
    with pytest.raises(ImproperlyConfigured) as refusal:
        require_safe_settings()
    assert SAFE["CARD_ENCRYPTION_KEYS"].partition(":")[2] not in str(refusal.value)
    assert "short and secret" not in str(refusal.value)


def test_lets_development_be(settings: Settings) -> None:
    settings.PRODUCTION = False
    settings.DEBUG = True
    assert found() == []
    assert [finding.id for finding in find_development(None)] == ["payouts.E001"]


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import config.wsgi"],
        ["-m", "celery", "-A", "config.celery", "worker"],
        ["-m", "celery", "-A", "config.celery", "beat"],
        ["manage.py", "migrate"],
    ],
    ids=["web server", "worker", "beat", "command"],
)
def test_production_without_its_settings_does_not_start(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=django_settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "PAYOUTS_ENV": "production"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    # Secret key, hosts, card keys, database, broker and network.
    for number in ("003", "004", "006", "008", "009", "010"):
        assert f"payouts.E{number}" in said
