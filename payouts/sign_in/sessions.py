"""Sessions in a table that says whose they are, so that one person's can be listed and ended.

Django's pattern for one more column in the session's row: nothing is asked of the database that
its own sessions would not ask.
"""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions

from payouts.models import StaffSession

# What a session keeps about its own beginning and its newest request; see `payouts.sign_in.state`.
SIGNED_IN_AT = "signed_in_at"
SEEN_FROM = "seen_from"


class SessionStore(DatabaseSessions):
    @classmethod
    def get_model_class(cls) -> Any:
        return StaffSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        if row.user_id is None:
            return row
        began = data.get(SIGNED_IN_AT)
        row.signed_in_at = None if began is None else datetime.fromtimestamp(began, UTC)
        row.ip_address, row.agent = data.get(SEEN_FROM) or (None, "")
        return row
