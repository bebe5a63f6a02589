"""The back office on the admin site: pages that show, authorise, and call one operation.

Money and history are read-only for everybody. Nothing here decides about money or writes a row of
it. Importing the modules registers them.
"""

from payouts.admin import audit, ledger, notifications, partners, pushes, staff, terms, webhooks

__all__ = [
    "audit", "ledger", "notifications", "partners", "pushes", "staff", "terms", "webhooks",
]  # fmt: skip
