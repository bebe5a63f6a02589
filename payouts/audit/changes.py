"""Compares every change of settings with the events of its life, which are in the chain.

A change itself is not written once, so it cannot be chained. Each of its events holds the SHA-256
over the change as it was then; an earlier step follows from what stands there now, because only so
much of a change ever moves.
"""

from collections.abc import Iterator
from typing import Final

from consumers.statements import fetch_rows
from payouts.audit.tampering import Tampering

SOURCE: Final = "change"
_FINDINGS_AT_MOST: Final = 200

# Columns of what is proposed, of how it ended, of who fetched its secret; with what each is before.
PROPOSED: Final = (
    "id", "kind", "partner_id", "subject", "label", "concerns_user_id", "before", "after",
    "digest", "reason", "proposed_by_id", "proposed_at", "expires_at",
)  # fmt: skip
ENDED: Final = {
    "state": "'proposed'::varchar",
    "is_alone": "FALSE",
    "decided_by_id": "NULL::integer",
    "decided_at": "NULL::timestamptz",
    "decision_reason": "''::varchar",
    "signature_id": "NULL::bigint",
    "result": "''::varchar",
}
COLLECTED: Final = {"collected_by_id": "NULL::integer", "collected_at": "NULL::timestamptz"}


def changes_that_differ() -> Iterator[Tampering]:
    """Every change that is not as its events tell: edited, deleted, or inserted past the guards.

    A few hundred at most. Two statements.
    """
    for event_id, change_id, is_there in fetch_rows(_DIFFERING, {"limit": _FINDINGS_AT_MOST}):
        told = f"change {change_id} is not as it was then" if is_there else f"change {change_id}"
        yield Tampering("edited" if is_there else "deleted", SOURCE, 0, event_id, told)
    for change_id, kinds in fetch_rows(_WITHOUT, {"limit": _FINDINGS_AT_MOST}):
        told = f"change {change_id} has the events {kinds}"
        yield Tampering("edited" if kinds else "inserted", SOURCE, 0, None, told)


def _digest(*columns: str) -> str:
    return f"sha256(record_send(ROW({', '.join(columns)})))"


_OWN: Final = tuple(f"c.{name}" for name in PROPOSED)
_AS_PROPOSED: Final = _digest(*_OWN, *ENDED.values(), *COLLECTED.values())
_AS_ENDED: Final = _digest(*_OWN, *(f"c.{name}" for name in ENDED), *COLLECTED.values())
_AS_COLLECTED: Final = _digest(*_OWN, *(f"c.{name}" for name in (*ENDED, *COLLECTED)))

_DIFFERING: Final = f"""
SELECT e.id, e.change_id, c.id IS NOT NULL
FROM payouts_changeevent e LEFT JOIN payouts_changerequest c ON c.id = e.change_id
WHERE c.id IS NULL OR e.format <> 1 OR e.row_digest <> CASE e.kind
    WHEN 'proposed' THEN {_AS_PROPOSED} WHEN 'collected' THEN {_AS_COLLECTED}
    ELSE {_AS_ENDED} END
ORDER BY e.id LIMIT %(limit)s
"""  # noqa: S608  # nosec B608
_WITHOUT: Final = """
SELECT c.id, COALESCE(told.kinds, '')
FROM payouts_changerequest c LEFT JOIN (
    SELECT change_id, string_agg(kind, ' ' ORDER BY number) AS kinds,
        max(number) = count(*) AS is_whole
    FROM payouts_changeevent GROUP BY change_id
) AS told ON told.change_id = c.id
WHERE told.is_whole IS NOT TRUE OR told.kinds <> concat_ws(' ', 'proposed',
    CASE WHEN c.state <> 'proposed' THEN c.state END,
    CASE WHEN c.collected_at IS NOT NULL THEN 'collected' END)
ORDER BY c.id LIMIT %(limit)s
"""
