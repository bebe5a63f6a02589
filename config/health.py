"""Whether this installation can do its work: for load balancers, for `check_health`, for people.

Facts only, each cheap enough to be asked every second; nothing here changes or repairs anything.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from config.celery import app
from payouts.models import Payment

BROKER_SECONDS: Final = 1
# The first answer ends the wait; on a busy machine it takes a while.
WORKER_SECONDS: Final = 15.0
# The sweep runs every five seconds; what is this late was not sent by anybody.
LATE: Final = timedelta(seconds=60)

_migrations_are_applied = False


@dataclass(frozen=True, slots=True)
class Health:
    """What was found. `oldest_due_seconds`: how late the most overdue payment is; None if none."""

    database: bool
    migrations: bool
    broker: bool
    oldest_due_seconds: int | None = None

    @property
    def is_ready(self) -> bool:
        """May requests come here? A late worker is no reason to turn them away, nor is a lost bell:
        what is accepted meanwhile is safe in the database and sent later."""
        return self.database and self.migrations

    @property
    def is_late(self) -> bool:
        return self.oldest_due_seconds is not None and self.oldest_due_seconds > LATE.seconds


def health() -> Health:
    """Ask the database and the broker how they are. Never raises for their being away."""
    broker = _is_broker_reachable()
    try:
        migrations = _are_migrations_applied()
        oldest_due_seconds = _oldest_due_seconds() if migrations else None
    except DatabaseError:
        return Health(database=False, migrations=False, broker=broker)
    return Health(
        database=True, migrations=migrations, broker=broker, oldest_due_seconds=oldest_due_seconds
    )


def workers_alive() -> list[str]:
    """The name of the first worker that answers a question through the broker, if one does."""
    try:
        answers = app.control.ping(timeout=WORKER_SECONDS, limit=1) or []
    except (OperationalError, OSError):
        return []
    return sorted(name for answer in answers for name in answer)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process lives and takes requests. Says nothing about what is behind it."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 while requests can be served, else 503, with the facts."""
    found = health()
    return JsonResponse(
        {"status": "ok" if found.is_ready else "unavailable", **asdict(found)},
        status=200 if found.is_ready else 503,
    )


def _are_migrations_applied() -> bool:
    """Looked up until it is true: a process with this code will not see one unapplied again."""
    global _migrations_are_applied
    if not _migrations_are_applied:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        _migrations_are_applied = not plan
        return _migrations_are_applied
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _oldest_due_seconds() -> int | None:
    now = timezone.now()
    oldest = Payment.objects.filter(due_at__lte=now).aggregate(at=Min("due_at"))["at"]
    return None if oldest is None else int((now - oldest).total_seconds())


def _is_broker_reachable() -> bool:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        return Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])).is_dir()
    try:
        with app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    except (OperationalError, OSError):
        return False
    return True
