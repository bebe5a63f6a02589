"""Every setting of the product, read from the environment. docs/operations.md lists the variables.

Unset variables mean development: an embedded PostgreSQL, a broker in a folder, fixed keys.
Production sets PAYOUTS_ENV=production; then nothing has a default that is not safe, and the system
checks in config/checks.py refuse to start on whatever is missing.
"""

from pathlib import Path

from config import embedded, env
from config.sign_in import *  # noqa: F403
from config.unfold import UNFOLD  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("PAYOUTS_VAR", str(BASE_DIR / "var")))

PRODUCTION = env.choice("PAYOUTS_ENV", ("development", "production")) == "production"
DEBUG = env.boolean("DJANGO_DEBUG", default=False)

# Known to everybody who can read this file, so good for nothing but development. config/checks.py
# refuses each of them in production.
DEVELOPMENT_SECRET_KEY = "development-only-" + "0" * 50
DEVELOPMENT_CARD_KEY = "development:" + "ZGV2ZWxvcG1lbnQtY2FyZC1rZXktMzItYnl0ZXMhISE="
DEVELOPMENT_FINGERPRINT_KEY = "development:" + "ZGV2ZWxvcG1lbnQtZmluZ2VycHJpbnQta2V5LTMyISE="
DEVELOPMENT_NOTIFICATION_KEY = "development-network-notifications"

SECRET_KEY = env.secret("DJANGO_SECRET_KEY", "" if PRODUCTION else DEVELOPMENT_SECRET_KEY)
ALLOWED_HOSTS = env.words("DJANGO_ALLOWED_HOSTS", "" if PRODUCTION else "*")
CSRF_FAILURE_VIEW = "config.pages.form_too_old"
CSRF_TRUSTED_ORIGINS = env.words("DJANGO_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "config",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "consumers",
    "payouts",
]

