"""The connection: how it is told, before each request, that the server still holds it.

Django asks with `SELECT 1`, which would be a third of what the shortest requests send. Nothing else
about Django's backend changes, and no statement of ours belongs here.
"""

import select

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, which looks at its socket instead of sending a statement."""

    def is_usable(self) -> bool:
        """Whether the connection is still good for a statement, as far as this side can know.

        An idle server says nothing. When it goes away it says goodbye or closes, and either way
        there is something to read. The rare word of a living one (a changed parameter) costs a
        connection that would have been good. A server that vanished without a word is found by the
        statement itself; libpq's `keepalives` and `tcp_user_timeout` in the URL bound that.
        """
        if self.connection is None or self.connection.closed:
            return False
        return not _can_be_read(self.connection)


def _can_be_read(connection: "psycopg.Connection[object]") -> bool:
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
