"""Typed readers for settings that come from the environment.

Each reader names the variable in its error, so that a wrong setting stops the start with one clear
sentence. A secret may also lie in a file: `NAME_FILE` holds its path (as Docker and Kubernetes do).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def text(name: str, default: str = "") -> str:
    """An empty variable counts as not set, here and below: so do compose files and CI write it."""
    return os.environ.get(name) or default


def secret(name: str, default: str = "") -> str:
    """Read `name`, or the file that `name_FILE` names. Setting both is refused."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return text(name, default)
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names a file that cannot be read: {error}"
        ) from error


def boolean(name: str, *, default: bool) -> bool:
    word = text(name)
    if not word:
        return default
    if word.lower() in TRUE_WORDS:
        return True
    if word.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {word!r}.")


def integer(name: str, default: int) -> int:
    word = text(name)
    if not word:
        return default
    try:
        return int(word)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {word!r}.") from error


def integers(name: str, default: str) -> list[int]:
    """A comma-separated list of whole numbers, at least one."""
    try:
        numbers = [int(word) for word in words(name, default)]
    except ValueError:
        numbers = []
    if not numbers:
        raise ImproperlyConfigured(f"{name} must be whole numbers with commas between them.")
    return numbers


def choice(name: str, allowed: Sequence[str]) -> str:
    """One of the allowed words; the first when it is not set. A misspelt one is refused."""
    word = text(name, allowed[0])
    if word not in allowed:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(allowed)}, not {word!r}.")
    return word


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list; blanks around and between the commas do not count."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(name: str, *, unset: Callable[[], str]) -> dict[str, object]:
    """Django's settings for the database at the URL in `name`, or at the one that `unset()` gives.

    libpq itself reads the URL, so everything that psql takes (socket folders, sslmode) works. When
    there is no URL at all the settings are empty: Django then refuses every query.
    """
    url = secret(name) or unset()
    if not url:
        return {}
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says repeats the URL, with the password in it.
        raise ImproperlyConfigured(f"{name} is not a PostgreSQL URL.") from None
    return {
        "ENGINE": "config.postgresql",
        "NAME": parts.pop("dbname", "postgres"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**parts, "prepare_threshold": 2, "options": _server_options(parts)},
    }


def _server_options(parts: Mapping[str, object]) -> str:
    """What each connection sets for itself; what the URL says goes before.

    The statements that we prepare look rows up by keys, so one plan fits all parameters; left to
    choose, PostgreSQL plans the wide ones anew each time, which costs more than running them. And
    nothing of ours thinks for a minute in the middle of a transaction: a process that does has
    stalled (its machine was paused, the line was cut) and holds locks and old rows, so its
    transaction is undone, as if it had died.
    """
    ours = "-c plan_cache_mode=force_generic_plan -c idle_in_transaction_session_timeout=60s"
    return f"{ours} {parts.get('options') or ''}".strip()
