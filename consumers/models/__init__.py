"""Who pays out and who is paid, and what was done about them. Rows only.

What may happen to them is in `consumers/operations/`; the card number itself is sealed by
`consumers/vault.py` and never appears here in clear.
"""

from consumers.models.histories import (
    AuditEntry,
    Edit,
    FormerName,
    PartnerEvent,
)
from consumers.models.partners import (
    AccessToken,
    APIClient,
    APIClientSecret,
    Partner,
)
from consumers.models.people import (
    CardStatus,
    Consumer,
    ConsumerTally,
    KYCStatus,
    PaymentCard,
)
from consumers.models.searched import without_accents, words_without_accents

__all__ = [
    "APIClient",
    "APIClientSecret",
    "AccessToken",
    "AuditEntry",
    "CardStatus",
    "Consumer",
    "ConsumerTally",
    "Edit",
    "FormerName",
    "KYCStatus",
    "Partner",
    "PartnerEvent",
    "PaymentCard",
    "without_accents",
    "words_without_accents",
]
