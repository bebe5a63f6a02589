"""What must be true of the rollups, in the manner of `payouts.invariants`; `checks` examines it."""

from typing import Final

from payouts.invariants import Invariant
from payouts.rollups.sql import CURSOR, OF_COUNTED, PARTNER_KEY, PUSH_KEY, summed

_COUNTED: Final = f"({OF_COUNTED.replace('%(last_event_id)s', CURSOR)})"


def _compared(table: str, *, key: str) -> str:
    return f"""
SELECT (kept.payments, kept.amount, kept.fees)
       IS DISTINCT FROM (counted.payments, counted.amount, counted.fees) AS broken,
    format('%%s: kept %%s of $%%s with fees of $%%s, counted %%s of $%%s with fees of $%%s',
           ({key}), kept.payments, kept.amount, kept.fees, counted.payments, counted.amount,
           counted.fees) AS told
FROM {table} kept FULL JOIN ({summed(_COUNTED, by=key)}) counted USING ({key})
"""  # noqa: S608  # nosec B608: constants only


ROLLUP_INVARIANTS: Final = (
    Invariant(
        "rollups of pushes are the sums of their payments",
        _compared("payouts_pushrollup", key=PUSH_KEY),
    ),
    Invariant(
        "rollups of partners are the sums of their payments",
        _compared("payouts_partnerrollup", key=PARTNER_KEY),
    ),
)
