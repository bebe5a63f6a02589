"""Up to which id of a table every number has its row by now, or never will.

Ids are drawn before they are committed, so a number that was drawn early may become visible late.
Whoever follows a table by its ids must not pass by such a number; so, before it trusts a number, it
waits until everybody who may hold a lower one is through. Nobody is blocked by that.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from consumers.statements import fetch_rows

_POLL_SECONDS: Final = 0.02

_LAST_IDS: Final = """
SELECT name, pg_sequence_last_value(pg_get_serial_sequence(name, 'id')::regclass),
    name::regclass::oid
FROM unnest(%(tables)s::text[]) AS name
"""

# A statement that inserts takes this lock on its table before it draws a number, and keeps it until
# its transaction is through and visible. Our own lock is no obstacle.
_WRITERS: Final = """
SELECT virtualtransaction || '/' || relation, relation FROM pg_locks
WHERE locktype = 'relation' AND granted AND relation = ANY(%(relations)s::oid[])
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND pid IS DISTINCT FROM pg_backend_pid()
"""


def decided_ids(tables: Sequence[str], *, patience_seconds: float) -> Mapping[str, int]:
    """The id of each table up to which all is decided.

    A table in which nothing was ever written is left out, and so is one whose writers are not
    through after `patience_seconds`: ask again later.
    """
    facts = {name: (last, oid) for name, last, oid in fetch_rows(_LAST_IDS, {"tables": [*tables]})}
    oids = [oid for _, oid in facts.values()]
    # Whoever comes after this look draws numbers above those that were read.
    awaited = remaining = _writers(oids)
    give_up_at = time.monotonic() + patience_seconds
    while remaining and time.monotonic() < give_up_at:
        time.sleep(_POLL_SECONDS)
        remaining = {key: oid for key, oid in _writers(oids).items() if key in awaited}
    busy = set(remaining.values())
    return {
        table: last for table, (last, oid) in facts.items() if last is not None and oid not in busy
    }


def _writers(oids: Sequence[int]) -> dict[str, int]:
    """Transactions that write to one of the tables now, each with the table's oid."""
    return dict(fetch_rows(_WRITERS, {"relations": list(oids)}))
