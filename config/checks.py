"""What production must not start with. Each check has an id and says how to mend what it found.

`manage.py` runs them before every command; the web server, the worker and beat run them before they
serve (`require_safe_settings`). In development they are silent, but for `check --deploy`.
"""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from config.rights import role_findings
from consumers.vault import CardKeysMisconfigured, key_ring_from_settings

SECRET_KEY_CHARACTERS: Final = 50
LONGEST_IDLE_SECONDS: Final = 15 * 60
MOST_SIGN_IN_TRIES: Final = 10
SHORTEST_LOCK_SECONDS: Final = 30 * 60
Apps = Sequence[AppConfig] | None


def require_safe_settings() -> None:
    """Raise ImproperlyConfigured, with every finding, if production would not be safe."""
    if findings := find_unsafe_settings(None):
        raise ImproperlyConfigured("\n".join(["Refusing to start.", *map(str, findings)]))


@register(Tags.security, deploy=True)
def find_development(app_configs: Apps, **_options: Any) -> list[CheckMessage]:
    if settings.PRODUCTION:
        return []
    return [
        Error(
            "These are the settings of development.",
            hint="Set PAYOUTS_ENV=production.",
            id="payouts.E001",
        )
    ]


@register(Tags.security)
def find_unsafe_settings(app_configs: Apps, **_options: Any) -> list[CheckMessage]:
    if not settings.PRODUCTION:
        return []
    return [finding for check in UNSAFE for finding in check()]


