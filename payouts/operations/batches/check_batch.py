"""Finds everything that is against the lines of a batch, before anything exists."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from consumers.statements import fetch_rows
from payouts import dispatch
from payouts.batch_files.findings import Finding
from payouts.batch_files.wishes import LineWish, wish_of_stored
from payouts.models import Batch, BatchState
from payouts.operations.batches.batch_facts import line_facts, partner_facts
from payouts.operations.batches.claim_batch import claim_batch, claimed_batch, got_through
from payouts.operations.batches.judge_lines import FileSoFar, JudgedLine, judge_line

LINES_AT_ONCE: Final = 5_000

_LINES: Final = """
SELECT id, line, cells, amount, reference, description, metadata, findings
FROM payouts_batchrow
WHERE batch_id = %(batch)s AND line > %(after)s
ORDER BY line LIMIT %(limit)s
"""

# A line that its uploader has left out stays so, as long as it could be issued.
_WRITE: Final = """
UPDATE payouts_batchrow row
SET state = CASE WHEN NOT new.is_good THEN 'bad' WHEN row.state = 'left_out' THEN 'left_out'
                 ELSE 'good' END,
    findings = new.findings, has_warning = new.has_warning, consumer_id = new.consumer_id,
    card_id = new.card_id, fee_amount = new.fee, is_first_push_to_card = new.is_first
FROM unnest(%(ids)s::bigint[], %(is_good)s::boolean[], %(findings)s::jsonb[],
            %(has_warning)s::boolean[], %(consumers)s::uuid[], %(cards)s::uuid[],
            %(fees)s::numeric[], %(is_first)s::boolean[])
    AS new (id, is_good, findings, has_warning, consumer_id, card_id, fee, is_first)
WHERE row.id = new.id
RETURNING NULL
"""


def check_next_batch() -> bool:
    """Judge all lines of the oldest batch that waits for it; False if none does.

    Three statements per five thousand lines, in one transaction: killed within it, the next worker
    begins anew, until `MOST_TRIES` have died of it. Of several workers each takes another batch.
    Nothing is promised: every line is judged again when it is issued.
    """
    at = timezone.now()
    claim = claim_batch(BatchState.CHECKING)
    if claim is None:
        return False
    with transaction.atomic():
        batch = claimed_batch(claim, BatchState.CHECKING)
        if batch is None:
            return True
        _check(batch, at)
        batch.state, batch.checked_at = BatchState.READY, at
        batch.save(update_fields=["state", "checked_at", *got_through(batch)])
    return True


def check_batch_again(batch_id: UUID, *, by: User) -> bool:
    """Have a batch judged anew, because something has changed; False if it is not ready for that.

    Only its uploader has a batch checked. Lines that were left out stay left out.
    """
    ready = Batch.objects.filter(pk=batch_id, state=BatchState.READY, uploaded_by=by)
    with transaction.atomic():
        if ready.update(state=BatchState.CHECKING) != 1:
            return False
        dispatch.ring_batches()
    return True


def _check(batch: Batch, at: datetime) -> None:
    common = partner_facts(batch.partner_id, at=at)
    so_far, after = FileSoFar(), 0
    while lines := _lines(batch, after):
        wishes = [wish for _, wish in lines]
        facts = line_facts(wishes, partner_id=batch.partner_id, common=common, at=at)
        judged = [
            judge_line(wish, one, so_far=so_far, at=at)
            for wish, one in zip(wishes, facts, strict=True)
        ]
        _write([row_id for row_id, _ in lines], judged)
        after = wishes[-1].line


def _lines(batch: Batch, after: int) -> list[tuple[int, LineWish]]:
    rows = fetch_rows(_LINES, {"batch": batch.pk, "after": after, "limit": LINES_AT_ONCE})
    return [(row[0], _wish(row)) for row in rows]


def _wish(row: tuple[Any, ...]) -> LineWish:
    """The line as it was read; what was wrong with its form is known already."""
    _, line, cells, *as_read, findings = row
    wish = wish_of_stored(line, cells)
    wish.amount, wish.reference, wish.description, wish.metadata = as_read
    wish.findings = [Finding(*finding) for finding in findings]
    return wish


def _write(ids: Sequence[int], judged: Sequence[JudgedLine]) -> None:
    fetch_rows(
        _WRITE,
        {
            "ids": list(ids),
            "is_good": [one.is_good for one in judged],
            "findings": [Jsonb([finding.stored() for finding in one.findings]) for one in judged],
            "has_warning": [one.has_warning for one in judged],
            "consumers": [one.consumer_id for one in judged],
            "cards": [one.card_id for one in judged],
            "fees": [one.fee for one in judged],
            "is_first": [one.is_first_push_to_card for one in judged],
        },
    )