MIDDLEWARE = [
    "config.request_id.RequestIdMiddleware",
    "config.browser_rules.BrowserRulesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.page_middleware.PageSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.page_middleware.PageSignInMiddleware",
    "consumers.audit.middleware.AuditMiddleware",
    "consumers.admin.zone.ViewerZoneMiddleware",
    "config.page_middleware.PageMessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "payouts.sign_in.middleware.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": env.database(
        "DATABASE_URL",
        unset=lambda: "" if PRODUCTION else embedded.database_url(VAR_DIR / "postgres"),
    )
}
# The role that owns the tables, for `migrate` alone: the product's own role may not change them.
# Nothing while one role does everything, which `check_health` remarks on.
DATABASE_OWNER = env.database(
    "DATABASE_OWNER_URL",
    unset=lambda: (
        ""
        if PRODUCTION or env.secret("DATABASE_URL")
        else embedded.database_url(VAR_DIR / "postgres", role=embedded.OWNER)
    ),
)
# Whether what is said to database and broker on other machines needs no TLS of its own.
TRUSTED_NETWORK = env.boolean("TRUSTED_NETWORK", default=False)
# What the product's own role is called, whoever a command speaks as for a while.
DATABASE_ROLE = str(DATABASES["default"].get("USER", ""))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
# Development serves the files from where they lie; production from one folder that `collectstatic`
# fills, under names that change with the content.
STATIC_ROOT = env.text("STATIC_ROOT", str(VAR_DIR / "static")) if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Staff sign-in is in config/sign_in.py.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
if PRODUCTION:
    # The prefix makes browsers refuse the cookie unless it is secure and of this very host.
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
# Browsers are sent to HTTPS. An API client that speaks plain HTTP has shown its token already, so
# it is refused (config/browser_rules.py) and not helped along. Probes may come as they are.
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^v2/", r"^auth/", r"^networks/", r"^healthz$", r"^readyz$"]
if env.boolean("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Being on the preload list is a decision about the whole domain, and hard to take back.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "config.scrubbing.ScrubbingFilter"}},
    "formatters": {
        "json": {"()": "config.logs.JSONLines"},
        "readable": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if PRODUCTION else "readable",
            "filters": ["scrub"],
        },
    },
    "root": {"level": env.text("LOG_LEVEL", "INFO"), "handlers": ["stderr"]},
    # Django's own handlers would print a second, unscrubbed copy.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # A line for every call tells nothing that an attempt's row does not.
        "httpx": {"level": "WARNING"},
        # The drawing of a PDF tells how it packs its typeface.
        "fontTools": {"level": "WARNING"},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["consumers.api.authentication.ClientTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["consumers.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["config.rest.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.rest.ExactJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.rest.OnlyJSON",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.rest.problem_for_exception",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

# How many calls of a web process may wait for a final status (`Prefer: wait`) at once. Each holds a
# thread, so it must stay below the process's threads; one call more is answered at once.
WAITING_CALLS = env.integer("WAITING_CALLS", 1)

SPECTACULAR_SETTINGS = {
    "TITLE": "Payouts API",
    "VERSION": "2.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["config.openapi.complete"],
    "PATH_CONVERTER_OVERRIDES": {"any_uuid": {"type": "string", "format": "uuid"}},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# The bell. Without a broker of its own the product uses a folder; messages that it loses cost
# seconds, because the sweep finds what nobody rang for.
CELERY_BROKER_URL = env.secret("CELERY_BROKER_URL", "" if PRODUCTION else "filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT = "config.folder_broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "broker" / "messages"),
        "data_folder_out": str(VAR_DIR / "broker" / "messages"),
        "control_folder": str(VAR_DIR / "broker" / "control"),
        "polling_interval": 0.1,
    }
    for _folder in ("messages", "control"):
        (VAR_DIR / "broker" / _folder).mkdir(parents=True, exist_ok=True)
elif CELERY_BROKER_URL.startswith(("amqp:", "amqps:")):
    # RabbitMQ's replicated kind of queue, and an answer to each bell that is rung.
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
elif CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
    # A Redis that vanished without a word holds bells and workers for seconds, not until TCP gives
    # up. A worker's own question waits for one second, so that a silence of ten is no idleness.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# More than there are tasks, of which none runs twice at once: so each always finds a thread.
CELERY_WORKER_CONCURRENCY = 20
CELERY_WORKER_POOL = "threads"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
# A ring that nobody heard in time is void, so that they do not pile up while no worker runs.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in (
        ("send what nobody rang for", "payouts.send_due_payments", 5.0),
        ("inquire about unclear payments", "payouts.inquire_unknown_payments", 5.0),
        ("use what networks told us", "payouts.use_notifications", 5.0),
        ("go on with batches", "payouts.work_on_batches", 5.0),
        ("tell partners", "payouts.deliver_webhooks", 1.0),
        ("expire approvals", "payouts.expire_undecided_payments", 60.0),
        ("report missing card keys", "payouts.report_missing_card_keys", 60.0),
        ("purge the usage of days long past", "payouts.purge_daily_usage", 60.0),
        ("forget old tries and sessions", "payouts.forget_sign_ins", 60.0),
        ("link the audit trail", "payouts.link_audit_trail", 5.0),
        ("count what was linked", "payouts.follow_events", 5.0),
        ("verify what was linked", "payouts.verify_audit_trail", 3600.0),
        ("go on with settlement files", "payouts.work_on_settlements", 30.0),
        ("fetch settlement files", "payouts.fetch_settlements", 600.0),
        ("write exports that were left", "payouts.write_exports", 30.0),
        ("forget what was forged", "payouts.forget_forged_notifications", 600.0),
        ("purge deliveries of long ago", "payouts.purge_deliveries", 600.0),
        ("delete exports that expired", "payouts.delete_expired_exports", 600.0),
    )
}

# Keys of the card vault, `id:base64` each, comma separated, the current one first.
CARD_ENCRYPTION_KEYS = env.secret(
    "CARD_ENCRYPTION_KEYS", "" if PRODUCTION else DEVELOPMENT_CARD_KEY
)
CARD_FINGERPRINT_KEYS = env.secret(
    "CARD_FINGERPRINT_KEYS", "" if PRODUCTION else DEVELOPMENT_FINGERPRINT_KEY
)