@register(Tags.database, deploy=True)
def find_mighty_role(
    app_configs: Apps, *, databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """With `check --deploy --database default`: whether the product's role may more than it should.

    A warning and no refusal: everything works, but what guards the ledger could be switched off.
    """
    if not databases or settings.DATABASES["default"].get("ENGINE") != "config.postgresql":
        return []
    found = role_findings()
    return [
        checks.Warning(
            f"The database role {found.role} {verb}: {'; '.join(facts)}.", hint=hint, id=id_
        )
        for verb, facts, hint, id_ in (
            ("may do too much", found.too_much, _TWO_ROLES, "payouts.W015"),
            ("lacks rights", found.too_little, "Run `manage.py migrate`.", "payouts.W016"),
        )
        if facts
    ]


_TWO_ROLES: Final = (
    "Let one role own the tables and give it to `migrate` alone (DATABASE_OWNER_URL), and another "
    "one, that owns nothing, to everything else (DATABASE_URL): docs/operations.md."
)


def _debug() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error("DEBUG is on.", hint="Unset DJANGO_DEBUG.", id="payouts.E002")


def _secret_key() -> Iterator[CheckMessage]:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django refuses an empty one
        key = ""
    if key == settings.DEVELOPMENT_SECRET_KEY or len(key) < SECRET_KEY_CHARACTERS:
        yield Error(
            "The secret key is missing, short, or the one of development.",
            hint=f"Set DJANGO_SECRET_KEY_FILE (or DJANGO_SECRET_KEY) to {SECRET_KEY_CHARACTERS} "
            "random characters or more.",
            id="payouts.E003",
        )


def _hosts() -> Iterator[CheckMessage]:
    if not settings.ALLOWED_HOSTS or any("*" in host for host in settings.ALLOWED_HOSTS):
        yield Error(
            "The allowed hosts are missing or a wildcard.",
            hint="Set DJANGO_ALLOWED_HOSTS to the names that people and clients type.",
            id="payouts.E004",
        )


def _origins() -> Iterator[CheckMessage]:
    if any(not origin.startswith("https://") for origin in settings.CSRF_TRUSTED_ORIGINS):
        yield Error(
            "A trusted origin is not https.",
            hint="Begin every entry of DJANGO_CSRF_TRUSTED_ORIGINS with https://.",
            id="payouts.E005",
        )


def _card_keys() -> Iterator[CheckMessage]:
    hint = (
        "Set CARD_ENCRYPTION_KEYS_FILE and CARD_FINGERPRINT_KEYS_FILE to files with `id:base64` "
        "entries of 32 random bytes each, of which no two are the same."
    )
    try:
        key_ring_from_settings()
    except CardKeysMisconfigured as problem:
        yield Error(str(problem), hint=hint, id="payouts.E006")
    texts = settings.CARD_ENCRYPTION_KEYS + settings.CARD_FINGERPRINT_KEYS
    known = (settings.DEVELOPMENT_CARD_KEY, settings.DEVELOPMENT_FINGERPRINT_KEY)
    if any(key.partition(":")[2] in texts for key in known):
        yield Error("A card key is the one of development.", hint=hint, id="payouts.E007")


def _database() -> Iterator[CheckMessage]:
    if settings.DATABASES["default"].get("ENGINE") != "config.postgresql":
        yield Error(
            "There is no database; the embedded one is for development.",
            hint="Set DATABASE_URL_FILE (or DATABASE_URL) to the address of a PostgreSQL server.",
            id="payouts.E008",
        )


def _broker() -> Iterator[CheckMessage]:
    scheme = settings.CELERY_BROKER_URL.partition("://")[0]
    if scheme in {"", "filesystem", "memory"}:
        yield Error(
            "There is no broker; the one in a folder is for development.",
            hint="Set CELERY_BROKER_URL_FILE (or CELERY_BROKER_URL) to RabbitMQ or Redis.",
            id="payouts.E009",
        )


def _database_in_secret() -> Iterator[CheckMessage]:
    database: dict[str, Any] = settings.DATABASES["default"]
    host = str(database.get("HOST", ""))
    sslmode = database.get("OPTIONS", {}).get("sslmode")
    if settings.TRUSTED_NETWORK or _is_here(host) or sslmode in _VERIFYING:
        return
    yield Error(
        "The database is on another machine, and who listens in between, or answers in its place, "
        "would not be noticed.",
        hint="Add sslmode=verify-full (and sslrootcert) to DATABASE_URL. " + _TRUSTED,
        id="payouts.E018",
    )


def _broker_in_secret() -> Iterator[CheckMessage]:
    scheme, _, rest = settings.CELERY_BROKER_URL.partition("://")
    if settings.TRUSTED_NETWORK or scheme not in {"amqp", "redis"}:
        return
    if not _is_here(urlsplit(f"//{rest}").hostname or ""):
        yield Error(
            "The broker is on another machine, and its password crosses the network in the clear.",
            hint=f"Begin CELERY_BROKER_URL with {scheme}s://. " + _TRUSTED,
            id="payouts.E019",
        )


def _is_here(host: str) -> bool:
    """No name and a path mean a socket of this machine, in PostgreSQL's addresses."""
    if host.startswith("/") or host in {"", "localhost"}:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# What libpq compares with a certificate; `require` speaks in secret with anybody who answers.
_VERIFYING: Final = frozenset({"verify-ca", "verify-full"})
_TRUSTED: Final = (
    "Where nobody else can listen (one machine's containers, a mesh that encrypts by itself), set "
    "TRUSTED_NETWORK=yes."
)


def _sign_in() -> Iterator[CheckMessage]:
    if settings.DEMO_SHOWS_CODES:
        yield Error(
            "Pages would show the codes of second factors, as in the demo.",
            hint="Unset DEMO_SHOWS_CODES.",
            id="payouts.E012",
        )
    if (
        settings.SESSION_COOKIE_AGE > LONGEST_IDLE_SECONDS
        or settings.SIGN_IN_TRIES > MOST_SIGN_IN_TRIES
        or settings.SIGN_IN_LOCK_SECONDS < SHORTEST_LOCK_SECONDS
    ):
        yield Error(
            "Staff may be idle longer, or try more passwords, than PCI DSS 8.2.8 and 8.3.4 allow.",
            hint=f"Keep SESSION_IDLE_SECONDS at {LONGEST_IDLE_SECONDS} or less, SIGN_IN_TRIES at "
            f"{MOST_SIGN_IN_TRIES} or less, SIGN_IN_LOCK_SECONDS at {SHORTEST_LOCK_SECONDS} or "
            "more.",
            id="payouts.E013",
        )


def _networks() -> Iterator[CheckMessage]:
    if not settings.CARD_NETWORK_SANDBOX_URL:
        yield Error(
            "There is no card network to push through.",
            hint="Add the adapter of a network to payouts/networks/. For a rehearsal, set "
            "CARD_NETWORK_SANDBOX_URL and SANDBOX_NETWORK_IN_PRODUCTION=yes.",
            id="payouts.E010",
        )
    elif not settings.SANDBOX_NETWORK_IN_PRODUCTION:
        yield Error(
            "Pushes would go to the sandbox network, which moves no money.",
            hint="Unset CARD_NETWORK_SANDBOX_URL. For a rehearsal, set "
            "SANDBOX_NETWORK_IN_PRODUCTION=yes.",
            id="payouts.E011",
        )


def _notifications() -> Iterator[CheckMessage]:
    if settings.DEVELOPMENT_NOTIFICATION_KEY in settings.SANDBOX_NOTIFICATION_KEYS:
        yield Error(
            "Anybody could sign as the card network: its key is the one of development.",
            hint="Set SANDBOX_NOTIFICATION_KEYS_FILE (or SANDBOX_NOTIFICATION_KEYS) to random "
            "characters, or unset it: then notifications are not believed, only asked about.",
            id="payouts.E017",
        )


def _webhooks() -> Iterator[CheckMessage]:
    if settings.WEBHOOK_LOOPBACK_ALLOWED:
        yield Error(
            "Webhooks could lead to this very machine, by http.",
            hint="Unset WEBHOOK_LOOPBACK_ALLOWED.",
            id="payouts.E014",
        )


UNSAFE: Final[tuple[Callable[[], Iterator[CheckMessage]], ...]] = (
    _debug,
    _secret_key,
    _hosts,
    _origins,
    _card_keys,
    _database,
    _broker,
    _database_in_secret,
    _broker_in_secret,
    _sign_in,
    _networks,
    _notifications,
    _webhooks,
)
