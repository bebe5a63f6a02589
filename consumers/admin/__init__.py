"""Admin pages of API clients, consumers and cards, and what all admin pages of the product share.

Importing the modules registers them. Partners stand in `payouts.admin`, because taking one on opens
its ledger accounts.
"""

from consumers.admin import clients, people

__all__ = ["clients", "people"]
