"""Claims a file for reading or checking, so that one that kills its worker is not tried for ever.

A try is counted and committed before anything of the file is looked at. Whoever gets through takes
the count back; whoever dies leaves it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consumers.vault import key_ring_from_settings
from payouts.models import Batch, BatchFile, BatchState
from payouts.operations.batches.upload_batch import BATCH_FILES

# So many workers may die by one file; a deployment now and then may have been the cause of one.
MOST_TRIES: Final = 5
# Only to bridge from the claim to the row's own lock, which lasts as long as the work.
_LEASE: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that is ours to work on. `tries` tells this claim from a later one."""

    batch_id: UUID
    tries: int


def claim_batch(state: BatchState) -> Claim | None:
    """Claim the oldest batch in this state that nobody works on, and count the try; None: none.

    A file under a key that is not in our ring waits for a process that has it, as cards do. One
    that `MOST_TRIES` workers have died of is refused instead, and the next one is looked at.
    """
    while True:
        at = timezone.now()
        with transaction.atomic():
            keyless = BATCH_FILES.waiting_for_a_key(key_ring_from_settings()).values("pk")
            waiting = Batch.objects.filter(state=state).exclude(leased_until__gte=at)
            waiting = waiting.exclude(pk__in=keyless)
            locked = waiting.select_for_update(skip_locked=True, no_key=True)
            batch = locked.order_by("pk").first()
            if batch is None:
                return None
            if batch.tries < MOST_TRIES:
                batch.tries += 1
                batch.leased_until = at + _LEASE
                batch.save(update_fields=["tries", "leased_until"])
                return Claim(batch.pk, batch.tries)
            _set_aside(batch)


def claimed_batch(claim: Claim, state: BatchState) -> Batch | None:
    """The claimed batch under a lock until the transaction ends; None if it has moved on."""
    mine = Batch.objects.filter(pk=claim.batch_id, state=state, tries=claim.tries)
    return mine.select_for_update(skip_locked=True, no_key=True).first()


def got_through(batch: Batch) -> list[str]:
    """Take the count back in the transaction of the work; returns the fields to save with it."""
    batch.tries, batch.leased_until = 0, None
    return ["tries", "leased_until"]


def _set_aside(batch: Batch) -> None:
    batch.state = BatchState.REFUSED
    batch.refusal = {"code": "kills_its_reader", "times": batch.tries}
    batch.ended_at, batch.leased_until = timezone.now(), None
    BatchFile.objects.filter(batch=batch).delete()
    batch.save(update_fields=["state", "refusal", "ended_at", "leased_until"])