# The sandbox network moves no money. Production takes it only for a rehearsal, and says so.
CARD_NETWORK_SANDBOX_URL = env.text(
    "CARD_NETWORK_SANDBOX_URL", "" if PRODUCTION else "http://127.0.0.1:8801"
)
SANDBOX_NETWORK_IN_PRODUCTION = env.boolean("SANDBOX_NETWORK_IN_PRODUCTION", default=False)
# How long a network may be silent within a call, and then the outcome is unknown.
CARD_NETWORK_READ_SECONDS = env.integer("CARD_NETWORK_READ_SECONDS", 35)
# What the sandbox network signs its notifications with; several while they are changed over.
SANDBOX_NOTIFICATION_KEYS = tuple(
    key.strip()
    for key in env.secret(
        "SANDBOX_NOTIFICATION_KEYS", "" if PRODUCTION else DEVELOPMENT_NOTIFICATION_KEY
    ).split(",")
    if key.strip()
)
# Whom consumers ask whether a card can be pushed to; that app does not know the networks.
CARD_ELIGIBILITY_SOURCE = "payouts.networks.eligibility.eligibility_of"
# Who is rung when that app has written an event for partners.
EVENT_BELL = "payouts.dispatch.ring_webhooks"
ACQUIRING_BIN = env.text("ACQUIRING_BIN", "408999")
CARD_ACCEPTOR_ID = env.text("CARD_ACCEPTOR_ID", "PAYOUTS00000001")
# Whether the network's settlement files are fetched when their day is over.
FETCH_SETTLEMENTS = env.boolean("FETCH_SETTLEMENTS", default=False)
# Our accounts at the bank, with commas between them: statements of others are refused.
BANK_ACCOUNTS = frozenset(
    "".join(account.split()).upper()
    for account in env.text("BANK_ACCOUNTS", "" if PRODUCTION else "PAYOUTS0001").split(",")
    if account.strip()
)
# So many days after it is over the bank shows what the network has settled.
BANK_SETTLES_WITHIN_DAYS = env.integer("BANK_SETTLES_WITHIN_DAYS", 3)

# How long a sender may say nothing before its payments are asked about: longer than any call takes.
SENDER_LOST_SECONDS = env.integer("SENDER_LOST_SECONDS", 90)
# The pauses before the inquiries about an unclear payment; the last one comes again and again.
INQUIRY_PAUSES_SECONDS = env.integers("INQUIRY_PAUSES_SECONDS", "40,80,480,3000,18000,86400")
# How long a network may take until an inquiry shows what it has received. The first and the third
# inquiry lie a little further apart, so that what never arrived goes again after the third.
NETWORK_VISIBILITY_SECONDS = env.integer("NETWORK_VISIBILITY_SECONDS", 540)

# Telling partners by webhooks. Loopback is a developer's own machine, by http; never in production.
WEBHOOK_LOOPBACK_ALLOWED = env.boolean("WEBHOOK_LOOPBACK_ALLOWED", default=not PRODUCTION)
WEBHOOK_PORTS = env.integers("WEBHOOK_PORTS", "443,8443")
# A try in all, from the look-up of the name to the status of the answer.
WEBHOOK_TIMEOUT_SECONDS = env.integer("WEBHOOK_TIMEOUT_SECONDS", 15)
# What was delivered is forgotten after so many days; what was not stays.
WEBHOOK_DELIVERIES_KEPT_DAYS = env.integer("WEBHOOK_DELIVERIES_KEPT_DAYS", 90)
# The pauses between tries: ten tries in about 75 hours (standardwebhooks.com), then it is parked.
WEBHOOK_PAUSES_SECONDS = env.integers(
    "WEBHOOK_PAUSES_SECONDS", "5,300,1800,7200,18000,36000,50400,72000,86400"
)
