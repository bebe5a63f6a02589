"""Tells people that payments or files wait for a key of the vault that this process has not."""

import logging
from typing import Final

from django.utils import timezone

from consumers.statements import fetch_rows
from consumers.vault import key_ring_from_settings
from payouts.operations.batches.upload_batch import BATCH_FILES

logger = logging.getLogger(__name__)

# Payments that nobody can send are the oldest that are due, so the first thousand show them.
_WANTED: Final = """
SELECT card.kek_id, count(*)
FROM (
    SELECT card_id FROM payouts_payment
    WHERE status = 'pending' AND due_at <= %(at)s ORDER BY due_at LIMIT 1000
) due
JOIN consumers_paymentcard card ON card.id = due.card_id
WHERE card.kek_id <> ALL(%(keys)s)
GROUP BY card.kek_id ORDER BY card.kek_id
"""


def report_missing_card_keys() -> list[str]:
    """Log each key that a due payment's card lies under and that is not in our ring; return them.

    Changes nothing: the payments stay pending, and are sent as soon as a worker has the key.
    """
    keys = list(key_ring_from_settings().keks)
    rows = fetch_rows(_WANTED, {"keys": keys, "at": timezone.now()})
    for key_id, payments in rows:
        logger.critical(
            "CARD_ENCRYPTION_KEYS lacks the key %r: %s payments wait for it.", key_id, payments
        )
    for use in BATCH_FILES.uses():
        if use.key_id not in keys:
            logger.critical("%s lacks the key %r: %s %s wait for it.", use.setting, use.key_id,
                            use.rows, use.kind)  # fmt: skip
    return [key_id for key_id, _ in rows]
