"""All that lies sealed under keys of the vault, whichever room seals it.

Whatever is not in this table does not open any more once a key has been rotated and dropped. A test
finds a column, and a file that seals, that it forgets.
"""

from typing import Final

from consumers.operations.consumers import TAX_IDENTIFIERS
from consumers.operations.reseal_cards import CARDS
from consumers.operations.sealed_rows import SealedKind
from payouts.operations.batches.upload_batch import BATCH_FILES
from payouts.operations.keep_evidence import EVIDENCE
from payouts.operations.reseal_factors import SECOND_FACTORS
from payouts.operations.take_notification import NOTIFICATIONS
from payouts.operations.webhook_endpoints import PREVIOUS_WEBHOOK_SECRETS, WEBHOOK_SECRETS

# In the order in which they are moved: what people wait for first.
SEALED_KINDS: Final[tuple[SealedKind, ...]] = (
    SECOND_FACTORS,
    CARDS,
    WEBHOOK_SECRETS,
    PREVIOUS_WEBHOOK_SECRETS,
    TAX_IDENTIFIERS,
    BATCH_FILES,
    EVIDENCE,
    NOTIFICATIONS,
)
